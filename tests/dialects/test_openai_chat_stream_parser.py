"""A provider's stream of chat completions becomes events, whoever writes it and wherever it is cut."""

from __future__ import annotations

import json

import pytest

from madang.core.errors import BrokenAnswer, ProviderError
from madang.core.events import (
    Begin,
    End,
    PartDelta,
    PartEnd,
    PartStart,
    StopEvent,
    UsageEvent,
    collect,
    explode,
)
from madang.core.messages import (
    Json,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from madang.core.record import Usage
from madang.core.responses import Stop
from madang.dialects.openai_chat import OPENAI_CHAT
from tests.dialects.chunks_openai_chat import (
    DONE,
    HEAD,
    USAGE,
    chunk,
    events,
    failure,
    parts,
    read,
    rendered,
    stream,
)
from tests.dialects.same_openai_chat import IMAGE, PNG

TALK = stream(
    {"id": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": [1]},
    chunk({"role": "assistant", "content": ""}, service_tier="default"),
    chunk({"content": "안"}),
    chunk({"content": "녕"}),
    chunk(
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
            ]
        }
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "g", "arguments": "{}"}}]}),
    chunk({}, "tool_calls"),
    {**HEAD, "choices": [], "usage": USAGE},
    DONE,
)


def test_a_stream_becomes_the_events_of_its_parts() -> None:
    assert events(TALK) == [
        Begin(
            id="c",
            model="m",
            created=1,
            service_tier="default",
            extra={"openai_chat": {"prompt_filter_results": [1]}},
        ),
        PartStart(0, 0, Text("")),
        PartDelta(0, 0, "안"),
        PartDelta(0, 0, "녕"),
        PartEnd(0, 0),
        PartStart(0, 1, ToolCall(id="call_1", name="f")),
        PartDelta(0, 1, '{"a":'),
        PartDelta(0, 1, "1}"),
        PartEnd(0, 1),
        PartStart(0, 2, ToolCall(id="call_2", name="g")),
        PartDelta(0, 2, "{}"),
        PartEnd(0, 2),
        StopEvent(0, Stop.TOOL),
        UsageEvent(Usage(3, 4)),
        End(),
    ]


@pytest.mark.parametrize("lines", [b"\n", b"\r\n", b"\r"])
def test_a_stream_is_the_same_wherever_it_is_cut(lines: bytes) -> None:
    data = TALK.replace(b"\n", lines)
    whole = events(data)
    assert whole == events(TALK)
    for place in range(len(data)):
        parser = OPENAI_CHAT.stream_parser()
        assert parser.feed(data[:place]) + parser.feed(data[place:]) + parser.end() == whole
    parser = OPENAI_CHAT.stream_parser()
    assert [event for byte in data for event in parser.feed(bytes([byte]))] + parser.end() == whole


def test_comments_and_events_of_several_lines_are_understood() -> None:
    one = json.dumps(chunk({"content": "hi"}), indent=1).encode().replace(b"\n", b"\ndata: ")
    data = (
        b": OPENROUTER PROCESSING\n\nevent: message\nid: 5\ndata: "
        + one
        + b"\n\n"
        + stream(chunk({}, "stop"), DONE)
    )
    assert collect(events(data)).candidates[0].parts == (Text("hi"),)


def test_a_last_event_without_its_blank_line_is_heard() -> None:
    assert events(stream(chunk({"content": "hi"}, "stop")) + b"data: [DONE]")[-1] == End()


def test_an_end_mark_may_be_missing_where_every_choice_has_ended() -> None:
    assert events(stream(chunk({"content": "hi"}, "stop")))[-1] == End()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b": ping\n\n",
        stream(chunk({"content": "hi"})),
        stream(chunk({"content": "hi"}, "stop"), chunk({"content": "yo"}, index=1)),
        TALK[: len(TALK) // 2],
    ],
)
def test_a_stream_that_stops_too_early_was_cut(data: bytes) -> None:
    assert failure(data).code == "stream_cut"


