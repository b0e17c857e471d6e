"""Durations and their distributions.

`200ms`, `fixed(50ms)`, `uniform(10ms,80ms)`, `lognormal(p50=300ms,p99=2s)`.
"""

from __future__ import annotations

import math
import re
from statistics import NormalDist

import msgspec

from madang.simulator.dice import Dice

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(us|ms|s|m)")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_CALL = re.compile(r"(\w+)\((.*)\)")
_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)
_LONGEST = 3600.0

FORMS = "fixed(50ms), uniform(10ms,80ms) or lognormal(p50=300ms,p99=2s)"


def parse_duration(text: str) -> float:
    """Seconds of `20ms`, `1.5s`, `300us`, `2m`; at most an hour. Raises ValueError with a sentence."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit: 20ms, 1.5s, 300us or 2m")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than an hour")
    return seconds


class Fixed(msgspec.Struct, frozen=True):
    """Always the same."""

    seconds: float = 0.0

    def sample(self, dice: Dice) -> float:
        """The one wait there is."""
        return self.seconds


class Uniform(msgspec.Struct, frozen=True):
    """Every wait between two bounds is as likely as any other."""

    low: float
    high: float

    def sample(self, dice: Dice) -> float:
        """Somewhere between the bounds."""
        return self.low + (self.high - self.low) * dice.unit()


class LogNormal(msgspec.Struct, frozen=True):
    """Most waits near the median, a few much longer: what real APIs look like."""

    p50: float
    p99: float

    def sample(self, dice: Dice) -> float:
        """At most ten times the 99th percentile, so that one throw cannot hold a test for hours."""
        quantile = min(max(dice.unit(), 1e-9), 1 - 1e-9)
        wait = self.p50 * math.exp(_NORMAL.inv_cdf(quantile) * math.log(self.p99 / self.p50) / _Z99)
        return min(wait, self.p99 * 10)


Latency = Fixed | Uniform | LogNormal
"""How long the model thinks before its answer starts, in seconds."""


def parse_latency(text: str) -> Latency:
    """A distribution from its text. Raises ValueError with a sentence that helps."""
    found = _CALL.fullmatch(text.strip())
    if found is None:
        return Fixed(parse_duration(text))
    values = [value.strip() for value in found[2].split(",")]
    match found[1], values:
        case "fixed", [value]:
            return Fixed(parse_duration(value))
        case "uniform", [low, high]:
            return _uniform(parse_duration(low), parse_duration(high))
        case "lognormal", [_, _]:
            return _lognormal(dict(_named(value) for value in values))
        case _:
            raise ValueError(f"{text!r} is not a distribution; write {FORMS}")


def _named(value: str) -> tuple[str, float]:
    name, _, duration = value.partition("=")
    return name.strip(), parse_duration(duration)


def _uniform(low: float, high: float) -> Latency:
    if low > high:
        raise ValueError("uniform(LOW,HIGH) wants the shorter wait first")
    return Uniform(low, high)


def _lognormal(named: dict[str, float]) -> Latency:
    if named.keys() != {"p50", "p99"} or not 0 < named["p50"] <= named["p99"]:
        raise ValueError(
            "lognormal wants p50 and p99, p50 above zero and not above p99: lognormal(p50=300ms,p99=2s)"
        )
    return LogNormal(named["p50"], named["p99"])
