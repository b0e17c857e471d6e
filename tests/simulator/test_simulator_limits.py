"""Limits that count down, come back and say so."""

from __future__ import annotations

import math

import pytest

from madang.simulator import Options
from madang.simulator.ratelimit import allowance, show_duration
from tests.simulator.desk import Desk, answer_of, chat_of, headers_of


def test_limits_count_down_and_refuse_the_one_too_many() -> None:
    allowed = allowance(3, 1000, now=0.0)
    assert [allowed.admit(0.0, 10) for _ in range(3)] == [None] * 3
    refused = allowed.admit(0.0, 10)
    assert refused is not None
    assert (refused.unit, refused.limit, refused.used, refused.requested) == ("requests", 3, 3, 1)
    assert refused.retry_after == pytest.approx(20.0)


def test_a_refused_request_takes_nothing() -> None:
    allowed = allowance(10, 100, now=0.0)
    refused = allowed.admit(0.0, 101)
    assert refused is not None
    assert math.isinf(refused.retry_after)
    assert (allowed.requests.left, allowed.tokens.left) == (10, 100)


def test_waiting_as_long_as_advised_is_enough() -> None:
    allowed = allowance(60, 100, now=0.0)
    assert allowed.admit(0.0, 100) is None
    refused = allowed.admit(1.0, 40)
    assert refused is not None
    assert allowed.admit(1.0 + refused.retry_after, 40) is None


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    allowed = allowance(1, 100, now=100.0)
    assert allowed.admit(100.0, 1) is None
    assert allowed.admit(40.0, 1) is not None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.002, "2ms"), (0.0004, "1ms"), (0.9999, "1s"), (1, "1s"), (8.64, "8.64s"), (60, "1m0s"),
     (86.4, "1m26.4s"), (59.9999, "1m0s"), (3723, "1h2m3s")],
)  # fmt: skip
def test_resets_are_written_as_openai_writes_them(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


def test_headers_show_what_is_left_and_when_it_is_back() -> None:
    desk = Desk(Options(rpm=30_000, tpm=150_000_000))
    headers = headers_of(desk.plan(chat_of("What is in this image?")))
    assert headers["x-ratelimit-limit-requests"] == "30000"
    assert headers["x-ratelimit-remaining-requests"] == "29999"
    assert headers["x-ratelimit-reset-requests"] == "2ms"
    assert headers["x-ratelimit-remaining-tokens"] == str(150_000_000 - 13)


def test_an_exhausted_limit_is_a_429_that_says_when_to_come_back() -> None:
    desk = Desk(Options(rpm=2))
    for _ in range(2):
        assert desk.plan(chat_of()).status == 200
    refused = desk.plan(chat_of())
    headers = headers_of(refused)
    assert refused.status == 429
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("30", "30000")
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-reset-requests"] == "1m0s"
    assert answer_of(refused)["error"]["code"] == "rate_limit_exceeded"
    desk.clock.now += 30
    assert desk.plan(chat_of()).status == 200


def test_max_tokens_are_reserved() -> None:
    desk = Desk(Options(tpm=1000))
    refused = desk.plan(chat_of(max_tokens=2000))
    assert refused.status == 429
    assert answer_of(refused)["error"]["type"] == "tokens"
    assert "Request too large" in answer_of(refused)["error"]["message"]


def test_each_key_has_limits_of_its_own() -> None:
    desk = Desk(Options(rpm=1))
    assert desk.plan(chat_of(), authorization="Bearer a").status == 200
    assert desk.plan(chat_of(), authorization="Bearer a").status == 429
    assert desk.plan(chat_of(), authorization="Bearer b").status == 200
