"""The pages over HTTP: what a form without JavaScript gets, what the script gets, who gets nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urlencode

import msgspec
import pytest

from madang.core.errors import NotFound
from madang.web.auth import Visitor
from madang.web.chat.backend import Message
from madang.web.chat.conversation import MOST_BODY
from madang.web.security import CONTENT_SECURITY_POLICY
from tests.web.chat.scripted import GOOD_KEY, Clock, KeyStore, Script, Surfer

From = Callable[..., Surfer]
MODEL = "offline/extractive"


def ask(surfer: Surfer, message: str = "hello", **fields: str) -> str:
    form = {"token": surfer.token(), "model": MODEL, "message": message, **fields}
    return surfer.post("/chat", data=form).text


def transcript_in(page: str) -> str:
    found = re.search(r'name="transcript" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def stream(surfer: Surfer, body: object, **headers: str) -> tuple[int, str]:
    sent = {"content-type": "application/json", "x-madang-token": surfer.token(), **headers}
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answer = surfer.post("/chat/stream", content=content, headers=sent)
    return answer.status_code, answer.text


QUESTION = {"model": MODEL, "turns": [{"role": "user", "text": "hello"}]}


def test_a_question_without_javascript_is_answered_with_the_whole_page(
    surfer: Surfer, script: Script
) -> None:
    page = ask(surfer, "<b>안녕</b>")
    assert "&lt;b&gt;안녕&lt;/b&gt;" in page
    assert "<p>A <em>good</em> answer.</p>" in page
    assert script.asked == [(MODEL, [Message("user", "<b>안녕</b>")], Visitor())]


def test_the_conversation_goes_on_from_what_the_page_carries(surfer: Surfer, script: Script) -> None:
    first = ask(surfer, "one")
    ask(surfer, "two", transcript=transcript_in(first))
    assert [message.text for message in script.asked[-1][1]] == ["one", "A *good* answer.", "two"]


def test_a_failed_answer_keeps_its_text_and_offers_to_try_again(surfer: Surfer, script: Script) -> None:
    script.pieces = ["Half", NotFound("No model of that name.")]
    page = ask(surfer, "one")
    assert "<p>Half</p>" in page
    assert "There is no model offline/extractive." in page
    assert "No model of that name." in page
    assert 'name="again"' in page
    script.pieces = ["Whole."]
    again = ask(surfer, "", transcript=transcript_in(page), again="1")
    assert "Whole." in again
    assert "Half" not in again
    assert [message.text for message in script.asked[-1][1]] == ["one"]


def test_an_answer_cut_by_its_length_says_so(surfer: Surfer, script: Script) -> None:
    script.stop_reason = "length"
    assert "reached its length limit" in ask(surfer)


def test_an_endless_answer_is_stopped(surfer: Surfer, script: Script) -> None:
    script.pieces = ["word " * 1000] * 1000
    assert "reached its length limit" in ask(surfer)
    assert script.closed == 1


def test_too_long_a_message_is_refused_and_given_back(surfer: Surfer, script: Script) -> None:
    page = ask(surfer, "가" * 70_000)
    assert "too long" in page
    assert "가" * 70_000 in page
    assert script.asked == []


def test_switching_the_language_keeps_the_conversation(surfer: Surfer, script: Script) -> None:
    page = ask(surfer, "one", transcript=transcript_in(ask(surfer, "zero")))
    switched = ask(surfer, "", transcript=transcript_in(page), lang="ko")
    assert '<html lang="ko">' in switched
    assert "one" in switched
    assert len(script.asked) == 2
    assert '<html lang="ko">' in surfer.get("/").text


def test_the_language_follows_the_browser_until_somebody_chooses(surfer: Surfer) -> None:
    assert '<html lang="ko">' in surfer.get("/", headers={"accept-language": "ko-KR"}).text
    chosen = surfer.get("/?lang=en")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
    assert '<html lang="en">' in surfer.get("/", headers={"accept-language": "ko-KR"}).text


def test_the_model_is_remembered(surfer: Surfer) -> None:
    assert 'value="openai/gpt-4o" selected' not in surfer.get("/").text
    ask(surfer, model="openai/gpt-4o")
    assert 'value="openai/gpt-4o" selected' in surfer.get("/").text


def test_without_any_model_the_page_says_so_and_cannot_send(surfer: Surfer, script: Script) -> None:
    script.choices = []
    page = surfer.get("/").text
    assert "No model is available." in page
    assert re.search(r'<button id="send"[^>]* disabled', page)


def test_the_script_gets_events(surfer: Surfer, script: Script) -> None:
    status, body = stream(surfer, QUESTION)
    assert status == 200
    assert body.startswith("event: start\n")
    assert body.endswith('event: done\ndata: {"stop_reason":"stop"}\n\n')
    assert "<em>good</em>" in body


def test_a_kept_conversation_is_set_again(surfer: Surfer) -> None:
    turns = [{"role": "user", "text": "*no*"}, {"role": "assistant", "text": "*yes* <script>x</script>"}]
    headers = {"content-type": "application/json", "x-madang-token": surfer.token()}
    answer = surfer.post("/chat/render", content=msgspec.json.encode({"turns": turns}), headers=headers)
    assert answer.json() == {"html": ["", "<p><em>yes</em> &lt;script&gt;x&lt;/script&gt;</p>\n"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'{"turns":null}', 400),
        (b'{"turns":[{"role":"system","text":"x"}],"model":"m"}', 400),
        (b'{"turns":[{"role":"user","text":"\xff"}],"model":"m"}', 400),
        (b'{"turns":[{"role":"user","text":"x"}]}', 400),
        (b'{"turns":[],"model":"m"}', 400),
        (b'{"turns":' + b"[" * 100_000, 400),
        (b" " * (MOST_BODY + 1), 413),
        (msgspec.json.encode({"model": "m", "turns": [{"role": "user", "text": "x" * 200_001}]}), 413),
        (msgspec.json.encode({"model": "m", "turns": [{"role": "user", "text": "x"}] * 41}), 413),
    ],
)
def test_a_bad_question_is_refused_with_a_sentence(
    surfer: Surfer, script: Script, body: bytes, status: int
) -> None:
    got, text = stream(surfer, body)
    assert got == status
    assert msgspec.json.decode(text)["message"]
    assert script.asked == []


def test_a_question_of_another_type_than_json_is_refused(surfer: Surfer) -> None:
    assert stream(surfer, QUESTION, **{"content-type": "text/plain"})[0] == 415


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 403),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 30, "application/x-www-form-urlencoded", 400),
        (b"token=%FF", "application/x-www-form-urlencoded", 403),
        (b"x" * (MOST_BODY + 1), "application/x-www-form-urlencoded", 413),
        (b"--x", "multipart/form-data; boundary=x", 415),
        (b"{}", "application/json", 415),
        (b"x", "", 415),
    ],
)
def test_a_bad_form_is_refused_with_a_page(surfer: Surfer, content: bytes, kind: str, status: int) -> None:
    answer = surfer.post("/chat", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/chat", "/chat/stream", "/chat/render", "/login", "/logout"])
def test_a_post_from_elsewhere_is_refused_even_with_a_token(
    surfer: Surfer, script: Script, path: str, headers: dict[str, str]
) -> None:
    token = surfer.token()
    if path.startswith("/chat/"):
        sent = {"content-type": "application/json", "x-madang-token": token, **headers}
        answer = surfer.post(path, content=msgspec.json.encode(QUESTION), headers=sent)
    else:
        form = {"token": token, "model": MODEL, "message": "x", "key": GOOD_KEY}
        answer = surfer.post(path, data=form, headers=headers)
    assert answer.status_code == 403
    assert script.asked == []
    assert "set-cookie" not in answer.headers


def test_a_post_without_the_sessions_own_token_is_refused_in_both_languages(
    surfer_from: From, script: Script
) -> None:
    surfer, other = surfer_from(), surfer_from()
    surfer.get("/")
    for token in ("", "x", other.token()):
        answer = surfer.post("/chat", data={"token": token, "model": MODEL, "message": "x"})
        assert answer.status_code == 403
        assert "새로 고친 뒤" in answer.text
        assert "Reload it and send again." in answer.text
        assert stream(surfer, QUESTION, **{"x-madang-token": token})[0] == 403
    assert script.asked == []


@pytest.mark.parametrize(
    ("peer", "base_url"),
    [
        ("203.0.113.7", "http://localhost:4000"),
        ("127.0.0.1", "http://rebound.example:4000"),
        ("192.168.0.9", "http://192.168.0.2:4000"),
    ],
)
def test_nobody_from_elsewhere_sees_or_asks_anything_without_a_login(
    surfer_from: From, script: Script, peer: str, base_url: str
) -> None:
    surfer = surfer_from(peer, base_url)
    home = surfer.get("/")
    assert (home.status_code, home.headers["location"]) == (303, "/login")
    token = surfer.token("/login")
    asked = surfer.post("/chat", data={"token": token, "model": MODEL, "message": "x"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    for path in ("/chat/stream", "/chat/render"):
        headers = {"content-type": "application/json", "x-madang-token": token}
        assert surfer.post(path, content=msgspec.json.encode(QUESTION), headers=headers).status_code == 401
    assert script.asked == []


def test_a_login_with_a_good_key_opens_the_chat_and_logging_out_closes_it(
    surfer_from: From, script: Script
) -> None:
    surfer = surfer_from("203.0.113.7", "http://madang.example")
    entered = surfer.post("/login", data={"token": surfer.token("/login"), "key": f" {GOOD_KEY} "})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    page = surfer.get("/").text
    assert "team &lt;a&gt;" in page
    assert GOOD_KEY not in page
    ask(surfer)
    visitor = script.asked[-1][2]
    assert visitor.key is not None
    assert visitor.key.fingerprint == "k1"
    surfer.post("/logout", data={"token": surfer.token()})
    assert surfer.get("/").status_code == 303


def test_a_revoked_key_is_outside_at_once(surfer_from: From, keys: KeyStore) -> None:
    surfer = surfer_from("203.0.113.7", "http://madang.example")
    surfer.post("/login", data={"token": surfer.token("/login"), "key": GOOD_KEY})
    assert surfer.get("/").status_code == 200
    keys.revoked = True
    assert surfer.get("/").status_code == 303


def test_a_wrong_key_is_told_and_repeated_ones_wait(surfer_from: From, clock: Clock) -> None:
    surfer = surfer_from("203.0.113.7", "http://madang.example")
    for _ in range(5):
        wrong = surfer.post("/login", data={"token": surfer.token("/login"), "key": "mk_wrong_one"})
        assert wrong.status_code == 401
        assert "mk_wrong_one" not in wrong.text
    waits = surfer.post("/login", data={"token": surfer.token("/login"), "key": GOOD_KEY})
    assert waits.status_code == 429
    assert waits.headers["retry-after"] == "2"
    clock.now += 2
    assert surfer.post("/login", data={"token": surfer.token("/login"), "key": GOOD_KEY}).status_code == 303


class Page(HTMLParser):
    """What in a page could run or load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.suspicious: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.suspicious += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        if tag in {"script", "link", "img", "iframe", "style", "object", "embed", "base"}:
            self.loaded.append(values.get("src") or values.get("href") or f"inline {tag}")


