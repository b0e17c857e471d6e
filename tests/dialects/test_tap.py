"""The tap listens to what passes and changes nothing, but for what only we asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dialects import tap as tap_module
from madang.dialects.sse import data_of
from madang.dialects.tap import Heard, Tap

EVENTS = [
    b"data: one\n\n",
    b": ping\n\n",
    b"data: ours\n\n",
    b"event: x\r\ndata: two\r\n\r\n",
    b"data: end\n\n",
]


class Ear(Tap):
    """Hears every event; `ours` is one that only we asked for."""

    __slots__ = ("events",)

    def __init__(self, *, withhold: bool = False) -> None:
        super().__init__(withhold=withhold)
        self.events: list[bytes] = []

    def _hear(self, event: bytes) -> bool:
        if event:
            self.events.append(event)
        data = data_of(event)
        self.done = self.done or data == b"end"
        return data == b"ours"


@st.composite
def cuttings(draw: st.DrawFn) -> list[bytes]:
    stream = b"".join(EVENTS)
    places = sorted({0, len(stream), *draw(st.lists(st.integers(0, len(stream))))})
    return [stream[start:end] for start, end in pairwise(places)]


@given(cuttings())
def test_bytes_go_on_at_once_as_they_came(pieces: list[bytes]) -> None:
    tap = Ear()
    assert [tap.feed(piece) for piece in pieces] == pieces
    assert tap.rest() == b""
    assert tap.events == EVENTS
    assert tap.done


@given(cuttings())
def test_what_only_we_asked_for_is_withheld_however_it_is_cut(pieces: list[bytes]) -> None:
    tap = Ear(withhold=True)
    passed = b"".join([tap.feed(piece) for piece in pieces]) + tap.rest()
    assert passed == b"".join(EVENTS).replace(b"data: ours\n\n", b"")
    assert tap.events == EVENTS


def test_every_cut_in_two_gives_the_same() -> None:
    stream = b"".join(EVENTS)
    for place in range(len(stream)):
        tap = Ear(withhold=True)
        passed = tap.feed(stream[:place]) + tap.feed(stream[place:]) + tap.rest()
        assert passed == stream.replace(b"data: ours\n\n", b"")


@pytest.mark.parametrize("withhold", [True, False])
def test_an_event_without_its_blank_line_is_heard_at_the_end(withhold: bool) -> None:
    tap = Ear(withhold=withhold)
    passed = tap.feed(b"data: one\n\ndata: end") + tap.rest()
    assert passed == b"data: one\n\ndata: end"
    assert tap.events == [b"data: one\n\n", b"data: end"]
    assert tap.done


def test_an_unfinished_event_of_ours_is_withheld_too() -> None:
    tap = Ear(withhold=True)
    assert tap.feed(b"data: one\n\ndata: ours") == b"data: one\n\n"
    assert tap.rest() == b""


@pytest.mark.parametrize("withhold", [True, False])
def test_an_event_too_long_to_hold_passes_unheard(withhold: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_module, "_TOO_LONG", 20)
    tap = Ear(withhold=withhold)
    pieces = [b"data: one\n\ndata: ", b"a" * 30, b"b" * 30 + b"\n\n", b"data: ours\n\n"]
    assert b"".join([tap.feed(piece) for piece in pieces]) + tap.rest() == b"".join(pieces)
    assert tap.events == [b"data: one\n\n"]


def test_nothing_has_been_heard_at_the_beginning() -> None:
    tap = Ear()
    assert (tap.heard, tap.done, tap.rest()) == (Heard(), False, b"")
