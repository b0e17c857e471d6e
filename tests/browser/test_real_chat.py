"""The chat page of the whole Madang: the offline model, a scripted provider, records and keys behind it.

What the page itself can do is in `test_chat_browser.py`, over a scripted backend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from madang.core.record import Outcome, Record
from tests.browser.served import Visits
from tests.journey.live import (
    DONE,
    Heard,
    Live,
    Say,
    Upstream,
    alive,
    chunk,
    config_for,
    json_answer,
    stream_answer,
    wait_until,
)

HERE = "chat page, this machine"
MODELS = ["gpt-story", "gpt-endless", "gpt-limited", "gpt-broken"]
OFFLINE = {
    "en": (
        "The kitchen is in the east. The gate is in the south. Where is the gate?",
        "The gate is in the south.",
        "no language model was used",
    ),
    "ko": (
        "부엌은 동쪽에 있다. 모든 방은 마당을 향한다. 무엇이 마당을 향하나?",
        "모든 방은 마당을 향한다.",
        "언어 모델은 쓰지 않았습니다",
    ),
}
ASKED = {"en": "Tell me a story.", "ko": "이야기를 들려줘."}
TOLD = {"en": ["Once ", "upon ", "a **time**."], "ko": ["옛날 ", "옛적에 ", "**마당**이 있었다."]}
BROKEN = {"en": "The provider's answer broke off.", "ko": "모델 제공자의 답변이 도중에 끊겼습니다."}
UNFRIENDLY = re.compile(r"traceback|exception|[{}]|undefined|null", re.IGNORECASE)


def scripted(heard: Heard) -> Say:
    """What the provider says: the model's name decides."""
    if heard.method == "GET":
        return json_answer({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
    asked = heard.json()
    match asked["model"]:
        case "gpt-endless":
            return stream_answer([chunk("The first words. "), chunk("never")], between=lambda: False)
        case "gpt-limited":
            return json_answer({"error": {"message": "Slow down, org-secret.", "type": "requests"}}, 429)
        case "gpt-broken":
            return stream_answer([chunk("Half an ans")], then="close")
        case _:
            language = "ko" if "이야기" in asked["messages"][-1]["content"] else "en"
            told = [chunk(text) for text in TOLD[language]]
            return stream_answer([*told, chunk(finish="stop"), DONE])


@pytest.fixture(scope="module")
def provider() -> Iterator[Upstream]:
    upstream = Upstream()
    upstream.answer = scripted
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module")
def live(provider: Upstream) -> Iterator[Live]:
    yield from alive(config_for(provider, routes={"story": "up/gpt-story"}))


@pytest.fixture
def here(live: Live) -> str:
    """The page as somebody at this machine reaches it."""
    return f"http://127.0.0.1:{live.port}/"


@pytest.fixture
def elsewhere(live: Live) -> str:
    """The page under a name that is not this machine's."""
    return f"http://chat.example:{live.port}/"


def ask(page: Page, text: str, model: str) -> None:
    page.select_option("#model", model)
    page.fill("#message", text)
    page.click("#send")


def answer(page: Page) -> str:
    """The answer once it has ended; without JavaScript it ended before the page came."""
    turn = page.locator(".assistant").last
    expect(turn).not_to_have_attribute("aria-busy", re.compile("."))
    return turn.locator(".answer").inner_text()


def records(live: Live) -> list[Record]:
    """Chat completions that are recorded, oldest first."""
    return [found for found in live.app.store.calls.recent(200)[::-1] if found.operation != "models"]


def recorded(live: Live, before: int) -> Record:
    """The next record after the first `before`."""
    wait_until(lambda: len(records(live)) > before)
    return records(live)[before]


def log_in(page: Page, key: str) -> None:
    page.fill("#key", key)
    page.get_by_role("button", name="Log in").click()


def make_key(live: Live, name: str, models: list[str] | None = None) -> tuple[str, str]:
    """A key's id and secret."""
    made = live.ask({"name": name, "models": models}, "/admin/keys").json()
    return made["id"], made["key"]


def revoke(live: Live, key_id: str) -> None:
    assert live.ask(b"", f"/admin/keys/{key_id}", method="DELETE").status == 200


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_offline_model_quotes_in_the_language_it_was_asked_in(
    visits: Visits, here: str, language: str, script: bool
) -> None:
    question, quoted, honest = OFFLINE[language]
    page = visits.open(here, language=language, script=script)
    ask(page, question, "offline/extractive")
    assert honest in answer(page)
    expect(page.locator(".answer blockquote")).to_have_text(quoted)
    expect(page.locator(".user .said")).to_have_text(question)


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_providers_answer_comes_whole_and_the_conversation_goes_along(
    visits: Visits, here: str, provider: Upstream, language: str, script: bool
) -> None:
    page = visits.open(here, language=language, script=script)
    ask(page, ASKED[language], "up/gpt-story")
    whole = "".join(TOLD[language])
    assert answer(page).strip() == whole.replace("*", "")
    expect(page.locator(".answer strong")).to_have_count(1)
    ask(page, "and then?", "up/gpt-story")
    expect(page.locator(".assistant")).to_have_count(2)
    answer(page)
    assert [message["content"] for message in provider.heard[-1].json()["messages"]] == [
        ASKED[language],
        whole,
        "and then?",
    ]


def test_a_route_of_madang_yaml_can_be_chosen(visits: Visits, here: str, provider: Upstream) -> None:
    page = visits.open(here)
    ask(page, ASKED["en"], "story")
    assert "Once upon a time." in answer(page)
    assert provider.heard[-1].json()["model"] == "gpt-story"


def test_a_call_from_the_page_is_recorded_as_the_pages_own(visits: Visits, here: str, live: Live) -> None:
    before = len(records(live))
    page = visits.open(here)
    ask(page, ASKED["en"], "up/gpt-story")
    answer(page)
    record = recorded(live, before)
    assert (record.key_name, record.key_id, record.outcome) == (HERE, None, Outcome.OK)
    assert (record.provider, record.model, record.streamed) == ("up", "gpt-story", True)
    assert "story." not in str(record)


@pytest.mark.parametrize("how", ["stop", "close"])
def test_stopping_or_closing_the_page_in_mid_answer_reaches_the_provider(
    visits: Visits, here: str, live: Live, provider: Upstream, how: str
) -> None:
    before, left = len(records(live)), provider.left
    page = visits.open(here)
    ask(page, "go on for ever", "up/gpt-endless")
    expect(page.locator(".answer").last).to_contain_text("The first words.")
    assert provider.left == left
    if how == "stop":
        page.click("#stop")
        expect(page.locator(".note")).to_contain_text("Stopped here.")
    else:
        page.close()
    wait_until(lambda: provider.left == left + 1)
    assert recorded(live, before).outcome == Outcome.LEFT


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_broken_answer_is_kept_and_said_in_the_pages_language(
    visits: Visits, here: str, language: str, script: bool
) -> None:
    page = visits.open(here, language=language, script=script)
    ask(page, ASKED[language], "up/gpt-broken")
    expect(page.locator(".note")).to_contain_text(BROKEN[language])
    expect(page.locator(".answer")).to_contain_text("Half an ans")


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_providers_refusal_is_a_sentence_without_its_own_words(
    visits: Visits, here: str, language: str, script: bool
) -> None:
    page = visits.open(here, language=language, script=script)
    ask(page, ASKED[language], "up/gpt-limited")
    note = page.locator(".note")
    expect(note).to_be_visible()
    said = note.inner_text()
    assert bool(re.search("[가-힣]", said)) is (language == "ko")
    assert said.splitlines()[0].endswith(".")
    assert not UNFRIENDLY.search(said)
    assert "org-secret" not in page.content()


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_model_that_was_asked_is_chosen_the_next_time(visits: Visits, here: str, script: bool) -> None:
    page = visits.open(here, script=script)
    ask(page, ASKED["en"], "up/gpt-story")
    answer(page)
    page.goto(here)
    expect(page.locator("#model")).to_have_value("up/gpt-story")


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_under_another_name_a_key_opens_the_page_and_is_in_the_record(
    visits: Visits, elsewhere: str, live: Live, script: bool
) -> None:
    _, secret = make_key(live, "visitor", ["up/gpt-story"])
    page = visits.open(elsewhere, script=script)
    expect(page).to_have_url(f"{elsewhere}login")
    log_in(page, "sk-madang-not-a-key")
    expect(page.get_by_role("alert")).to_contain_text("does not open the door")
    log_in(page, secret)
    expect(page.locator("#model option")).to_have_count(1)
    before = len(records(live))
    ask(page, ASKED["en"], "up/gpt-story")
    assert "Once upon a time." in answer(page)
    assert recorded(live, before).key_name == "visitor"


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_the_session_of_a_revoked_key_ends_with_its_next_request(
    visits: Visits, elsewhere: str, live: Live, script: bool
) -> None:
    key_id, secret = make_key(live, "leaver")
    page = visits.open(elsewhere, script=script)
    log_in(page, secret)
    ask(page, ASKED["en"], "up/gpt-story")
    answer(page)
    revoke(live, key_id)
    before = len(records(live))
    ask(page, "and then?", "up/gpt-story")
    expect(page.locator(".note:visible" if script else ".door")).to_be_visible()
    page.goto(elsewhere)
    expect(page.locator("#key")).to_be_visible()
    assert len(records(live)) == before


def test_an_answer_under_way_ends_when_its_key_is_revoked(
    visits: Visits, elsewhere: str, live: Live, provider: Upstream
) -> None:
    key_id, secret = make_key(live, "leaver in mid-answer")
    page = visits.open(elsewhere)
    log_in(page, secret)
    left = provider.left
    ask(page, "go on for ever", "up/gpt-endless")
    expect(page.locator(".answer").last).to_contain_text("The first words.")
    revoke(live, key_id)
    expect(page.locator(".note")).to_contain_text("Your login has ended.")
    wait_until(lambda: provider.left == left + 1)


def test_a_proxys_header_asks_for_a_key_at_this_machines_own_name(visits: Visits, here: str) -> None:
    page = visits.open(here)
    expect(page.locator("#message")).to_be_visible()
    page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
    page.goto(here)
    expect(page.locator("#key")).to_be_visible()
