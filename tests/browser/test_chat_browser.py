"""The chat page in a real browser: with and without JavaScript, in both languages, small and large."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.served import GOOD_KEY, Script, Visits

QUESTIONS = {"ko": "마당은 무엇인가요?", "en": "What is a madang?"}
SEND = {"ko": "보내기", "en": "Send"}


def ask(page: Page, text: str, model: str | None = None) -> None:
    if model:
        page.select_option("#model", model)
    page.fill("#message", text)
    page.press("#message", "Enter")


def last_answer(page: Page) -> str:
    return page.locator(".assistant .answer").last.inner_text()


def finished(page: Page) -> None:
    """An answer that is over can be copied, or asked for again."""
    expect(page.locator(".assistant").last.locator(".actions button").first).to_be_visible()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_answer_streams_in_with_javascript(visits: Visits, base_url: str, language: str) -> None:
    page = visits.open(base_url, language=language)
    assert page.locator("html").get_attribute("lang") == language
    ask(page, QUESTIONS[language])
    finished(page)
    assert page.locator(".user .said").inner_text() == QUESTIONS[language]
    assert last_answer(page).strip()
    assert page.evaluate("document.activeElement.id") == "message"
    assert page.input_value("#message") == ""
    expect(page.locator("#status")).not_to_be_empty()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_answer_comes_without_javascript(visits: Visits, base_url: str, language: str) -> None:
    page = visits.open(base_url, language=language, script=False)
    page.fill("#message", QUESTIONS[language])
    page.get_by_role("button", name=SEND[language]).press("Enter")
    expect(page.locator(".user .said")).to_have_text(QUESTIONS[language])
    assert last_answer(page).strip()
    page.fill("#message", "2")
    page.click("#send")
    expect(page.locator(".user .said")).to_have_text([QUESTIONS[language], "2"])


def test_markdown_is_set_as_html(visits: Visits, base_url: str, script: Script) -> None:
    page = visits.open(base_url, language="ko")
    ask(page, QUESTIONS["ko"])
    finished(page)
    answer = page.locator(".assistant .answer")
    expect(answer.locator("strong")).to_have_text("가운데 뜰")
    expect(answer.locator("figcaption")).to_have_text("python")
    expect(answer.locator("td.align-right").first).to_have_text("살림")
    expect(answer.locator("a")).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_the_sign_that_an_answer_is_coming_does_not_wait_for_the_server(
    visits: Visits, base_url: str, script: Script
) -> None:
    page = visits.open(base_url)
    page.route("**/chat/stream", lambda route: None)
    page.fill("#message", "hello")
    took = page.evaluate(
        """() => new Promise((done) => {
          const started = performance.now();
          new MutationObserver((_, watching) => {
            if (!document.querySelector(".pending")) return;
            watching.disconnect();
            requestAnimationFrame(() => done(performance.now() - started));
          }).observe(document.getElementById("log"), { childList: true, subtree: true });
          document.getElementById("send").click();
        })"""
    )
    assert took < 100
    expect(page.locator(".pending")).to_contain_text("An answer is on its way")
    expect(page.locator("#status")).to_have_text("An answer is on its way")


@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop_keeps_the_text_and_stops_the_backend(
    visits: Visits, base_url: str, script: Script, how: str
) -> None:
    page = visits.open(base_url)
    ask(page, "go on for ever", "script/endless")
    expect(page.locator(".answer").last).to_have_text(re.compile("The first words"))
    assert not script.closed.is_set()
    if how == "button":
        page.click("#stop")
    else:
        page.keyboard.press("Escape")
    assert script.closed.wait(5)
    expect(page.locator(".note")).to_contain_text("Stopped here.")
    assert "The first words." in last_answer(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#send")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "message"


def test_a_broken_answer_keeps_its_text_and_can_be_tried_again(
    visits: Visits, base_url: str, script: Script
) -> None:
    page = visits.open(base_url, language="ko")
    ask(page, "안녕", "script/broken")
    expect(page.locator(".note")).to_contain_text("모델 제공자의 답변이 도중에 끊겼습니다.")
    assert "Half an ans" in last_answer(page)
    page.select_option("#model", "offline/extractive")
    page.get_by_role("button", name="다시 시도").click()
    expect(page.locator(".answer strong")).to_have_text("가운데 뜰")
    assert page.locator(".turn").count() == 2
    assert [message.text for message in script.asked[-1]] == ["안녕"]


def test_a_broken_answer_can_be_tried_again_without_javascript(
    visits: Visits, base_url: str, script: Script
) -> None:
    page = visits.open(base_url, script=False)
    page.select_option("#model", "script/broken")
    page.fill("#message", "hello")
    page.click("#send")
    expect(page.locator(".note")).to_contain_text("The provider's answer broke off.")
    assert "Half an ans" in last_answer(page)
    page.select_option("#model", "offline/extractive")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer strong")).to_have_text("courtyard")
    assert page.locator(".turn").count() == 2


@pytest.mark.parametrize("with_script", [True, False])
def test_hostile_text_runs_nothing_and_loads_nothing(
    visits: Visits, base_url: str, script: Script, with_script: bool
) -> None:
    page = visits.open(base_url, script=with_script)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.select_option("#model", "script/hostile")
    page.fill("#message", "<img src=x onerror='window.pwned=1'>")
    page.click("#send")
    expect(page.locator(".answer")).to_contain_text("end")
    assert page.locator("#log img, #log script").count() == 0
    assert all(url.startswith(base_url) for url in asked)
    if with_script:
        assert page.evaluate("window.pwned") is None


def test_a_reload_keeps_the_conversation_and_a_new_one_forgets_it(
    visits: Visits, base_url: str, script: Script
) -> None:
    page = visits.open(base_url)
    ask(page, "hello")
    finished(page)
    page.reload()
    expect(page.locator(".answer strong")).to_have_text("courtyard")
    expect(page.locator(".said")).to_have_text("hello")
    page.click("#new")
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".welcome")).to_be_visible()


def test_a_new_conversation_begun_in_mid_answer_stays_empty(
    visits: Visits, base_url: str, script: Script
) -> None:
    page = visits.open(base_url)
    ask(page, "go on", "script/endless")
    expect(page.locator(".answer").last).to_have_text(re.compile("The first words"))
    page.click("#new")
    expect(page.locator(".turn")).to_have_count(0)
    assert script.closed.wait(5)
    assert page.evaluate("JSON.parse(sessionStorage.getItem('madang.conversation')).length") == 0


def test_what_the_server_refuses_goes_back_into_the_box(visits: Visits, base_url: str) -> None:
    page = visits.open(base_url)
    text = "x" * 200_001
    ask(page, text)
    expect(page.locator(".note")).to_contain_text("too long")
    assert page.input_value("#message") == text


def test_the_language_can_be_switched_and_stays(visits: Visits, base_url: str) -> None:
    for with_script in (True, False):
        page = visits.open(base_url, language="ko", script=with_script)
        page.get_by_text("English").click()
        expect(page.locator("#send")).to_have_text("Send")
        page.goto(base_url)
        assert page.locator("html").get_attribute("lang") == "en"


def test_without_javascript_switching_the_language_keeps_the_conversation(
    visits: Visits, base_url: str
) -> None:
    page = visits.open(base_url, language="en", script=False)
    page.fill("#message", "hello")
    page.click("#send")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("#send")).to_have_text("보내기")
    expect(page.locator(".said")).to_have_text("hello")


@pytest.mark.parametrize("size", [(320, 640), (360, 740), (768, 1024), (1440, 900)])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_width_needs_sideways_scrolling(
    visits: Visits, base_url: str, size: tuple[int, int], language: str
) -> None:
    page = visits.open(base_url, language=language, size=size)
    ask(page, QUESTIONS[language] + " " + "가나다라마" * 60 + " " + "w" * 300)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#send").bounding_box() is not None


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground_by_four_and_a_half_to_one(
    visits: Visits, base_url: str, dark: bool
) -> None:
    page = visits.open(base_url, language="ko", dark=dark)
    ask(page, QUESTIONS["ko"])
    finished(page)
    ratios = page.evaluate(CONTRASTS)
    assert len(ratios) > 10
    assert {text: ratio for text, ratio in ratios if ratio < 4.5} == {}


def test_targets_are_large_enough_to_hit_and_named(visits: Visits, base_url: str) -> None:
    page = visits.open(base_url, size=(360, 740))
    ask(page, "hello")
    finished(page)
    for target in page.locator("header a, header button, button:visible, select, textarea").all():
        box = target.bounding_box()
        assert box is not None
        assert box["width"] >= 24, target
        assert box["height"] >= 24, target
    controls = page.locator("button:visible, a:visible, select, textarea")
    for control in controls.all():
        expect(control).to_have_accessible_name(re.compile("."))


def test_the_keyboard_alone_is_enough(visits: Visits, base_url: str) -> None:
    page = visits.open(base_url)
    assert page.evaluate("document.activeElement.id") == "message"
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "model"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    finished(page)
    assert page.locator(".said").inner_text() == "first line\nsecond line"


# What browsers and input methods send when Enter ends a composition, in order. "start", "update" and
# "end" are composition events, "key" a keydown: (isComposing, keyCode, key, code).
IME = {
    "Hangul, Chromium on macOS": (
        "안녕",
        [("start",), ("update", "녕"), ("key", True, 229, "Enter", "Enter"), ("end", "녕")],
        1,
    ),
    "Hangul, Chromium on Windows": (
        "안녕",
        [
            ("start",),
            ("update", "녕"),
            ("key", True, 229, "Process", "Enter"),
            ("end", "녕"),
            ("key", False, 13, "Enter", "Enter"),
        ],
        1,
    ),
    "Hangul, Safari: the end comes before the key": (
        "안녕",
        [("start",), ("update", "녕"), ("end", "녕"), ("key", False, 229, "Enter", "Enter")],
        1,
    ),
    "a single Jamo": (
        "ㅋ",
        [("start",), ("update", "ㅋ"), ("key", True, 229, "Enter", "Enter"), ("end", "ㅋ")],
        1,
    ),
    "Kana: Enter takes the candidate": (
        "にほん",
        [("start",), ("update", "にほん"), ("key", True, 229, "Enter", "Enter"), ("end", "にほん")],
        0,
    ),
    "Han: Enter takes the candidate": (
        "漢字",
        [("start",), ("update", "漢字"), ("key", True, 229, "Enter", "Enter"), ("end", "漢字")],
        0,
    ),
    "Kana in Safari": (
        "日本",
        [("start",), ("update", "日本"), ("end", "日本"), ("key", False, 229, "Enter", "Enter")],
        0,
    ),
    "Hangul, and Enter once more afterwards": (
        "안녕",
        [("start",), ("update", "녕"), ("end", "녕"), ("key", False, 13, "Enter", "Enter")],
        1,
    ),
    "Android: a key that says nothing": (
        "안녕",
        [("start",), ("update", "녕"), ("key", True, 229, "Unidentified", "")],
        0,
    ),
    "a syllable under way and no Enter": ("안녕", [("start",), ("update", "녕"), ("end", "녕")], 0),
}
PLAY = """
async ([text, events]) => {
  const box = document.getElementById("message");
  box.value = text.slice(0, -1);
  for (const [kind, ...rest] of events) {
    if (kind === "key") {
      const [isComposing, keyCode, key, code] = rest;
      const pressed = { key, code, keyCode, isComposing, bubbles: true, cancelable: true };
      box.dispatchEvent(new KeyboardEvent("keydown", pressed));
    } else {
      // The last syllable is in the box once its composition has ended.
      if (kind === "end") box.value = text;
      box.dispatchEvent(new CompositionEvent(`composition${kind}`, { data: rest[0] ?? "", bubbles: true }));
    }
  }
  await new Promise((done) => setTimeout(done, 20));
}
"""


@pytest.mark.parametrize(("text", "events", "sent"), IME.values(), ids=IME.keys())
def test_enter_in_an_input_method_sends_hangul_once_and_whole(
    visits: Visits, base_url: str, text: str, events: list[tuple[object, ...]], sent: int
) -> None:
    page = visits.open(base_url, language="ko")
    bodies: list[dict[str, list[dict[str, str]]]] = []
    page.on(
        "request",
        lambda request: (
            bodies.append(json.loads(request.post_data or "{}")) if request.method == "POST" else None
        ),
    )
    page.evaluate(PLAY, [text, events])
    assert [body["turns"][-1]["text"] for body in bodies] == [text] * sent
    expect(page.locator(".said")).to_have_count(sent)


def test_from_elsewhere_a_key_opens_the_page_and_logging_out_closes_it(
    visits: Visits, locked_url: str
) -> None:
    for with_script in (True, False):
        page = visits.open(locked_url, script=with_script)
        page.fill("#key", "not this one")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("does not open the door")
        page.fill("#key", GOOD_KEY)
        page.press("#key", "Enter")
        expect(page.locator("#message")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("#key")).to_be_visible()


def test_the_policy_watch_sees_a_violation(visits: Visits, base_url: str) -> None:
    page = visits.open(base_url)
    page.evaluate("() => { const i = new Image(); i.src = 'https://example.com/x.png'; }")
    page.wait_for_function("() => window.broken.length > 0")
    assert "img-src" in page.evaluate("window.broken.join()")
    page.evaluate("() => { window.broken = []; }")
    visits.complaints.clear()


# Colours as the browser computed them, put on the nearest ground that is painted.
CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour, under) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (parts) => {
    const linear = (p) => (p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts.map((p) => linear(p / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "white";
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
    const under = ground(element);
    const [a, b] = [light(rgb(getComputedStyle(element).color, under)), light(rgb(under, "white"))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([walk.currentNode.data.trim().slice(0, 30), ratio]);
  }
  return found;
}
"""
