"""What Madang answers itself: the models there are, keys over HTTP, health, pages."""

from __future__ import annotations

import time

import msgspec
import pytest

from tests.journey.live import KEY, Live, Upstream, json_answer

LISTED = {"data": [{"id": "gpt-4o", "created": 7, "owned_by": "system"}, {"id": "ft:x/y"}]}


@pytest.fixture
def listing(madang: Live, upstream: Upstream, other: Upstream) -> None:
    """Both providers say what they have, and Madang has not asked lately."""
    upstream.answer = lambda _: json_answer(LISTED)
    other.answer = lambda _: json_answer({"error": {"message": "no"}}, 500)
    madang.app.gateway.models._looked_at = float("-inf")


@pytest.mark.usefixtures("listing")
def test_models_are_aliases_and_what_providers_say_they_have(madang: Live) -> None:
    said = madang.ask(b"", "/v1/models", method="GET").json()
    ids = [model["id"] for model in said["data"]]
    assert said["object"] == "list"
    assert ids[:2] == ["fast", "both"]
    assert {"up/gpt-4o", "up/ft:x/y", "offline/extractive"} <= set(ids)
    assert {"id": "up/gpt-4o", "object": "model", "created": 7, "owned_by": "up"} in said["data"]


@pytest.mark.usefixtures("listing")
@pytest.mark.parametrize("name", ["fast", "up/gpt-4o", "up/ft:x/y", "up%2Fgpt-4o", "offline/extractive"])
def test_one_model_is_found_by_its_name(madang: Live, name: str) -> None:
    answer = madang.ask(b"", f"/v1/models/{name}", method="GET")
    assert answer.status == 200
    assert answer.json()["id"] == name.replace("%2F", "/")


@pytest.mark.usefixtures("listing")
def test_a_bare_name_goes_to_the_provider_that_says_it_has_it(madang: Live, upstream: Upstream) -> None:
    body = {"model": "house-model", "messages": []}
    assert madang.ask(body).status == 404
    upstream.answer = lambda heard: json_answer(
        {"data": [{"id": "house-model"}]} if heard.method == "GET" else {}
    )
    madang.app.gateway.models._looked_at = float("-inf")
    assert madang.ask(body).status == 200
    assert upstream.heard[-1].json()["model"] == "house-model"


@pytest.mark.usefixtures("listing")
def test_a_narrow_key_sees_only_its_models(madang: Live) -> None:
    key = madang.app.store.keys.create("narrow list", models=["fast", "offline/*"])
    said = madang.ask(b"", "/v1/models", method="GET", key=key.secret.reveal()).json()
    assert [model["id"] for model in said["data"]] == ["fast", "offline/extractive"]
    assert madang.ask(b"", "/v1/models/up/gpt-4o", method="GET", key=key.secret.reveal()).status == 404
    assert madang.ask(b"", "/v1/models", method="GET", key=None).status == 401


def test_keys_are_made_listed_and_revoked_over_http(madang: Live) -> None:
    made = madang.ask(
        {"name": "team a", "owner": "kim", "models": ["offline/*"], "expires_days": 3}, "/admin/keys"
    )
    assert made.status == 201
    key = made.json()
    assert key["key"].startswith("sk-madang-")
    assert abs(key["expires_at"] / 1e6 - time.time() - 3 * 86400) < 60
    listed = madang.ask(b"", "/admin/keys", method="GET")
    assert key["key"] not in listed.body.decode()
    assert {"id": key["id"], "name": "team a"}.items() <= {
        k: v for one in listed.json()["data"] if one["id"] == key["id"] for k, v in one.items()
    }.items()
    question = {"model": "offline/extractive", "messages": [{"role": "user", "content": "hi"}]}
    assert madang.ask(question, key=key["key"]).status == 200
    revoked = madang.ask(b"", f"/admin/keys/{key['id']}", method="DELETE")
    assert revoked.json()["revoked_at"]
    assert madang.ask(question, key=key["key"]).json()["error"]["code"] == "revoked_api_key"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"owner":"x"}', "name"),
        (b'{"name":""}', "name"),
        (b'{"name":5}', "name"),
        (b'{"name":"x","unknown":1}', "unknown"),
        (b'{"name":"x","models":[""]}', "model"),
        (b'{"name":"x","models":"gpt"}', "models"),
        (b'{"name":"x","expires_days":0}', "expires_days"),
        (b'{"name":"x","expires_days":99999999}', "expires_days"),
        (b'{"name":"x","expires_at":"2027-01-01T00:00:00"}', "time zone"),
        (b'{"name":"x","expires_at":"tomorrow"}', "expires_at"),
        (b'{"name":"x\\u0000"}', "name"),
        (b'{"name":"' + b"x" * 70_000 + b'"}', "larger"),
    ],
)
def test_bad_fields_of_a_key_are_refused_with_a_reason(madang: Live, body: bytes, says: str) -> None:
    answer = madang.ask(body, "/admin/keys")
    assert answer.status in (400, 413)
    assert says in answer.json()["error"]["message"]


def test_only_the_admin_key_opens_admin(madang: Live) -> None:
    plain = madang.app.store.keys.create("plain")
    for method, path in (("POST", "/admin/keys"), ("GET", "/admin/keys"), ("DELETE", "/admin/keys/x")):
        assert madang.ask(b"{}", path, method=method, key=None).status == 401
        assert madang.ask(b"{}", path, method=method, key="sk-wrong").status == 401
        assert madang.ask(b"{}", path, method=method, key=plain.secret.reveal()).status == 403
    assert madang.ask(b"", "/admin/keys/nobody", method="DELETE").status == 404


def test_health_is_told_without_a_key_and_without_secrets(madang: Live) -> None:
    for path in ("/livez", "/readyz", "/health"):
        answer = madang.ask(b"", path, method="GET", key=None)
        assert answer.status == 200
        assert KEY not in answer.body.decode()
    said = madang.ask(b"", "/health", method="GET", key=None).json()
    assert (said["status"], said["store"]) == ("ok", "ok")
    assert said["providers"] == ["up", "spare", "offline"]


def test_an_answer_of_the_offline_model_is_recorded_as_read(madang: Live) -> None:
    question = {"model": "offline/extractive", "messages": [{"role": "user", "content": "hi"}]}
    record = madang.record(madang.ask(question).call_id)
    assert (record.provider, record.model, record.passed) == ("offline", "extractive", False)
    assert record.usage is not None


def test_the_chat_page_answers_through_the_gateway_and_is_recorded(madang: Live, upstream: Upstream) -> None:
    page = madang.ask(b"", "/", method="GET", key=None)
    assert page.status == 200
    assert b"offline/extractive" in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_chat_page_is_not_shown_through_another_name(madang: Live) -> None:
    for headers in ({"host": "evil.example"}, {"x-forwarded-for": "1.2.3.4"}):
        answer = madang.ask(b"", "/", method="GET", key=None, headers=headers)
        assert b"<textarea" not in answer.body


def test_an_error_of_a_page_that_is_not_there_is_told_to_programs(madang: Live) -> None:
    error = msgspec.json.decode(madang.ask(b"", "/v2/chat", method="GET").body)["error"]
    assert error["code"] == "unknown_path"
