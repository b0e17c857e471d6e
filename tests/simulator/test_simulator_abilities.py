"""What chat completions do by the model's name and by what comes with the question."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from tests.simulator.desk import Desk, answer_of, chat_of, events_of

_CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time"}}
_WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather"}}
_AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
_FILE = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}}
_IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def _thought(answer: Any) -> int:
    return int(answer["usage"]["completion_tokens_details"]["reasoning_tokens"])


def _refused(desk: Desk, **fields: object) -> Any:
    plan = desk.plan(chat_of("Hello", **fields))
    assert plan.status == 400
    return answer_of(plan)["error"]


@pytest.mark.parametrize(
    ("model", "effort", "spent"),
    [
        ("gpt-5-nano", None, 192),
        ("o3", None, 192),
        ("gpt-5.2", None, 0),
        ("gpt-5.2", "high", 640),
        ("gpt-5.6-luna", "max", 2560),
        ("gpt-4o", None, 0),
    ],
)
def test_models_think_as_their_name_and_the_request_say(
    desk: Desk, model: str, effort: str | None, spent: int
) -> None:
    assert _thought(desk.chat(model=model, reasoning_effort=effort)) == spent
    assert _thought(desk.chat(model=model, reasoning_effort=effort, n=1)) == spent


def test_models_that_think_want_the_newer_name_of_the_limit(desk: Desk) -> None:
    error = _refused(desk, model="gpt-5-nano", max_tokens=5)
    assert (error["param"], error["code"]) == ("max_tokens", "unsupported_parameter")
    assert error["message"].endswith("Use 'max_completion_tokens' instead.")
    assert desk.plan(chat_of(model="gpt-5-nano", max_completion_tokens=500)).status == 200


def test_models_that_think_leave_no_choice_of_temperature(desk: Desk) -> None:
    error = _refused(desk, model="o3", temperature=0.5)
    assert error["message"] == (
        "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value "
        "is supported."
    )
    assert _refused(desk, model="o3", top_p=0.5)["code"] == "unsupported_parameter"
    assert desk.plan(chat_of(model="gpt-5.2", temperature=0.5)).status == 200
    assert desk.plan(chat_of(model="o3", temperature=1)).status == 200


def test_a_long_beginning_is_cached_the_second_time(desk: Desk) -> None:
    rules = {"role": "system", "content": "Be kind. " * 600}

    def cached(question: str, **fields: object) -> int:
        body = {"model": "m", "messages": [rules, {"role": "user", "content": question}], **fields}
        return int(answer_of(desk.plan(body))["usage"]["prompt_tokens_details"]["cached_tokens"])

    assert [cached("One?"), cached("Two?"), cached("Two?", model="other")] == [0, 1280, 0]
    streamed = chat_of("Be kind. " * 600, stream=True, stream_options={"include_usage": True})
    desk.plan(streamed)
    usage = events_of(desk.plan(streamed))[-2]["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1280


def test_a_short_prompt_is_never_cached(desk: Desk) -> None:
    answers = [desk.chat("Hello")["usage"]["prompt_tokens_details"]["cached_tokens"] for _ in range(2)]
    assert answers == [0, 0]


@pytest.mark.parametrize(
    ("parts", "told"), [([_AUDIO], "1 (audio)"), ([_FILE], "1 (file)"), ([_IMAGE, _FILE], "2 (file, image)")]
)
def test_what_is_attached_is_named(desk: Desk, parts: list[object], told: str) -> None:
    content = [{"type": "text", "text": "What is this?"}, *parts]
    answer = answer_of(desk.plan({"model": "m", "messages": [{"role": "user", "content": content}]}))
    assert answer["choices"][0]["message"]["content"].startswith(f"Attachments received: {told}. ")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AAAA"}}, "input_audio.format"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "ogg"}}, "input_audio.format"),
        ({"type": "file", "file": {"filename": "a"}}, "file.file_data"),
    ],
)
def test_an_attachment_has_to_be_whole(desk: Desk, part: object, param: str) -> None:
    plan = desk.plan({"model": "m", "messages": [{"role": "user", "content": [part]}]})
    assert plan.status == 400
    assert answer_of(plan)["error"]["param"] == f"messages[0].content[0].{param}"


def test_only_allowed_tools_are_called(desk: Desk) -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "clock"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    answer = desk.chat("weather", tools=[_WEATHER, _CLOCK], tool_choice=choice)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "clock"
    unknown = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "nobody"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": unknown}
    assert _refused(desk, tools=[_CLOCK], tool_choice=choice)["param"] == "tool_choice"


def test_verbosity_makes_answers_longer(desk: Desk) -> None:
    sizes = [desk.chat(verbosity=word)["usage"]["completion_tokens"] for word in ("low", "medium", "high")]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_fast_is_served_as_priority(desk: Desk) -> None:
    assert desk.chat(service_tier="fast")["service_tier"] == "priority"


@pytest.mark.parametrize(
    ("metadata", "param"), [({"a": 1}, "metadata.a"), ({"a": "x" * 513}, "metadata.a"), ([], "metadata")]
)
def test_metadata_is_checked(desk: Desk, metadata: object, param: str) -> None:
    assert _refused(desk, metadata=metadata)["param"] == param


def test_embeddings_come_packed_and_as_short_as_wanted(desk: Desk) -> None:
    def vector(**fields: object) -> Any:
        body = {"model": "text-embedding-3-small", "input": "lantern", **fields}
        return answer_of(desk.plan(body, "/v1/embeddings"))["data"][0]["embedding"]

    plain = vector(dimensions=256)
    packed = base64.b64decode(vector(dimensions=256, encoding_format="base64"))
    assert struct.unpack("<256f", packed) == pytest.approx(plain, rel=1e-6)
    assert len(vector()) == 1536


@pytest.mark.parametrize(
    ("model", "size"), [("text-embedding-3-small", 1537), ("text-embedding-ada-002", 100), ("m", 4000)]
)
def test_no_model_makes_other_lengths_than_it_can(desk: Desk, model: str, size: int) -> None:
    body = {"model": model, "input": "x", "dimensions": size}
    assert desk.plan(body, "/v1/embeddings").status == 400
