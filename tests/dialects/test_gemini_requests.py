"""Gemini's requests: what comes in goes out as it came, and what is wrong is told where."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest
from madang.core.messages import Media, Message, Opaque, Reasoning, Refusal, Text, ToolCall
from madang.core.requests import Request
from madang.dialects.gemini import GEMINI
from tests.dialects import hub
from tests.dialects.bad_gemini import BAD_REQUESTS
from tests.dialects.gemini_wire import again, asked, parts_of, rendered, request, said
from tests.dialects.laws import difference

_leaf = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.just(0.5), st.sampled_from(("", "model", "AUTO"))
)
_names = st.sampled_from(
    (
        "contents",
        "parts",
        "role",
        "text",
        "thought",
        "thoughtSignature",
        "inline_data",
        "data",
        "functionCall",
        "functionResponse",
        "name",
        "args",
        "response",
        "systemInstruction",
        "tools",
        "functionDeclarations",
        "parameters",
        "items",
        "type",
        "toolConfig",
        "functionCallingConfig",
        "mode",
        "generationConfig",
        "thinkingConfig",
        "responseSchema",
        "stopSequences",
        "model",
    )
)
_json = st.recursive(
    _leaf,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=4)),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "code", "param"), [row[1:] for row in BAD_REQUESTS], ids=[r[0] for r in BAD_REQUESTS]
)
def test_a_bad_request_is_told_where_it_is_wrong(body: object, code: str, param: str | None) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadRequest) as found:
        GEMINI.parse_request(raw, "gemini-3-pro", None)
    assert (found.value.code, found.value.param) == (code, param)
    assert len(found.value.message) > 20


def test_a_model_must_be_named_in_path_or_body() -> None:
    body = json.dumps({"contents": [said("hi")]}).encode()
    with pytest.raises(BadRequest) as found:
        GEMINI.parse_request(body, None, None)
    assert (found.value.code, found.value.param) == ("missing_parameter", "model")


@given(_json)
def test_any_json_is_a_request_or_a_bad_one(value: object) -> None:
    for body in (
        value,
        {"contents": value},
        {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": value},
    ):
        try:
            found = GEMINI.parse_request(json.dumps(body).encode(), "m", None)
        except BadRequest:
            continue
        assert GEMINI.render_request(found, "m").startswith(b"{")


@given(hub.requests(opaque=hub.DIALECTS, shuffled=True, broken_arguments=True))
def test_any_request_of_ours_is_rendered_as_one_that_can_be_read(made_up: Request) -> None:
    body = GEMINI.render_request(made_up, "gemini-3-pro")
    found = GEMINI.parse_request(body, "gemini-3-pro", made_up.stream)
    assert difference(body, GEMINI.render_request(found, "gemini-3-pro")) is None


SAME: dict[str, Any] = {
    "camel case": {"contents": [said({"inlineData": {"mimeType": "image/png", "data": "aGk="}})]},
    "snake case": {
        "system_instruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            said({"inline_data": {"mime_type": "image/png", "data": "aGk=", "display_name": "a"}}),
            said({"file_data": {"file_uri": "gs://a/b.pdf", "mime_type": "application/pdf"}}),
            said({"function_call": {"name": "f", "args": {}}, "thought_signature": "c2ln"}, role="model"),
            said({"function_response": {"name": "f", "response": {"output": "x"}}}),
        ],
        "generation_config": {
            "max_output_tokens": 5,
            "thinking_config": {"thinking_budget": 5, "include_thoughts": True},
            "response_mime_type": "application/json",
            "response_schema": {"type": "STRING"},
            "speech_config": {"a": 1},
        },
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f", "g"]}},
        "tools": [{"function_declarations": [{"name": "f"}]}, {"google_search": {}}],
        "safety_settings": [],
        "cached_content": "c",
    },
    "both cases": {
        "contents": [said({"inlineData": {"mime_type": "image/png", "data": "aGk="}})],
        "generationConfig": {"top_p": 0.5, "topK": 3},
    },
    "objects for lists": {
        "contents": {"role": "user", "parts": {"text": "hi"}},
        "systemInstruction": {"parts": {"text": "be brief"}},
        "tools": {"codeExecution": {}},
    },
    "no role": {"contents": [{"parts": [{"text": "hi"}]}]},
    "a null role": {"contents": [{"role": None, "parts": [{"text": "hi"}]}]},
    "the function role": {
        "contents": [said({"functionResponse": {"name": "f", "response": {}}}, role="function")]
    },
    "no parts": {
        "contents": [{"role": "user"}, {"role": "user", "parts": []}, {"role": "model", "parts": None}]
    },
    "nulls": {
        "contents": [said("hi")],
        "tools": None,
        "toolConfig": None,
        "generationConfig": {"seed": None},
    },
    "an empty config": {"contents": [said("hi")], "generationConfig": {}, "toolConfig": {}, "tools": []},
    "a model in the body": {"model": "models/gemini-3-pro", "contents": [said("hi")]},
    "a bare model in the body": {"model": "gemini-3-pro", "contents": [said("hi")]},
    "unknown members": {
        "contents": [{**said({"text": "hi", "new": 1}), "new": 2}],
        "new": {"a": [1]},
        "generationConfig": {"new": 3, "contents": 4, "labels": 5},
        "labels": {"team": "a"},
    },
    "a system instruction as text": {"systemInstruction": "be brief", "contents": [said("hi")]},
    "a system instruction with a role": {
        "systemInstruction": {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        "contents": [said("hi")],
    },
    "neighbours": {"contents": [said("a"), said("b"), said("c", role="model"), said("d", role="model")]},
    "all settings": {
        "contents": [said("hi")],
        "generationConfig": {
            "temperature": 1.5,
            "topP": 0.5,
            "topK": 40,
            "candidateCount": 2,
            "maxOutputTokens": 100,
            "stopSequences": ["a", "b"],
            "seed": 7,
            "presencePenalty": 0.5,
            "frequencyPenalty": -0.5,
            "responseLogprobs": True,
            "logprobs": 3,
            "responseModalities": ["AUDIO"],
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "speechConfig": {"voiceConfig": {}},
        },
        "serviceTier": "priority",
    },
    "plain modalities": {"contents": [said("hi")], "generationConfig": {"responseModalities": ["TEXT"]}},
    "URL-safe base64": {
        "contents": [
            said({"inlineData": {"mimeType": "image/png", "data": "_-8="}}),
            said({"text": "hm", "thought": True, "thoughtSignature": "a-_b"}, role="model"),
            said({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "a-_b"}, role="model"),
        ]
    },
    "thoughts": {
        "contents": [
            said(
                {"text": "hm", "thought": True},
                {"thought": True, "thoughtSignature": "c2ln"},
                {"thought": True, "text": "", "thoughtSignature": "c2ln"},
                {"thought": True, "text": ""},
                {"text": "so", "thoughtSignature": "c2ln", "thought": False},
                {"text": "", "thoughtSignature": "c2ln"},
                role="model",
            )
        ]
    },
    "what only Google knows": {
        "contents": [
            said(
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
                {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True},
                {"functionCall": {"willContinue": True}},
                {},
                role="model",
            )
        ]
    },
    "a film with its cut": {
        "contents": [
            said(
                {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"start_offset": "1s"}},
                {
                    "fileData": {"fileUri": "https://a.b/c.png", "mimeType": "image/png"},
                    "mediaResolution": {},
                },
            )
        ]
    },
    "plain text as data": {
        "contents": [
            said({"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(b"hi").decode()}})
        ]
    },
    "an unsigned call": {
        "contents": [
            said("hi"),
            said(
                {
                    "functionCall": {"name": "f"},
                    "thoughtSignature": "skip_thought_signature_validator",
                },
                role="model",
            ),
        ]
    },
}


@pytest.mark.parametrize("name", SAME)
def test_a_request_comes_out_as_it_went_in(name: str) -> None:
    assert again(SAME[name]) == SAME[name]


def test_a_body_keeps_its_form_of_model_and_gets_the_targets_name() -> None:
    assert rendered(_named("models/a"), "b")["model"] == "models/b"
    assert rendered(_named("a"), "b")["model"] == "b"
    assert "model" not in rendered(request(), "b")


def _named(name: str) -> Request:
    return GEMINI.parse_request(json.dumps({"model": name, "contents": [said("hi")]}).encode(), None, None)


def test_the_model_of_the_body_counts_where_the_path_says_none() -> None:
    assert _named("models/a").model == "a"


def test_media_are_known_by_their_type() -> None:
    found = parts_of(
        request(
            said(
                {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
                {"inlineData": {"mimeType": "application/pdf", "data": "_-8="}},
                {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
                {"fileData": {"fileUri": "https://youtu.be/x"}},
                {"fileData": {"fileUri": "https://a.b/c.webp?x=1"}},
                {"fileData": {"fileUri": "https://a.b/v1beta/files/x1", "mimeType": "image/png"}},
                {"fileData": {"fileUri": "gs://a/b", "mimeType": "video/mp4", "displayName": "b"}},
            )
        )
    )
    media = [part for part in found if isinstance(part, Media)]
    assert [(one.kind, one.data, one.text, one.url, one.file_id, one.name) for one in media] == [
        ("audio", "aGk=", None, None, None, None),
        ("document", "/+8=", None, None, None, None),
        ("document", None, "hi", None, None, None),
        ("video", None, None, "https://youtu.be/x", None, None),
        ("image", None, None, "https://a.b/c.webp?x=1", None, None),
        ("image", None, None, None, "https://a.b/v1beta/files/x1", None),
        ("video", None, None, None, "gs://a/b", "b"),
    ]


def test_media_from_elsewhere_get_a_type_that_keeps_their_kind() -> None:
    body = rendered(
        asked(
            Message(
                "user",
                (
                    Media(kind="image", url="https://a.b/c.png"),
                    Media(kind="image", url="https://a.b/c"),
                    Media(kind="audio", url="https://a.b/c.pdf"),
                    Media(kind="document", text="안녕", name="a.txt"),
                    Media(kind="document", data="aGk=", name="a.md"),
                    Media(kind="video", file_id="files/x"),
                ),
            )
        )
    )
    inner = [next(iter(part.values())) for part in body["contents"][0]["parts"]]
    assert [one["mimeType"] for one in inner] == [
        "image/png",
        "image/jpeg",
        "audio/mp3",
        "text/plain",
        "text/markdown",
        "video/mp4",
    ]
    assert base64.b64decode(inner[3]["data"]).decode() == "안녕"
    assert not any("displayName" in one for one in inner), "the Gemini API refuses it"


def test_system_messages_are_put_together_before_the_conversation() -> None:
    body = rendered(
        asked(
            Message("system", (Text("a"),)),
            Message("user", (Text("hi"),)),
            Message("developer", (Text("b"),)),
            Message("assistant", (Text("yes"),)),
        )
    )
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [said("hi"), said("yes", role="model")]


def test_texts_of_no_words_that_others_let_pass_are_left_out() -> None:
    body = rendered(
        asked(
            Message("system", (Text(""),)),
            Message("user", (Text("hi"), Text(""))),
            Message("assistant", (Text(""), ToolCall(id="call_1", name="f", arguments="{}"))),
        ),
        "gemini-2.0-flash",
    )
    assert "systemInstruction" not in body
    assert [list(part) for content in body["contents"] for part in content["parts"]] == [
        ["text"],
        ["functionCall"],
    ]


def test_neighbours_of_another_dialect_become_one_message() -> None:
    body = rendered(
        asked(
            Message("user", (Text("a"),)),
            Message("assistant", (Text("b"),)),
            Message("assistant", (Refusal("c"), Opaque("anthropic", {"type": "x"}))),
            Message("assistant", (Opaque("anthropic", {"type": "x"}),)),
            Message("user", (Text("d"),)),
        )
    )
    assert body["contents"] == [said("a"), said("b", "c", role="model"), said("d")]


def test_own_thoughts_go_back_and_those_of_others_do_not() -> None:
    own = request(said("hi"), said({"text": "hm", "thought": True}, "so", role="model"))
    assert rendered(own)["contents"][1]["parts"] == [{"text": "hm", "thought": True}, {"text": "so"}]
    foreign = (
        Reasoning(text="hm"),
        Reasoning(text="hm", signature="s", signer="anthropic"),
        Reasoning(signature="s", signer="anthropic", redacted=True),
        Reasoning(text="mine", signature="c2ln", signer="gemini"),
        Text("so"),
    )
    assert rendered(asked(Message("assistant", foreign)))["contents"][0]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "so"},
    ]


def test_an_endpoint_is_named_for_the_model_and_the_stream() -> None:
    whole, streamed = GEMINI.endpoint("gemini-3-pro", False), GEMINI.endpoint("gemini-3-pro", True)
    assert (whole.path, whole.query) == ("/v1beta/models/gemini-3-pro:generateContent", b"")
    assert (streamed.path, streamed.query) == (
        "/v1beta/models/gemini-3-pro:streamGenerateContent",
        b"alt=sse",
    )
    assert GEMINI.endpoint("tunedModels/x", False).path == "/v1beta/tunedModels/x:generateContent"


def test_notes_of_form_hold_no_words() -> None:
    """A guard that rewrites a text must find it nowhere else."""
    secret = "my number is 12-34"
    found = request(
        said(
            secret,
            {"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(secret.encode()).decode()}},
        ),
        said(
            {"text": secret, "thought": True},
            {"functionCall": {"name": "f", "args": {"a": secret}}},
            role="model",
        ),
        said({"functionResponse": {"name": "f", "response": {"a": secret}}}),
        systemInstruction=secret,
    )
    extras = [found.extra, *[message.extra for message in found.messages]]
    extras += [part.extra for part in parts_of(found) if not isinstance(part, Opaque)]
    assert secret not in json.dumps(extras)


def test_the_id_of_a_call_is_the_same_every_time() -> None:
    contents = [
        said("hi"),
        said(
            {"functionCall": {"name": "f", "args": {"a": 1}}},
            {"functionCall": {"name": "f", "args": {"a": 1}}},
            role="model",
        ),
    ]
    first, second = (
        [part.id for part in parts_of(request(*contents)) if isinstance(part, ToolCall)] for _ in "ab"
    )
    assert first == second
    assert len(set(first)) == 2