@pytest.mark.parametrize("path", ["/", "/login"])
def test_pages_load_their_own_files_only_and_contain_nothing_inline(surfer_from: From, path: str) -> None:
    surfer = surfer_from() if path == "/" else surfer_from("203.0.113.7")
    answer = surfer.get(path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"
    page = Page(answer.text)
    assert page.suspicious == []
    assert page.loaded
    for url in page.loaded:
        asset = surfer.get(url)
        assert asset.status_code == 200, url
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "text",
    [
        "</textarea><script>alert(1)</script>",
        '"><script>alert(1)</script>',
        "' onfocus='alert(1)",
        "</template></main><img src=x onerror=alert(1)>",
        "{{ 7*7 }}{% raw %}",
        "&quot;><svg onload=alert(1)>",
    ],
)
def test_hostile_text_from_the_visitor_stays_text_in_every_place_of_the_page(
    surfer: Surfer, text: str
) -> None:
    clean = Page(ask(surfer)).loaded
    turns = [{"role": "user", "text": text}, {"role": "assistant", "text": text, "by": text}]
    hostile = ask(surfer, text, transcript=msgspec.json.encode(turns).decode(), model=text)
    assert Page(hostile).suspicious == []
    assert Page(hostile).loaded == clean
    refused = ask(surfer, text + "x" * 200_000, model=text)
    assert Page(refused).loaded == clean
    assert "49" not in re.sub(r'value="[^"]*"', "", hostile)


