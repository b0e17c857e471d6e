"""The catalogue, the particles and the choice of language."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from starlette.requests import Request

from madang.web.chat.words import EN, KO, LANGUAGES, WORDS, Language, language_of, preferred, say

PACKAGE = files("madang.web.chat")


def test_both_languages_have_exactly_the_same_keys_in_the_same_order() -> None:
    assert list(KO) == list(EN)


def test_every_sentence_says_something_of_its_own_in_both_languages() -> None:
    for key in KO:
        assert KO[key].strip(), key
        assert EN[key].strip(), key
        assert KO[key] != EN[key], key
        assert re.search("[가-힣]", KO[key]), key
        assert not re.search("[가-힣]", EN[key]), key


def test_both_languages_have_the_same_places_to_fill_in() -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)", text))

    assert {key: places(KO[key]) for key in KO} == {key: places(EN[key]) for key in EN}


def test_every_key_is_used_and_every_used_key_exists() -> None:
    python = [entry for entry in PACKAGE.iterdir() if entry.name.endswith(".py") and entry.name != "words.py"]
    pages = list((PACKAGE / "templates").iterdir())
    code = "".join(entry.read_text(encoding="utf-8") for entry in python)
    html = "".join(entry.read_text(encoding="utf-8") for entry in pages)
    script = (PACKAGE / "static" / "chat.js").read_text(encoding="utf-8")
    in_pages = set(re.findall(r"\bw\.(\w+)", html)) | set(re.findall(r"say\('(\w+)'", html))
    in_script = set(re.findall(r"\bwords\.(\w+)", script))
    in_code = set(re.findall(r'"(\w+)"', code)) & set(KO)
    assert in_pages - set(KO) == set()
    assert in_script - in_code == set()
    assert set(KO) - in_pages - in_code == set()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("질문", "질문을 찾을"),
        ("모델", "모델을 찾을"),
        ("마당쇠", "마당쇠를 찾을"),
        ("gpt-4o", "gpt-4o를 찾을"),
        ("gpt-4.1", "gpt-4.1을 찾을"),
        ("claude-3", "claude-3을 찾을"),
        ("llama-2", "llama-2를 찾을"),
        ("qwen", "qwen을 찾을"),
        ("sonnet (new)", "sonnet (new)를 찾을"),
        ("", "를 찾을"),
        ("{model}", "{model}을 찾을"),
    ],
)
def test_the_particle_fits_how_the_name_is_read(model: str, expected: str) -> None:
    assert say("ko", "error_not_found", model=model).startswith(expected)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr, ko;q=0.3", "ko"),
        ("ko;q=0, en;q=0.1", "en"),
        ("KO", "ko"),
        ("fr-FR", "en"),
        ("", "en"),
        ("*", "en"),
        ("ko;q=abc", "en"),
        ("ko;q=9", "en"),
        (";;;,,,=", "en"),
        ("korean", "en"),
        ("en," * 10_000 + "ko", "en"),
        ("\xff\xfe", "en"),
    ],
)
def test_the_browsers_preference_is_followed_and_nonsense_ignored(accept: str, language: Language) -> None:
    assert preferred(accept) == language


@pytest.mark.parametrize(
    ("cookie", "language"),
    [("madang_lang=en", "en"), ("madang_lang=xx", "ko"), ("madang_lang=", "ko"), ("", "ko")],
)
def test_what_the_visitor_chose_comes_before_what_the_browser_says(cookie: str, language: Language) -> None:
    headers = [(b"accept-language", b"ko"), (b"cookie", cookie.encode())]
    assert language_of(Request({"type": "http", "headers": headers})) == language


def test_every_language_has_its_words() -> None:
    assert set(WORDS) == set(LANGUAGES)
