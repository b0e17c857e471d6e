"""What holds for every request of a simulator, and how it is written on the command line."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.core.secret import Secret
from madang.simulator.controls import Controls
from madang.simulator.dice import Dice
from madang.simulator.latency import Fixed, Latency

OUT_OF_REACH_RPM: Final = 10_000_000
OUT_OF_REACH_TPM: Final = 10_000_000_000
"""The limits where none were set: counted and shown like any, and more than one process can serve."""

_EARLY = 10
"""A random fault in a stream strikes within this many events."""


class Rate(msgspec.Struct, frozen=True):
    """Something that happens to a share of the requests."""

    controls: Controls
    share: float


class Options(msgspec.Struct, frozen=True):
    """Settings of a simulator. The defaults answer at once, without limits and without faults."""

    key: Secret | None = None
    """The one good key; None takes any."""
    models: tuple[str, ...] = ()
    """The models on offer; none: any name is taken."""
    latency: Latency = Fixed()
    pace: float = 0.0
    """Seconds per token."""
    shred: bool = False
    error_rates: tuple[Rate, ...] = ()
    fault_rates: tuple[tuple[str, float], ...] = ()
    rpm: int = OUT_OF_REACH_RPM
    tpm: int = OUT_OF_REACH_TPM
    frozen_time: bool = False
    """Ids and times depend on the request alone, so that the same request gets the same bytes."""
    strict: bool = False
    """Parameters nobody knows are refused."""


DEFAULTS: Final = Options()

FAULTS: Final = {
    "hangup": lambda at: Controls(hangup=True),
    "reset": lambda at: Controls(reset_after=at),
    "stall": lambda at: Controls(stall_after=at),
    "cut": lambda at: Controls(cut_after=at),
    "garbage": lambda at: Controls(garbage_after=at),
    "bad-json": lambda at: Controls(bad_json_after=at),
    "error-event": lambda at: Controls(error_after=at),
    "truncate": lambda at: Controls(truncate=True),
}
"""Faults that can strike by chance; `at` is the number of events (or bytes) before it."""


def by_chance(options: Options, dice: Dice) -> Controls | None:
    """What strikes this request, if anything does."""
    luck = dice.unit()
    for rate in options.error_rates:
        if luck < rate.share:
            return rate.controls
        luck -= rate.share
    for name, share in options.fault_rates:
        if luck < share:
            return FAULTS[name](dice.below(_EARLY))
        luck -= share
    return None


def parse_error_rates(text: str) -> tuple[Rate, ...]:
    """`429=0.05,500=0.02`. Raises ValueError with a sentence."""
    rates = []
    for name, share in _shares(text):
        if not name.isdigit() or not 400 <= int(name) <= 599:
            raise ValueError(f"{name!r} is not an HTTP error status from 400 to 599")
        rates.append(Rate(Controls(error=int(name)), share))
    return tuple(rates)


def parse_fault_rates(text: str) -> tuple[tuple[str, float], ...]:
    """`cut=0.01,stall=0.01`. Raises ValueError with a sentence."""
    rates = _shares(text)
    for name, _ in rates:
        if name not in FAULTS:
            raise ValueError(f"{name!r} is not a fault; there are {', '.join(FAULTS)}")
    return tuple(rates)


def _shares(text: str) -> list[tuple[str, float]]:
    shares = [_share(part.strip()) for part in text.split(",") if part.strip()]
    if sum(share for _, share in shares) > 1 + 1e-9:
        raise ValueError("the shares add up to more than 1")
    return shares


def _share(part: str) -> tuple[str, float]:
    name, _, value = part.partition("=")
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(
            f"{part!r}: wants NAME=SHARE with a share from 0 to 1, for example {name or '500'}=0.02"
        )
    return name.strip(), share