def test_an_end_mark_without_a_reason_ends_the_answer_all_the_same() -> None:
    assert events(stream(chunk({"content": "hi"}), DONE))[-2:] == [StopEvent(0, None), End()]
    assert events(stream(DONE))[-1] == End()


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"\xff",
        {"choices": 5},
        {"choices": ["hi"]},
        {"choices": [{"delta": "hi"}]},
        {"choices": [{"index": -1, "delta": {}}]},
        {"choices": [{"index": 10**9, "delta": {}}]},
        {"choices": [{"index": "0", "delta": {}}]},
        chunk({"content": 5}),
        chunk({"refusal": ["no"]}),
        chunk({"reasoning": 5}),
        chunk({"reasoning_details": ["hm"]}),
        chunk({"tool_calls": ["f"]}),
        chunk({"tool_calls": [{"function": {"name": 5}}]}),
        chunk({"audio": 5}),
        chunk({"images": [5]}),
        {"choices": [], "usage": "many"},
    ],
)
def test_a_piece_that_cannot_be_read_is_a_failure_and_the_last_thing_heard(broken: Json) -> None:
    data = stream(chunk({"content": "hi"}), broken, chunk({"content": "more"}), DONE)
    assert isinstance(failure(data), BrokenAnswer)


def test_what_nobody_needs_is_passed_over() -> None:
    data = stream(
        [],
        5,
        {"type": "ping"},
        chunk({"content": "hi"}),
        chunk({}, "stop"),
        chunk({"content": "late"}),
        DONE,
        b"{",
    )
    assert collect(events(data)).candidates[0].parts == (Text("hi"),)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ({"message": "overloaded", "type": "server_error", "code": None}, 500, "server_error"),
        ({"message": "slow down", "code": 429}, 429, "provider_error"),
        ("in a word", 500, "provider_error"),
    ],
)
def test_an_error_in_the_midst_of_a_stream_is_told(error: Json, status: int, code: str) -> None:
    problem = failure(stream(chunk({"content": "hi"}), {"error": error, **chunk({}, "error")}, DONE))
    assert isinstance(problem, ProviderError)
    assert (problem.status, problem.code) == (status, code)


def test_choices_come_mixed() -> None:
    response = read(
        chunk({"role": "assistant", "content": "a"}, index=1),
        chunk({"role": "assistant", "content": "b"}),
        chunk({"content": "c"}, index=1),
        chunk({}, "stop"),
        chunk({}, "length", index=1),
        DONE,
    )
    assert [candidate.parts for candidate in response.candidates] == [(Text("b"),), (Text("ac"),)]
    assert [candidate.stop for candidate in response.candidates] == [Stop.END, Stop.LENGTH]


def call(**members: Json) -> dict[str, Json]:
    return {"tool_calls": [members]}


@pytest.mark.parametrize(
    "pieces",
    [
        # Gemini and older Ollamas number all calls 0.
        [
            call(index=0, id="a", function={"name": "f", "arguments": "{}"}),
            call(index=0, id="b", function={"name": "g", "arguments": "{}"}),
        ],
        # Others number none of them.
        [
            call(id="a", function={"name": "f", "arguments": "{}"}),
            call(id="b", function={"name": "g"}),
            call(function={"arguments": "{}"}),
        ],
        # Some say the id and the name each time.
        [
            call(index=0, id="a", function={"name": "f", "arguments": "{"}),
            call(index=0, id="a", function={"name": "f", "arguments": "}"}),
            call(index=1, id="b", function={"name": "g", "arguments": "{}"}),
        ],
        # Or write an object where OpenAI has text.
        [
            call(index=0, id="a", type="function", function={"name": "f", "arguments": {}}),
            call(index=1, id="b", type="function", function={"name": "g", "arguments": {}}),
        ],
    ],
)
def test_calls_are_told_apart_however_they_are_numbered(pieces: list[Json]) -> None:
    found = parts(*pieces)
    assert [(part.id, part.name, part.arguments or "{}") for part in found] == [
        ("a", "f", "{}"),
        ("b", "g", "{}"),
    ]


