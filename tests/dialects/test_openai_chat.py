"""OpenAI's chat dialect: the tap on streams, what the meter hears, errors, and answers of our own."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core import errors
from madang.core.record import Usage
from madang.dialects.openai_chat.errors import render_error
from madang.dialects.openai_chat.passing import ChatRequest
from madang.dialects.openai_chat.responses import Head, hear, render_answer
from madang.dialects.openai_chat.streams import DONE, Tap, read_delta, render_chunks
from madang.dialects.sse import Splitter, data_of

HEAD = Head("chatcmpl-1", 1_700_000_000, "m")
USAGE = Usage(3, 4)


def parts(stream: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]


@given(st.lists(st.text(max_size=6), max_size=6), st.lists(st.integers(0, 5000), max_size=10), st.booleans())
def test_a_tap_that_withholds_takes_out_the_usage_chunk_and_nothing_else(
    texts: list[str], cuts: list[int], crlf: bool
) -> None:
    with_usage = b"".join(render_chunks(HEAD, texts, USAGE, "stop"))
    without = b"".join(render_chunks(HEAD, texts, None, "stop"))
    if crlf:
        with_usage, without = with_usage.replace(b"\n", b"\r\n"), without.replace(b"\n", b"\r\n")
    tap = Tap(withhold=True)
    got = b"".join(tap.feed(part) for part in parts(with_usage, cuts)) + tap.rest()
    assert got == without
    assert (tap.heard.usage, tap.heard.stop_reason) == (USAGE, "stop")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_a_tap_that_only_listens_lets_every_byte_pass_at_once(stream: bytes, cuts: list[int]) -> None:
    tap = Tap(withhold=False)
    for part in parts(stream, cuts):
        assert tap.feed(part) == part


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_a_tap_that_withholds_loses_nothing_of_what_it_does_not_know(stream: bytes, cuts: list[int]) -> None:
    tap = Tap(withhold=True)
    assert b"".join(tap.feed(part) for part in parts(stream, cuts)) + tap.rest() == stream


def test_an_event_without_end_is_let_through_unheard() -> None:
    tap = Tap(withhold=True)
    piece = b"x" * 1_000_000
    got = b"".join(tap.feed(piece) for _ in range(20))
    assert got + tap.rest() == piece * 20


@pytest.mark.parametrize(
    ("event", "usage"),
    [
        ({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}, Usage(1, 2)),
        ({"choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 1.0}}, Usage(1)),
        ({"x_groq": {"usage": {"completion_tokens": 5}}, "choices": []}, Usage(None, 5)),
        ({"choices": [], "usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}}, Usage(9, None, 4)),
        (
            {
                "choices": [],
                "usage": {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}},
            },
            Usage(None, 9, None, 7),
        ),
        ({"choices": [], "usage": None}, None),
        ({"choices": [], "usage": "many"}, None),
        ({"choices": "none", "usage": {"prompt_tokens": 1}}, None),
        ([], None),
    ],
)
def test_usage_is_heard_in_every_shape_providers_write_it(event: object, usage: Usage | None) -> None:
    tap = Tap(withhold=False)
    tap.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert tap.heard.usage == usage


@given(st.binary(max_size=100))
def test_an_answer_that_cannot_be_read_is_heard_as_silence(body: bytes) -> None:
    heard = hear(body)
    assert heard.error is None or body.strip().startswith(b"{")


def test_an_answer_of_our_own_reads_as_it_was_said() -> None:
    heard = hear(render_answer(HEAD, "안녕", USAGE, "length"))
    assert (heard.usage, heard.stop_reason) == (USAGE, "length")


@given(st.lists(st.text(min_size=1, max_size=5), max_size=8))
def test_a_stream_of_our_own_says_the_same_text_and_ends(pieces: list[str]) -> None:
    stream = b"".join(render_chunks(HEAD, pieces, USAGE, "stop"))
    said = [read_delta(data_of(event)) for event in Splitter().feed(stream)]
    assert "".join(delta.text for delta in said if delta) == "".join(pieces)
    assert stream.endswith(DONE)


def error_classes() -> list[type[errors.CallError]]:
    found, todo = [], [errors.CallError]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += one.__subclasses__()
    return [one for one in found if one.__module__ == "madang.core.errors"]


@pytest.mark.parametrize("kind", error_classes())
def test_every_error_renders_in_openais_shape(kind: type[errors.CallError]) -> None:
    if issubclass(kind, errors.ProviderError):
        error: errors.CallError = kind("What to do.", param="model", status=502)
    else:
        error = kind("What to do.", param="model")
    assert json.loads(render_error(error)) == {
        "error": {"message": "What to do.", "type": kind.kind, "param": "model", "code": kind.code}
    }
    assert 400 <= error.status < 600


@pytest.mark.parametrize(
    ("body", "add", "sent"),
    [
        (b'{"model":"a"}', True, b'{"model":"b"}'),
        (b'{"model":"a","stream":false}', True, b'{"model":"b","stream":false}'),
        (b'{"model":"a","stream":true}', False, b'{"model":"b","stream":true}'),
        (
            b'{"model":"a","stream":true,"stream_options":null}',
            True,
            b'{"model":"b","stream":true,"stream_options":{"include_usage":true}}',
        ),
        (
            b'{"model":"a","stream":true,"stream_options":{"include_usage":true}}',
            True,
            b'{"model":"b","stream":true,"stream_options":{"include_usage":true}}',
        ),
    ],
)
def test_usage_is_asked_for_only_where_it_is_wanted(body: bytes, add: bool, sent: bytes) -> None:
    assert json.loads(ChatRequest(body).for_target("b", add_usage=add)) == json.loads(sent)


@pytest.mark.parametrize("withhold", [True, False])
def test_a_last_event_without_its_blank_line_is_heard(withhold: bool) -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}'
    for end in (b"", b"\n", b"\r", b"\r\n", b"\r\r"):
        tap = Tap(withhold=withhold)
        got = tap.feed(b"data: {}\n\n" + usage + end) + tap.rest()
        assert got == b"data: {}\n\n" + (b"" if withhold else usage + end)
        assert tap.heard.usage == Usage(3, 4)
