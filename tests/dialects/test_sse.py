"""Server-sent events, cut anywhere, with any line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dialects.sse import Splitter, data_of

LINES = st.sampled_from(
    [b"data: {}", b"data:x", b": ping", b"event: a", b"id: 7", b"data: \xed\x95\x9c", b"retry: 3", b"x"]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream, and the events it is made of."""
    events = []
    for _ in range(draw(st.integers(0, 6))):
        end = draw(ENDS)
        lines = draw(st.lists(LINES, min_size=1, max_size=4))
        events.append(end.join([*lines, b""]) + end)
    return b"".join(events), events


@given(streams(), st.data())
def test_a_stream_cut_anywhere_gives_the_same_events(
    made: tuple[bytes, list[bytes]], data: st.DataObject
) -> None:
    stream, events = made
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter, got = Splitter(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += splitter.feed(stream[start:end])
    rest = splitter.rest()
    # A stream that ends in a CR leaves it to be seen whether an LF follows; its bytes are not lost.
    assert b"".join(got) + rest == stream
    assert got == events or got == events[:-1]


@given(st.binary(max_size=200), st.integers(1, 7))
def test_no_byte_is_lost_or_added(stream: bytes, size: int) -> None:
    splitter, got = Splitter(), b""
    for at in range(0, len(stream), size):
        got += b"".join(splitter.feed(stream[at : at + size]))
    assert got + splitter.rest() == stream


def test_a_long_event_in_small_pieces_is_held_without_joining_it_each_time() -> None:
    splitter = Splitter()
    for _ in range(50_000):
        assert splitter.feed(b"x" * 100) == []
    assert splitter.held == 5_000_000
    assert len(splitter.feed(b"\n\n")[0]) == 5_000_002


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"data:  x\n\n", b" x"),
        (b"event: e\ndata: a\ndata: b\n\n", b"a\nb"),
        (b"event: e\ndata: {}\n\n", b"{}"),
        (b"event: e\rdata: a\ndata: b\n\n", b"a\nb"),
        (b"event: e\nid: data: a\n\n", b""),
        (b"data: a\r\ndata\r\ndata: b\r\n\r\n", b"a\n\nb"),
        (b": ping\n\n", b""),
        (b"data: a\rid: 1\r\r", b"a"),
    ],
)
def test_the_data_of_an_event_is_its_data_lines(event: bytes, data: bytes) -> None:
    assert data_of(event) == data