def test_calls_without_ids_get_the_same_ones_every_time() -> None:
    pieces = [call(index=number, function={"name": "f", "arguments": "{}"}) for number in (0, 1)]
    assert [part.id for part in parts(*pieces)] == ["call_c_0_0", "call_c_0_1"]
    assert parts({"function_call": {"name": "f"}}, {"function_call": {"arguments": "{}"}}) == (
        ToolCall(id="call_c_0", name="f", arguments="{}", extra={"openai_chat": {"$form": "function_call"}}),
    )


def test_pieces_of_several_calls_may_come_mixed() -> None:
    pieces = [
        call(index=0, id="a", function={"name": "f", "arguments": ""}),
        call(index=1, id="b", function={"name": "g", "arguments": '{"y":'}),
        call(index=2, id="c", function={"name": "h", "arguments": ""}),
        call(index=0, function={"arguments": '{"x":'}),
        call(index=1, function={"arguments": "2}"}),
        call(index=0, function={"arguments": "1}"}),
        call(index=2, function={"arguments": "{}"}),
    ]
    found = parts(*pieces)
    assert [(part.id, part.arguments) for part in found] == [("a", '{"x":1}'), ("b", '{"y":2}'), ("c", "{}")]


def test_a_call_that_waits_is_told_as_soon_as_the_one_before_it_is_whole() -> None:
    begun = [
        call(index=0, id="a", function={"name": "f", "arguments": '{"x":'}),
        call(index=1, id="b", function={"name": "g", "arguments": '{"y":'}),
    ]
    parser = OPENAI_CHAT.stream_parser()
    told = parser.feed(stream(*map(chunk, begun)))
    told += parser.feed(stream(chunk(call(index=0, function={"arguments": "1}"}))))
    starts = [event.part for event in told if isinstance(event, PartStart)]
    assert [part.id for part in starts if isinstance(part, ToolCall)] == ["a", "b"]


@pytest.mark.parametrize("after", [{"content": "so"}, {"reasoning_content": "hm"}])
def test_calls_that_wait_are_told_before_what_follows_them(after: dict[str, Json]) -> None:
    pieces = [
        call(index=0, id="a", function={"name": "f", "arguments": ""}),
        call(index=1, id="b", function={"name": "g", "arguments": "{}"}),
    ]
    first, second, last = parts(*pieces, after)
    assert (first.id, second.id, second.arguments) == ("a", "b", "{}")
    assert isinstance(last, Text | Reasoning)


def test_arguments_of_a_call_that_was_whole_are_not_put_in_the_wrong_place() -> None:
    pieces = [
        call(index=0, id="a", function={"name": "f", "arguments": "{}"}),
        call(index=1, id="b", function={"name": "g", "arguments": "{}"}),
        call(index=0, function={"arguments": ""}),
    ]
    assert [part.id for part in parts(*pieces)] == ["a", "b"]
    more = call(index=0, function={"arguments": "{}"})
    assert "was whole" in failure(stream(*[chunk(piece) for piece in [*pieces, more]])).message


def test_a_custom_call_and_an_unknown_one_are_kept() -> None:
    custom, unknown = parts(
        call(index=0, id="a", type="custom", custom={"name": "f", "input": ""}),
        call(index=0, custom={"input": "words"}),
        call(index=1, id="b", type="new", new={}, function={"name": "f"}),
    )
    assert (custom.name, custom.arguments) == ("f", "")
    assert isinstance(unknown, Opaque)


def thoughts(*pieces: Json) -> list[tuple[str, str | None]]:
    return [(part.text, part.signature) for part in parts(*pieces) if isinstance(part, Reasoning)]


