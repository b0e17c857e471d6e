"""Gemini's generateContent without sockets: text, streams, stops, usage, thoughts, grounding, code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.simulator import Match, Options, Rule, Scenario, Scripted, ScriptedCall, ScriptedEvent
from madang.simulator.journal import Journal
from madang.simulator.request import Request
from madang.simulator.scenario import ScriptedUsage
from tests.simulator.desk import answer_of, headers_of, sent, unchunked
from tests.simulator.dialect_desks import PIXEL, GeminiDesk, events

_THREE = "gemini-3.5-flash"
_USAGE = ScriptedUsage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=2, cached_tokens=3)
_SHOWN: Any = {"thinkingConfig": {"includeThoughts": True}}
_SCHEMA: Any = {"type": "OBJECT", "properties": {"age": {"type": "INTEGER", "minimum": 3, "maximum": 4}}}


@pytest.fixture
def desk() -> GeminiDesk:
    return GeminiDesk()


def _parts(answer: Any, at: int = 0) -> list[Any]:
    return list(answer["candidates"][at]["content"].get("parts", []))


def _text(answer: Any, at: int = 0) -> str:
    return "".join(part["text"] for part in _parts(answer, at) if "text" in part and "thought" not in part)


def _finish(answer: Any) -> str:
    return str(answer["candidates"][0]["finishReason"])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": _THREE},
        {"model": _THREE, "generationConfig": _SHOWN},
        {"generationConfig": {"maxOutputTokens": 30}},
        {"generationConfig": {"maxOutputTokens": 5}},
        {"tools": [{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}], "asked": "a and b"},
        {"tools": [{"googleSearch": {}}]},
        {"model": _THREE, "tools": [{"codeExecution": {}}]},
        {"generationConfig": {"candidateCount": 3}},
        {"model": "sim-finish-SAFETY"},
        {"model": "sim-refuse"},
    ],
)
def test_a_stream_adds_up_to_the_whole_answer(fields: dict[str, Any]) -> None:
    desk = GeminiDesk(Options(frozen_time=True))
    whole = desk.content(**fields)
    chunks = desk.chunks(**fields)
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]
    for at, candidate in enumerate(whole.get("candidates", [])):
        mine = [one for chunk in chunks for one in chunk["candidates"] if one["index"] == at]
        parts = [part for one in mine for part in one.get("content", {}).get("parts", [])]
        theirs = candidate.get("content", {}).get("parts", [])
        said = [part["text"] for part in parts if "text" in part]
        assert "".join(said) == "".join(part["text"] for part in theirs if "text" in part)
        calls = [part["functionCall"]["name"] for part in parts if "functionCall" in part]
        assert calls == [part["functionCall"]["name"] for part in theirs if "functionCall" in part]
        assert [one["finishReason"] for one in mine if "finishReason" in one] == [candidate["finishReason"]]
        assert "finishReason" in mine[-1]


def test_a_stream_is_events_or_an_array_as_asked_for(desk: GeminiDesk) -> None:
    array = desk.generate(method="streamGenerateContent")
    assert headers_of(array)["content-type"] == "application/json; charset=UTF-8"
    items = json.loads(unchunked(sent(array).partition(b"\r\n\r\n")[2]))
    told = [item["candidates"] for item in items]
    assert told == [chunk["candidates"] for chunk in desk.chunks()]
    sse = desk.generate(method="streamGenerateContent", query="alt=sse")
    assert headers_of(sse)["content-type"] == "text/event-stream"
    assert b"\r\n\r\ndata: " in unchunked(sent(sse).partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_array_ends_whole_even_with_an_error_in_it(desk: GeminiDesk, at: int) -> None:
    plan = desk.generate(model=f"sim-error-after-{at}+error-503", method="streamGenerateContent")
    items = json.loads(unchunked(sent(plan).partition(b"\r\n\r\n")[2]))
    assert [next(iter(item)) for item in items] == ["candidates"] * at + ["error"]
    assert items[-1]["error"]["code"] == 503


def test_an_array_can_be_pinged_between_its_items(desk: GeminiDesk) -> None:
    pinged = desk.generate(model="sim-ping-1", method="streamGenerateContent")
    assert len(json.loads(unchunked(sent(pinged).partition(b"\r\n\r\n")[2]))) > 10


def test_a_stream_can_break_off_or_end_in_an_error(desk: GeminiDesk) -> None:
    last = desk.chunks(model="sim-error-after-2+error-429+retry-after-7")[-1]["error"]
    assert (last["code"], last["status"]) == (429, "RESOURCE_EXHAUSTED")
    cut = desk.generate(model="sim-cut-after-3", method="streamGenerateContent", query="alt=sse")
    assert cut.fault == "cut"
    bad = desk.generate(model="sim-bad-json-after-1", method="streamGenerateContent", query="alt=sse")
    assert [data for _, data in events(bad)][1].endswith('"par')


def test_the_same_question_gets_the_same_words(desk: GeminiDesk) -> None:
    assert _text(desk.content()) == _text(GeminiDesk().content()) == _text(desk.content())
    said = [_text(desk.content(generationConfig={"seed": seed})) for seed in (1, 2, 3, 4, 1)]
    assert said[0] == said[-1]
    assert len(set(said)) > 1


def test_both_spellings_and_single_items_are_understood(desk: GeminiDesk) -> None:
    plan = desk.post(
        {
            "contents": {"parts": {"text": "one two three four five six"}},
            "system_instruction": {"parts": {"text": "Be kind."}},
            "generation_config": {"max_output_tokens": "27", "stop_sequences": ["zebra"]},
        },
        "/v1/models/sim-echo:generateContent",
    )
    assert _text(answer_of(plan)) == "one two three"
    assert _finish(answer_of(plan)) == "MAX_TOKENS"


def test_thoughts_use_up_what_may_be_said(desk: GeminiDesk) -> None:
    answer = desk.content(generationConfig={"maxOutputTokens": 10})
    assert _finish(answer) == "MAX_TOKENS"
    assert answer["candidates"][0]["content"] == {"role": "model"}
    assert answer["usageMetadata"]["thoughtsTokenCount"] == 10


def test_thoughts_are_counted_always_and_shown_if_asked_for(desk: GeminiDesk) -> None:
    hidden, shown = desk.content(), desk.content(generationConfig=_SHOWN)
    assert hidden["usageMetadata"]["thoughtsTokenCount"] == 24
    assert all("thought" not in part for part in _parts(hidden))
    assert _parts(shown)[0]["thought"] is True
    assert _text(shown) == _text(hidden)


@pytest.mark.parametrize(
    ("model", "config", "thought"),
    [
        ("gemini-2.5-flash", {"thinkingBudget": 0}, 0),
        ("gemini-2.5-flash", {"thinkingBudget": 7}, 7),
        ("gemini-2.5-flash", {"thinkingBudget": -1}, 24),
        ("gemini-3.5-flash", {"thinkingLevel": "low"}, 12),
        ("gemini-3.5-flash", {"thinkingLevel": "HIGH"}, 48),
        ("gemini-2.0-flash", None, 0),
        ("gemini-2.5-flash-lite", None, 0),
        ("gemini-2.5-flash-lite", {"thinkingBudget": -1}, 24),
    ],
)
def test_the_amount_of_thought_can_be_set(desk: GeminiDesk, model: str, config: Any, thought: int) -> None:
    generation = {"thinkingConfig": config} if config else {}
    usage = desk.content(model=model, generationConfig=generation)["usageMetadata"]
    assert usage.get("thoughtsTokenCount", 0) == thought
    said = usage["promptTokenCount"] + usage["candidatesTokenCount"] + thought
    assert usage["totalTokenCount"] == said


def test_the_newest_models_sign_their_last_words(desk: GeminiDesk) -> None:
    assert "thoughtSignature" in _parts(desk.content(model=_THREE))[-1]
    assert "thoughtSignature" not in _parts(desk.content())[-1]
    last = desk.chunks(model=_THREE)[-1]
    assert _parts(last)[0]["text"] == ""
    assert _parts(last)[0]["thoughtSignature"]


@pytest.mark.parametrize(
    "config",
    [
        {"responseMimeType": "application/json", "responseSchema": _SCHEMA},
        {
            "responseMimeType": "application/json",
            "responseJsonSchema": {"properties": {"age": {"enum": [3, 4]}}},
        },
    ],
)
def test_structured_answers_follow_their_schema(desk: GeminiDesk, config: Any) -> None:
    assert json.loads(_text(desk.content(generationConfig=config)))["age"] in (3, 4)


def test_an_answer_can_be_any_json_or_one_word(desk: GeminiDesk) -> None:
    assert json.loads(_text(desk.content(generationConfig={"responseMimeType": "application/json"})))
    word = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["red", "blue"]}}
    assert _text(desk.content(generationConfig=word)) in ("red", "blue")


def test_several_candidates_are_told_apart(desk: GeminiDesk) -> None:
    answer = desk.content(generationConfig={"candidateCount": 3})
    assert [candidate["index"] for candidate in answer["candidates"]] == [0, 1, 2]
    assert len({_text(answer, at) for at in range(3)}) > 1


def test_a_stop_sequence_ends_the_answer_unnamed(desk: GeminiDesk) -> None:
    answer = desk.content("one two three", model="sim-echo", generationConfig={"stopSequences": [" two"]})
    assert (_text(answer), _finish(answer)) == ("one", "STOP")


def test_log_probabilities_come_per_token(desk: GeminiDesk) -> None:
    config = {"responseLogprobs": True, "logprobs": 3}
    candidate = desk.content(model="sim-tokens-4", generationConfig=config)["candidates"][0]
    result = candidate["logprobsResult"]
    assert len(result["chosenCandidates"]) == len(result["topCandidates"]) == 4
    assert len(result["topCandidates"][0]["candidates"]) == 3
    assert candidate["avgLogprobs"] <= 0


def test_what_is_unsafe_is_stopped_on_demand(desk: GeminiDesk) -> None:
    stopped = desk.content(model="sim-finish-SAFETY")["candidates"][0]
    assert stopped["finishReason"] == "SAFETY"
    assert stopped["safetyRatings"][0]["blocked"] is True
    blocked = desk.content(model="sim-refuse")
    assert blocked["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in blocked
    assert desk.content(model="sim-finish-recitation")["candidates"][0]["finishReason"] == "RECITATION"


def test_a_search_grounds_the_answer(desk: GeminiDesk) -> None:
    answer = desk.content("Who won?", tools=[{"googleSearch": {}}])
    metadata = answer["candidates"][0]["groundingMetadata"]
    support = metadata["groundingSupports"][0]
    assert _text(answer).encode()[: support["segment"]["endIndex"]].decode() == support["segment"]["text"]
    assert len(metadata["groundingChunks"]) == 2
    assert answer["usageMetadata"]["toolUsePromptTokenCount"] == 60
    assert "groundingMetadata" in desk.chunks("Who won?", tools=[{"google_search": {}}])[-1]["candidates"][0]


def test_code_is_run_and_shown(desk: GeminiDesk) -> None:
    code, result, _ = _parts(desk.content(model=_THREE, tools=[{"codeExecution": {}}]))
    assert code["executableCode"]["language"] == "PYTHON"
    assert result["codeExecutionResult"] == {
        "outcome": "OUTCOME_OK",
        "output": "42\n",
        "id": code["executableCode"]["id"],
    }
    older = _parts(desk.content(tools=[{"codeExecution": {}}]))
    assert "id" not in older[0]["executableCode"]


def test_pictures_are_noticed_and_counted(desk: GeminiDesk) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    page = {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/a.pdf"}}
    answer = desk.content([{"role": "user", "parts": [{"text": "What?"}, image, page]}])
    assert "Attachments received: 2 (file, image)." in _text(answer)
    details = {one["modality"]: one["tokenCount"] for one in answer["usageMetadata"]["promptTokensDetails"]}
    assert details == {"TEXT": 2, "IMAGE": 258, "DOCUMENT": 258}


def test_counting_tokens_counts_what_an_answer_reports(desk: GeminiDesk) -> None:
    usage = desk.content("Hello there")["usageMetadata"]
    counted = answer_of(desk.generate("Hello there", method="countTokens"))
    assert counted["totalTokens"] == usage["promptTokenCount"]
    wrapped = {
        "generateContentRequest": {"model": "models/m", "contents": [{"parts": [{"text": "Hello there"}]}]}
    }
    assert answer_of(desk.post(wrapped, "/v1beta/models/m:countTokens")) == counted


def test_embeddings_have_the_size_asked_for(desk: GeminiDesk) -> None:
    content = {"parts": [{"text": "hello"}]}
    one = answer_of(desk.post({"content": content}, "/v1beta/models/gemini-embedding-001:embedContent"))
    assert len(one["embedding"]["values"]) == 3072
    entry = {"model": "models/gemini-embedding-2", "content": content, "outputDimensionality": 8}
    path = "/v1beta/models/gemini-embedding-2:batchEmbedContents"
    two = answer_of(desk.post({"requests": [entry, entry]}, path))
    assert [len(entry["values"]) for entry in two["embeddings"]] == [8, 8]
    assert two["usageMetadata"]["promptTokenCount"] == 4


def test_models_are_listed_in_the_shape_asked_for(desk: GeminiDesk) -> None:
    def page(path: str, query: str = "", **headers: str) -> Any:
        return answer_of(desk.service.plan(Request("GET", path, query, headers, b"")))

    listed = page("/v1beta/models", "key=k")["models"]
    assert listed[0]["name"] == "models/gemini-3.1-pro-preview"
    assert "models" in page("/v1/models", "key=k")
    shown = page("/v1beta/models/gemini-2.5-flash", **{"x-goog-api-key": "k"})
    assert shown["supportedGenerationMethods"] == ["generateContent", "countTokens"]
    assert "object" in page("/v1/models", authorization="Bearer k")


def test_vertex_answers_with_its_small_differences(desk: GeminiDesk) -> None:
    start = "/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    whole = answer_of(desk.post(body, start + "generateContent", authorization="Bearer k"))
    assert whole["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert "index" not in whole["candidates"][0]
    assert whole["createTime"].endswith("Z")
    plan = desk.post(body, start + "streamGenerateContent", "alt=sse", authorization="Bearer k")
    chunks = [json.loads(data) for _, data in events(plan)]
    assert chunks[0]["usageMetadata"] == {"trafficType": "ON_DEMAND"}
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]


def test_keys_are_masked_wherever_they_stand() -> None:
    journal = Journal()
    journal.add(Request("POST", "/x", "alt=sse&key=hidden&a=b", {"x-goog-api-key": "hidden"}, b""))
    shown = json.loads(journal.as_json())["requests"][0]
    assert shown["query"] == "alt=sse&key=********&a=b"
    assert "hidden" not in json.dumps(shown)


def test_a_scenario_scripts_text_calls_usage_and_streams() -> None:
    story = Scripted(stream=["Once", " upon", ScriptedEvent(event={"odd": 1}), " a", " time"])
    rules = (
        Rule(Match(contains="refund", path="*:generateContent"), Scripted(text="Within 14 days.")),
        Rule(Match(contains="order"), Scripted(tool_calls=[ScriptedCall("find", {"id": "A-17"})])),
        Rule(Match(contains="count"), Scripted(text="one", usage=_USAGE)),
        Rule(Match(contains="story"), story),
    )
    desk = GeminiDesk(scenario=Scenario(rules))
    assert _text(desk.content("a refund")) == "Within 14 days."
    assert _parts(desk.content("an order"))[0]["functionCall"]["args"] == {"id": "A-17"}
    for usage in (desk.content("count")["usageMetadata"], desk.chunks("count")[-1]["usageMetadata"]):
        assert (usage["promptTokenCount"], usage["candidatesTokenCount"]) == (5, 7)
        assert (usage["thoughtsTokenCount"], usage["cachedContentTokenCount"]) == (2, 3)
    told = [
        chunk if "odd" in chunk else "".join(p["text"] for p in _parts(chunk))
        for chunk in desk.chunks("story")
    ]
    assert told[:5] == ["Once", " upon", {"odd": 1}, " a", " time"]
