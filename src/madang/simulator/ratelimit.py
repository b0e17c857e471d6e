"""Rate limits that are real: two buckets per key that refill evenly over a minute.

Pure: state and `now` in, state and a verdict out. The arithmetic is OpenAI's as its headers show
it: with 30,000 requests a minute, one request leaves 29,999 and a reset of `2ms`.
"""

from __future__ import annotations

import math

import msgspec

MINUTE = 60.0


class Bucket(msgspec.Struct, gc=False):
    """What is left of one limit, as of a moment."""

    limit: int
    left: float
    at: float

    def refill(self, now: float) -> None:
        """Add what has come back since the last look."""
        if now > self.at:
            self.left = min(self.limit, self.left + (now - self.at) * self.limit / MINUTE)
            self.at = now

    def wait(self, amount: float) -> float:
        """Seconds until `amount` is there."""
        return max(0.0, (amount - self.left) * MINUTE / self.limit)

    @property
    def reset(self) -> float:
        """Seconds until the bucket is full again."""
        return (self.limit - self.left) * MINUTE / self.limit


class Exhausted(msgspec.Struct, frozen=True, gc=False):
    """Why a request was not admitted."""

    unit: str
    """`requests` or `tokens`."""
    limit: int
    used: int
    requested: int
    retry_after: float
    """Seconds; infinite if the request is larger than the whole limit."""


class Allowance(msgspec.Struct, gc=False):
    """Both limits of one key."""

    requests: Bucket
    tokens: Bucket

    def admit(self, now: float, tokens: int) -> Exhausted | None:
        """Take one request and `tokens` if both are there; else take nothing and say why."""
        self.requests.refill(now)
        self.tokens.refill(now)
        refused = _short("requests", self.requests, 1) or _short("tokens", self.tokens, tokens)
        if refused is None:
            self.requests.left -= 1
            self.tokens.left -= tokens
        return refused


def allowance(rpm: int, tpm: int, now: float) -> Allowance:
    """A key that has not been used yet."""
    return Allowance(Bucket(rpm, rpm, now), Bucket(tpm, tpm, now))


# Refilling adds fractions; a request that is short by less than this is not short.
_ROUNDING = 1e-6


def _short(unit: str, bucket: Bucket, amount: int) -> Exhausted | None:
    if bucket.left + _ROUNDING >= amount:
        return None
    wait = math.inf if amount > bucket.limit else bucket.wait(amount)
    return Exhausted(unit, bucket.limit, math.ceil(bucket.limit - bucket.left), amount, wait)


def show_duration(seconds: float) -> str:
    """A duration as OpenAI's headers write it: `0s`, `6ms`, `8.64s`, `1m0s`, `1h2m3s`."""
    if seconds < 1:
        thousandths = math.ceil(seconds * 1000 - 1e-6)
        return f"{thousandths}ms" if 0 < thousandths < 1000 else ("1s" if thousandths else "0s")
    minutes, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + shown
