"""Counting tokens, embedding texts and listing models, in whichever dialect they are asked for."""

from __future__ import annotations

from tests.journey.live import Live, Upstream, json_answer

MESSAGES = {"model": "gpt", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def test_tokens_are_counted_by_the_target_in_its_own_way(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer({"totalTokens": 31})
    answer = house.ask({**MESSAGES, "model": "gem"}, "/v1/messages/count_tokens")
    assert upstream.heard[0].target == "/v1beta/models/gemini-3-flash:countTokens"
    assert answer.json() == {"input_tokens": 31}


def test_tokens_that_a_target_cannot_count_are_estimated_and_said_to_be(house: Live) -> None:
    answer = house.ask(MESSAGES, "/v1/messages/count_tokens")
    assert answer.headers["x-madang-losses"] == "count;emulate"
    assert 3 <= answer.json()["input_tokens"] <= 12


def test_a_gemini_client_counts_at_anthropic(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer({"input_tokens": 12})
    answer = house.ask(CONTENTS, "/v1beta/models/claude:countTokens")
    assert upstream.heard[0].target == "/v1/messages/count_tokens"
    assert answer.json()["totalTokens"] == 12


def test_an_openai_client_embeds_at_gemini(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer({"embeddings": [{"values": [0.5, 1.0]}, {"values": [2.0, 3.0]}]})
    answer = house.ask({"model": "gemini/gemini-embedding-001", "input": ["a", "나"]}, "/v1/embeddings")
    assert upstream.heard[0].target == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert [one["embedding"] for one in answer.json()["data"]] == [[0.5, 1.0], [2.0, 3.0]]


def test_a_gemini_client_embeds_at_openai(upstream: Upstream, house: Live) -> None:
    said = {"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    upstream.answer = lambda _: json_answer({**said, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    path = "/v1beta/models/chat/text-embedding-3-small:embedContent"
    answer = house.ask({"content": {"parts": [{"text": "a"}]}}, path)
    assert upstream.heard[0].target == "/v1/embeddings"
    assert answer.json()["embedding"]["values"] == [0.5]


def test_an_openai_client_embeds_where_only_the_responses_api_was_named(
    upstream: Upstream, house: Live
) -> None:
    said = {"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    upstream.answer = lambda _: json_answer({**said, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    answer = house.ask({"model": "stored/text-embedding-3-small", "input": "a"}, "/v1/embeddings")
    assert upstream.heard[0].target == "/v1/embeddings"
    assert upstream.heard[0].json()["model"] == "text-embedding-3-small"
    assert answer.json()["data"][0]["embedding"] == [0.5]


def test_texts_cannot_be_embedded_where_nobody_embeds(house: Live) -> None:
    answer = house.ask({"model": "claude", "input": "a"}, "/v1/embeddings")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "not_offered")


def test_models_are_listed_in_the_shape_of_whoever_asks(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer({"data": []})
    openai = house.ask(b"", "/v1/models", method="GET").json()
    assert openai["object"] == "list"
    assert openai["data"][0]["id"] == "claude"
    anthropic = house.ask(
        b"", "/v1/models?limit=2", method="GET", headers={"anthropic-version": "2023-06-01"}
    )
    assert [one["type"] for one in anthropic.json()["data"]] == ["model", "model"]
    assert (anthropic.json()["has_more"], anthropic.json()["first_id"]) == (True, "claude")
    gemini = house.ask(b"", "/v1beta/models?pageSize=2", method="GET").json()
    assert gemini["models"][0]["name"] == "models/claude"
    more = house.ask(b"", f"/v1beta/models?pageToken={gemini['nextPageToken']}", method="GET").json()
    assert more["models"][0]["name"] == "models/gpt"
    one = house.ask(b"", "/v1beta/models/claude", method="GET").json()
    assert one["name"] == "models/claude"