@pytest.mark.parametrize(
    "path",
    ["chat.js", "../pages.py", "..%2fpages.py", "%2e%2e/words.py", "chat.css.bak", "", "%00", "chat.js%00"],
)
def test_only_the_files_of_the_page_are_served(surfer: Surfer, path: str) -> None:
    assert surfer.get(f"/static/0000000000000000/{path}").status_code == 404
    version = re.search(r"/static/(\w+)/", surfer.get("/").text)
    assert version is not None
    assert surfer.get(f"/static/{version[1]}/{path}").status_code == (200 if path == "chat.js" else 404)


@pytest.mark.parametrize(
    "cookie", ["madang_model=%ff%00<x>", "madang_lang=<x>", "madang_model=" + "x" * 5000]
)
def test_a_bad_cookie_spoils_no_page(surfer: Surfer, cookie: str) -> None:
    answer = surfer.get("/", headers={"cookie": cookie})
    assert answer.status_code == 200
    assert "<x>" not in answer.text


def test_the_chats_address_typed_in_leads_to_the_page(surfer: Surfer) -> None:
    assert surfer.get("/chat").headers["location"] == "/"


def test_the_last_of_several_equal_fields_counts(surfer: Surfer, script: Script) -> None:
    form = urlencode([("token", surfer.token()), ("model", MODEL), ("message", "one"), ("message", "two")])
    surfer.post("/chat", content=form, headers={"content-type": "application/x-www-form-urlencoded"})
    assert script.asked[-1][1] == [Message("user", "two")]
