"""What clients do with an answer besides reading its words: cut a conversation short, insist on a member.

Claude Code and Codex find out from an error alone that a prompt was too long for its model. The SDK of Vercel
reads answers by a schema of its own and throws all of an answer away that does not fit it, also where the
types of OpenAI would have forgiven that.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.errors import ProviderError
from madang.core.events import collect, explode
from madang.core.messages import Citation, Part, Refusal, Text
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.base import Answering
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.sse import Splitter, data_of
from tests.dialects.hub import DIALECTS
from tests.dialects.laws import parse, render

ASKED = Answering(request=Request(model="m", messages=()), id="answer-1", created=1_700_000_000)


def whole(dialect: str, response: Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CODECS[dialect].render_response(response, ASKED))
    return found


def streamed(dialect: str, response: Response) -> list[dict[str, Any]]:
    said = render(CODECS[dialect], explode(response), ASKED)
    return [json.loads(data) for data in map(data_of, Splitter().feed(said)) if data not in (b"", b"[DONE]")]


def answer(*parts: Part, stop: Stop = Stop.END, usage: Usage | None = None) -> Response:
    return Response(id="a", model="m", candidates=(Candidate(parts=parts, stop=stop),), usage=usage)


# A prompt that is too long


def flat(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


PROMPTS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "OpenAI": (
        "openai_chat",
        400,
        flat("This model's maximum context length is 128000 tokens.", code="context_length_exceeded"),
    ),
    "OpenAI's responses": (
        "openai_responses",
        400,
        flat("Your input exceeds the context window of this model.", code="context_length_exceeded"),
    ),
    "vLLM": (
        "openai_chat",
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000.",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "llama.cpp": (
        "openai_chat",
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size. try increasing it",
                "type": "exceed_context_size_error",
            }
        },
    ),
    "Groq": ("openai_chat", 400, flat("Please reduce the length.", code="context_length_exceeded")),
    "Mistral": (
        "openai_chat",
        400,
        {
            "object": "error",
            "message": "Prompt contains 40005 tokens, too large for model with 32768 maximum context length",
            "type": "invalid_request_prompt",
            "code": "3051",
        },
    ),
    "xAI": (
        "openai_responses",
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        },
    ),
    "Anthropic": (
        "anthropic",
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "prompt is too long: 211000 tokens > 200000 maximum",
            },
        },
    ),
    "Amazon": ("anthropic", 400, {"message": "Input is too long for requested model."}),
    "Google": (
        "gemini",
        400,
        {
            "error": {
                "code": 400,
                "message": "The input token count (1200000) exceeds the maximum number of tokens allowed.",
                "status": "INVALID_ARGUMENT",
            }
        },
    ),
}


@pytest.mark.parametrize("who", PROMPTS)
def test_agents_hear_that_a_prompt_was_too_long_in_the_words_they_wait_for(who: str) -> None:
    dialect, status, body = PROMPTS[who]
    problem = CODECS[dialect].parse_error(status, json.dumps(body).encode())
    assert (problem.code, problem.status) == ("context_length_exceeded", status)
    said = json.loads(CODECS["anthropic"].render_error(problem, "r"))["error"]
    assert "prompt is too long" in said["message"].lower()
    assert said["message"].lower().count("prompt is too long") == 1
    assert problem.message in said["message"]
    for client in ("openai_chat", "openai_responses"):
        error = json.loads(CODECS[client].render_error(problem, "r"))["error"]
        assert error["code"] == "context_length_exceeded"
        assert error["message"] == problem.message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_other_errors_are_not_taken_for_one_of_length(dialect: str) -> None:
    for status, message in (
        (429, "Request too large: tokens per minute, limit 6000. See your context window."),
        (400, "max_tokens: 200000 > 64000, which is the maximum allowed number of output tokens"),
        (400, "messages.0.content: String should have at most 100 characters, it is too long"),
        (500, "maximum context length"),
    ):
        problem = CODECS[dialect].parse_error(status, json.dumps(flat(message)).encode())
        assert problem.code != "context_length_exceeded"
        assert "prompt is too long" not in CODECS["anthropic"].render_error(problem, "r").decode()


def test_a_stream_that_broke_for_its_length_says_so_to_codex() -> None:
    problem = ProviderError(
        "Too much.", status=400, kind="invalid_request_error", code="context_length_exceeded"
    )
    assert b"context_length_exceeded" in CODECS["openai_responses"].render_stream_error(problem, "r")
    assert b"prompt is too long: Too much." in CODECS["anthropic"].render_stream_error(problem, "r")


# What an SDK insists on


def test_a_response_always_tells_how_many_tokens_it_took() -> None:
    for told in (
        whole("openai_responses", answer(Text("a"))),
        streamed("openai_responses", answer(Text("a")))[-1]["response"],
    ):
        usage = told["usage"]
        assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (0, 0, 0)
        # A gateway behind this one knows that nothing was said.
        assert CODECS["openai_responses"].parse_response(json.dumps(told).encode()).usage is None
    assert whole("openai_responses", answer(Text("a"), usage=Usage(3, 4)))["usage"]["total_tokens"] == 7


@pytest.mark.parametrize("stop", Stop)
def test_a_response_that_was_cut_says_why(stop: Stop) -> None:
    for told in (
        whole("openai_responses", answer(Text("a"), stop=stop)),
        streamed("openai_responses", answer(Text("a"), stop=stop))[-1]["response"],
    ):
        details = told["incomplete_details"]
        if told["status"] == "incomplete":
            assert details["reason"] in ("max_output_tokens", "content_filter")
        else:
            assert (told["status"], details) == ("completed", None)


@pytest.mark.parametrize("stop", Stop)
@pytest.mark.parametrize("parts", [(Text("a"),), (Refusal("no"),)])
def test_the_items_of_a_stream_end_as_the_whole_answers_do(stop: Stop, parts: tuple[Part, ...]) -> None:
    events = streamed("openai_responses", answer(*parts, stop=stop))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    states = [item["status"] for item in whole("openai_responses", answer(*parts, stop=stop))["output"]]
    assert [item["status"] for item in done] == states


def test_a_page_without_a_title_has_an_empty_one_for_a_client_of_anthropic() -> None:
    cited = answer(Text("It rains.", (Citation(url="https://example.com/a", start=0, end=9),)))
    [block] = whole("anthropic", cited)["content"]
    assert block["citations"][0]["title"] == ""
    client = CODECS["anthropic"]
    for back in (
        client.parse_response(client.render_response(cited, ASKED)),
        collect(parse(client, [render(client, explode(cited), ASKED)])),
    ):
        [part] = back.candidates[0].parts
        assert isinstance(part, Text)
        assert part.citations[0].title is None


def test_what_has_no_address_is_no_page_of_the_web_for_a_client_of_google() -> None:
    cited = answer(Text("It rains.", (Citation(title="Almanac", start=0, end=9),)))
    for told in ([whole("gemini", cited)], streamed("gemini", cited)):
        found = [one["candidates"][0]["groundingMetadata"] for one in told if "grounding" in json.dumps(one)]
        assert [one["groundingChunks"] for one in found] == [[{"retrievedContext": {"title": "Almanac"}}]]
