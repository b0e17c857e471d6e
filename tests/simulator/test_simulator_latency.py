"""Durations and distributions."""

from __future__ import annotations

import statistics

import pytest

from madang.simulator.dice import Dice
from madang.simulator.latency import parse_duration, parse_latency


@pytest.mark.parametrize(
    ("text", "seconds"), [("20ms", 0.02), ("1.5s", 1.5), ("300us", 0.0003), ("2m", 120), (" 0ms ", 0)]
)
def test_durations_are_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "20", "ms", "-1s", "1 s", "1h", "٣s", "99999s", "1e3s", "nan", "1.s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer than an hour"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "fast", "fixed()", "fixed(1)", "uniform(10ms)", "uniform(80ms,10ms)", "lognormal(p50=1s)",
     "lognormal(p50=2s,p99=1s)", "lognormal(p50=0ms,p99=1s)", "lognormal(a=1s,b=2s)", "normal(1s,2s)"],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_latency(text)


def test_a_lognormal_has_its_percentiles() -> None:
    latency = parse_latency("lognormal(p50=300ms,p99=2s)")
    waits = sorted(latency.sample(Dice(7, at)) for at in range(5000))
    assert statistics.median(waits) == pytest.approx(0.3, rel=0.1)
    assert waits[4950] == pytest.approx(2.0, rel=0.25)


def test_a_uniform_keeps_its_bounds() -> None:
    latency = parse_latency("uniform(10ms,80ms)")
    waits = [latency.sample(Dice(at)) for at in range(1000)]
    assert 0.010 <= min(waits) < 0.015
    assert 0.075 < max(waits) <= 0.080


def test_a_plain_duration_is_a_fixed_latency() -> None:
    assert parse_latency("50ms").sample(Dice(1)) == pytest.approx(0.05)


def test_the_same_seeds_throw_the_same_dice() -> None:
    assert [Dice(1, "a").throw() for _ in range(3)] == [Dice(1, "a").throw() for _ in range(3)]
    assert Dice(1, "a").throw() != Dice(2, "a").throw()
