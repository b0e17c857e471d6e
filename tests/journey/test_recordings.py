"""What providers and clients really said to each other passes over real sockets, byte for byte."""

from __future__ import annotations

import http.client
import random
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from madang.config.schema import Provider
from tests.journey.live import KEY, Live, Say, Upstream, alive, config_for
from tests.journey.recorded import FOLDER, PROVIDERS, Recorded, recordings, table

PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recordings are not beside the project (MADANG_RECORDINGS)"
)


@pytest.fixture(scope="module", params=[False, True], ids=["as it came", "usage asked for"])
def passing(request: pytest.FixtureRequest, provider: Upstream) -> Iterator[tuple[Live, bool]]:
    """A Madang whose one provider has every model, and whether it asks streams for their usage."""
    up = Provider(
        base_url=provider.url,
        models=["*"],
        include_usage=request.param,
        dialects=["openai_chat", "openai_responses", "anthropic", "gemini"],
    )
    for live in alive(config_for(provider, providers={"up": up}, default_provider="up")):
        yield live, request.param


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_recorded_interaction_passes_byte_for_byte(
    passing: tuple[Live, bool], upstream: Upstream, name: str
) -> None:
    live, usage = passing
    cuts = random.Random(name)
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=30)
    ours = [one for one in recordings() if one.provider == name]
    assert ours
    for one in ours:
        adds = usage and one.stream and one.operation == "chat.completions" and not one.asks_usage
        upstream.heard.clear()
        upstream.answer = lambda _, one=one: answer_of(one, cuts)  # type: ignore[misc]  # a default binds the loop's value
        headers = {"authorization": f"Bearer {KEY}"}
        if one.request_type:
            headers["content-type"] = one.request_type
        connection.request(one.method, one.url, one.request or None, headers)
        response = connection.getresponse()
        body = response.read()
        heard = upstream.heard[-1]
        assert (response.status, response.getheader("content-type")) == (one.status, one.response_type), (
            one.id
        )
        assert body == (without_usage(one.body) if adds else one.body), one.id
        assert (heard.method, heard.target) == (one.method, one.url), one.id
        assert same_but_for_usage(heard.body, one.request) if adds else heard.body == one.request, one.id
    connection.close()


def test_the_model_of_every_recorded_chat_is_spliced_and_nothing_else(
    madang: Live, upstream: Upstream
) -> None:
    upstream.answer = lambda _: Say(pieces=[b"{}"])
    chats = [one for one in recordings() if one.operation == "chat.completions" and one.request]
    connection = http.client.HTTPConnection("127.0.0.1", madang.port, timeout=30)
    for one in chats:
        model = re.search(rb'"model":\s*"([^"]*)"', one.request)
        if model is None:
            continue  # Azure names the model in its path
        asked = one.request.replace(model[0], model[0].replace(b'"' + model[1], b'"up/' + model[1]), 1)
        body = asked.replace(b'"stream":true', b'"stream":false').replace(
            b'"stream": true', b'"stream": false'
        )
        connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
        assert connection.getresponse().read() == b"{}"
        expected = one.request.replace(b'"stream":true', b'"stream":false')
        assert upstream.heard[-1].body == expected.replace(b'"stream": true', b'"stream": false'), one.id
    connection.close()
    assert len(chats) > 400


def test_the_page_says_how_many_there_are() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), (
        "run python -m tests.journey.recorded and paste its table"
    )


def answer_of(one: Recorded, cuts: random.Random) -> Say:
    """The recorded answer; a stream is cut where chance (with a fixed seed) says."""
    headers = [] if one.response_type is None else [("content-type", one.response_type)]
    if not one.stream:
        return Say(one.status, headers, [one.body])
    at, pieces = 0, []
    while at < len(one.body):
        size = cuts.choice((1, 17, 300, 2000, 20000))
        pieces.append(one.body[at : at + size])
        at += size
    return Say(one.status, headers, pieces, chunked=True)


def without_usage(body: bytes) -> bytes:
    """A stream without the chunk that has usage and no choices."""
    kept = []
    for event in re.split(rb"(?<=\n\n)", body):
        data = event.removeprefix(b"data:").strip()
        said = msgspec.json.decode(data) if data.startswith(b"{") else {}
        if said.get("usage") is None or said.get("choices") != []:
            kept.append(event)
    return b"".join(kept)


def same_but_for_usage(heard: bytes, sent: bytes) -> bool:
    """Whether only stream_options.include_usage was added."""
    now, before = msgspec.json.decode(heard), msgspec.json.decode(sent)
    assert now["stream_options"].pop("include_usage") is True
    if not now["stream_options"]:
        del now["stream_options"]
    return bool(now == before)