def entry(**members: Json) -> dict[str, Json]:
    return {"reasoning_details": [{"type": "reasoning.text", **members}]}


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ([{"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "so"}], [("hm", None)]),
        ([{"reasoning": "h"}, {"reasoning": "m", "content": ""}], [("hm", None)]),
        ([{"reasoning": "hm", "reasoning_content": "hm"}], [("hm", None)]),
        ([{"reasoning": "a", "reasoning_content": "b"}], [("b", None), ("a", None)]),
        (
            [{"reasoning_content": "a"}, {"content": "x"}, {"reasoning_content": "b"}],
            [("a", None), ("b", None)],
        ),
        (
            [
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}
                for text in "hm"
            ],
            [("hm", None)],
        ),
        (
            [
                {"reasoning": "h", **entry(text="h", index=0)},
                {"reasoning": "m", **entry(text="m", index=0)},
                entry(signature="sig", index=0),
                entry(text="so", index=0),
                entry(text="!", index=1),
            ],
            [("hm", "sig"), ("so", None), ("!", None)],
        ),
        ([{"reasoning_content": "hm"}, entry(text="hm", signature="sig", index=0)], [("hm", "sig")]),
        (
            [
                {"reasoning_content": "a"},
                {"content": "x"},
                entry(text="a", index=0),
                {"reasoning_content": "b"},
            ],
            [("a", None), ("b", None)],
        ),
        (
            [
                {"reasoning_details": [{"type": "reasoning.encrypted", "data": data, "index": 0}]}
                for data in "xy"
            ],
            [("", "x"), ("", "y")],
        ),
        (
            [{"reasoning_details": [{"type": "reasoning.summary", "summary": s, "index": 0}]} for s in "hm"],
            [("hm", None)],
        ),
        ([{"reasoning_details": [{"type": "reasoning.new"}]}], []),
    ],
)
def test_thoughts_are_understood_whoever_shows_them(
    pieces: list[Json], found: list[tuple[str, str | None]]
) -> None:
    assert thoughts(*pieces) == found


def test_what_comes_seldom_is_understood() -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}}
    text, refusal, image, transcript, audio = parts(
        {"content": "a"},
        {"annotations": [citation]},
        {"refusal": "n"},
        {"refusal": "o"},
        {"images": [IMAGE]},
        {"audio": {"id": "audio_1", "transcript": "hel"}},
        {"audio": {"transcript": "lo", "data": "AA"}},
        {"audio": {"data": "AA", "expires_at": 9}},
    )
    assert text.citations[0].url == "u"
    assert refusal == Refusal("no")
    assert (image.kind, image.data) == ("image", PNG)
    assert transcript.text == "hello"
    assert (audio.data, audio.extra["openai_chat"]["expires_at"]) == ("AAAA", 9)


def test_what_is_left_over_is_kept_with_the_candidate_or_the_answer() -> None:
    response = read(
        chunk({"content": "hi", "new": 1}, x_groq={"id": "req"}, obfuscation="xyz"),
        chunk({"annotations": [{"type": "new"}]}, citations=["u"]),
        chunk({}, "eos", x_groq={"id": "req", "usage": USAGE})
        | {"choices": [{"index": 0, "delta": {}, "finish_reason": "eos", "native_finish_reason": "EOS"}]},
        DONE,
    )
    assert response.extra == {"openai_chat": {"x_groq": {"id": "req"}, "citations": ["u"]}}
    assert response.usage == Usage(3, 4)
    candidate = response.candidates[0]
    assert candidate.stop is Stop.OTHER
    assert candidate.extra == {
        "openai_chat": {
            "message.new": 1,
            "message.annotations": [{"type": "new"}],
            "native_finish_reason": "EOS",
            "finish_reason": "eos",
            "$stop": "eos",
        }
    }


def test_log_probabilities_go_with_their_words() -> None:
    likely = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}
    one = chunk({"content": "a"})
    one["choices"][0]["logprobs"] = likely
    response = read(one, chunk({}, "stop"), DONE)
    assert [(token.token, token.logprob) for token in response.candidates[0].logprobs] == [("a", -0.5)]
    told = rendered(explode(response))
    assert [one["choices"][0]["logprobs"] for one in told[:-1] if one["choices"][0]["logprobs"]] == [likely]
