"""What would become of a call: where it goes, in which dialect, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from madang.config.plan import Plan, guess_dialect, plan
from madang.config.schema import Config
from madang.config.schema import Provider as Section
from madang.core.errors import NotFound
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects import losses
from madang.dialects.every import DIALECTS
from madang.gateway.translate import choose
from madang.providers.base import Provider, Row
from madang.providers.discover import discover
from madang.providers.door import Headers, Reply
from madang.providers.offline.door import PROVIDER as OFFLINE
from madang.providers.offline.door import OfflineDoor
from madang.routing.routes import Routes

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY")
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


class Shut:
    """A door that no test goes through."""

    passes = True

    async def send(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> Reply:
        raise AssertionError(path)


def routes(**aliases: list[str]) -> Routes:
    config = Config(providers={"mine": Section(base_url="http://h/v1", dialects=["openai_chat", "gemini"])})
    found = discover(config, dict.fromkeys(KEYS, "k"), probe_ollama=lambda _: False)
    return Routes([*((provider, Shut()) for provider in found), (OFFLINE, OfflineDoor())], aliases)


def planned(model: str, client: str, request: Mapping[str, Json] | None = None, **aliases: list[str]) -> Plan:
    return plan(routes(**aliases), model, client, request)


def test_bytes_pass_to_a_target_that_speaks_the_clients_dialect() -> None:
    [way] = planned("openai/gpt-4o", "openai_chat", HELLO).targets
    assert (way.provider, way.model, way.dialect) == ("openai", "gpt-4o", "openai_chat")
    assert (way.bytes_pass, way.model_spliced) == (True, True)
    assert way.url == "https://api.openai.com/v1/chat/completions"
    assert (way.losses, way.answer_losses, way.refused) == ([], [], [])


@pytest.mark.parametrize(
    ("model", "client", "url"),
    [
        ("openai/o3", "anthropic", "https://api.openai.com/v1/responses"),
        ("openai/o3", "gemini", "https://api.openai.com/v1/responses"),
        ("openai/o3", "openai_responses", "https://api.openai.com/v1/responses"),
        ("groq/m", "openai_responses", "https://api.groq.com/openai/v1/chat/completions"),
        ("anthropic/claude-x", "openai_chat", "https://api.anthropic.com/v1/messages"),
        (
            "gemini/gemini-x",
            "anthropic",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:generateContent",
        ),
        ("mine/m", "gemini", "http://h/v1beta/models/m:generateContent"),
        ("mine/m", "anthropic", "http://h/v1/chat/completions"),
    ],
)
def test_a_call_goes_where_its_target_listens_for_the_dialect_it_is_put_into(
    model: str, client: str, url: str
) -> None:
    [way] = planned(model, client).targets
    assert way.url == url


def test_a_name_that_a_client_made_up_leads_nowhere_else() -> None:
    [way] = planned("gemini/a/b c\r\nhost: e?한", "openai_chat").targets
    assert way.url is not None
    path = "/v1beta/models/a%2Fb%20c%0D%0Ahost%3A%20e%3F%ED%95%9C:generateContent"
    assert way.url.endswith(f"googleapis.com{path}")
    with pytest.raises(NotFound):
        planned("gemini/a/../b", "openai_chat")


def test_a_stream_goes_to_the_place_for_streams() -> None:
    [way] = planned("gemini/g", "openai_chat", {**HELLO, "stream": True}).targets
    assert way.url is not None
    assert way.url.endswith("/v1beta/models/g:streamGenerateContent?alt=sse")


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("quick", "route"),
        ("openai/gpt-4o", "provider/model"),
        ("gpt-4o", "bare"),
        ("mine/a/b", "provider/model"),
    ],
)
def test_it_says_as_what_a_name_was_understood(model: str, named: str) -> None:
    assert planned(model, "openai_chat", quick=["openai/gpt-4o"]).named == named


def test_a_name_nobody_has_is_an_error_as_it_is_in_a_call() -> None:
    with pytest.raises(NotFound, match="nonsense"):
        planned("nonsense", "openai_chat")


def test_the_targets_of_a_route_come_in_the_order_they_are_tried() -> None:
    found = planned("quick", "anthropic", quick=["anthropic/claude-x", "gemini/g", "offline/extractive"])
    assert [(way.dialect, way.bytes_pass) for way in found.targets] == [
        ("anthropic", True),
        ("gemini", False),
        ("openai_chat", False),
    ]
    assert found.targets[0].model_spliced
    assert found.targets[2].url is None


def test_a_models_own_name_needs_no_splice() -> None:
    [way] = planned("gpt-4o", "openai_chat", HELLO).targets
    assert not way.model_spliced


@pytest.mark.parametrize("client", list(DIALECTS))
@pytest.mark.parametrize("model", ["openai/m", "groq/m", "anthropic/m", "gemini/m"])
def test_without_a_request_the_losses_are_declared_ones_of_what_the_client_can_say(
    client: str, model: str
) -> None:
    [way] = planned(model, client).targets
    assert way.dialect is not None
    told = {**losses.REQUESTS[way.dialect], **losses.FOREIGN}
    own = [loss for loss in way.losses if loss.feature.endswith(f".{client}")]
    assert [
        loss
        for loss in way.losses
        if loss not in own
        and (told[loss.feature].treatment, told[loss.feature].how) != (loss.treatment, loss.how)
    ] == []
    assert bool(way.losses) is (way.dialect != client)
    assert [loss for loss in way.losses if loss.feature in losses.REQUESTS[client]] == []
    assert {loss.feature.split(":")[1] for loss in way.losses if ":" in loss.feature} <= {client}


def test_the_worst_losses_come_first() -> None:
    [way] = planned("groq/m", "anthropic").targets
    order = [loss.treatment for loss in way.losses]
    assert order == sorted(order, key=["refuse", "emulate", "drop"].index)
    assert len(set(order)) == 3


def test_the_losses_of_a_request_are_its_own() -> None:
    request = {**HELLO, "max_tokens": 9, "top_k": 3}
    [way] = planned("groq/m", "anthropic", request).targets
    body = b'{"model":"m","max_tokens":9,"top_k":3,"messages":[{"role":"user","content":"Hello"}]}'
    assert way.losses == losses.find(DIALECTS["anthropic"].parse_request(body, None, None), "openai_chat")
    assert [loss.feature for loss in way.losses] == ["top_k"]


def test_the_model_of_the_request_makes_no_difference() -> None:
    with_model = planned("groq/m", "anthropic", {**HELLO, "max_tokens": 9, "model": "another"})
    assert with_model == planned("groq/m", "anthropic", {**HELLO, "max_tokens": 9})


def test_a_request_that_no_dialect_of_a_target_can_express_is_refused_with_the_reason() -> None:
    request = {**HELLO, "max_tokens": 9, "mcp_servers": [{"type": "url", "url": "http://m", "name": "m"}]}
    found = planned("openai/gpt-4o", "anthropic", request)
    [way] = found.targets
    assert found.refused
    assert (way.dialect, way.url, way.bytes_pass) == (None, None, False)
    assert [each.dialect for each in way.refused] == ["openai_responses", "openai_chat"]
    assert {each.code for each in way.refused} == {"not_expressible"}
    assert all("mcp_servers" in each.message for each in way.refused)


def test_a_request_that_is_none_is_refused_where_it_is_translated() -> None:
    found = planned("anthropic/m", "openai_chat", {"messages": "Hello"})
    [way] = found.targets
    assert found.refused
    assert [(each.dialect, each.param) for each in way.refused] == [("openai_chat", "messages")]


def test_a_request_that_is_none_passes_unread_to_whoever_speaks_its_dialect() -> None:
    found = planned("openai/gpt-4o", "openai_chat", {"messages": "Hello"})
    assert (found.refused, found.targets[0].bytes_pass) == (False, True)


def test_a_request_for_gemini_needs_no_model_in_its_body() -> None:
    request = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    [way] = planned("openai/gpt-4o", "gemini", request).targets
    assert (way.dialect, way.refused) == ("openai_responses", [])


CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]}


@pytest.mark.parametrize(
    ("request_members", "dialect"),
    [
        ({"messages": CHAT}, "openai_chat"),
        ({"messages": CHAT, "max_tokens": 9, "thinking": {"type": "enabled"}, "top_k": 3}, "openai_chat"),
        ({"messages": CHAT, "tools": [{"type": "function", "function": {"name": "f"}}]}, "openai_chat"),
        ({"messages": [{"role": "user", "content": 'say "input_schema":'}]}, "openai_chat"),
        ({"messages": CHAT[1:], "system": "Be brief.", "max_tokens": 9}, "anthropic"),
        ({"messages": CHAT[1:], "max_tokens": 9, "stop_sequences": ["."]}, "anthropic"),
        ({"messages": CHAT[1:], "tools": [{"name": "f", "input_schema": {}}]}, "anthropic"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "anthropic"),
        ({"messages": [RESULT]}, "anthropic"),
        ({"input": "Hi"}, "openai_responses"),
        ({"input": [{"role": "user", "content": "Hi"}], "previous_response_id": "r"}, "openai_responses"),
        ({"contents": [{"parts": [{"text": "Hi"}]}]}, "gemini"),
        ({"prompt": "Hi"}, None),
        ({}, None),
    ],
)
def test_the_dialect_of_a_request_is_guessed_from_its_shape(
    request_members: dict[str, Json], dialect: str | None
) -> None:
    assert guess_dialect(request_members) == dialect


def test_a_providers_first_dialect_that_can_express_a_request_is_chosen() -> None:
    request = Request(model="m", messages=())
    provider = Provider(
        row=Row(name="p", title="P", base_url=""), base_url="", dialects=("gemini", "anthropic")
    )
    choice = choose(request, provider)
    assert choice.dialect is DIALECTS["gemini"]
    assert (choice.lost, choice.refused) == (losses.find(request, "gemini"), [])
