"""Every word on the screen, in Korean and English, and which of the two a visitor reads.

One key, one meaning; the tests hold both languages to the same keys and the same places to fill in.
"""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from starlette.requests import HTTPConnection

Language = Literal["ko", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
COOKIE = "madang_lang"

KO: Final[dict[str, str]] = {
    "name": "마당",
    "page_title": "마당에서 이야기하기",
    "log_label": "대화",
    "welcome": "어서 오세요",
    "welcome_line": "무엇이든 물어보세요.",
    "welcome_privacy": "대화는 이 화면에만 있고 서버에 저장되지 않습니다.",
    "notice": "답변은 생성형 인공지능이 만듭니다.",
    "notice_check": "틀릴 수 있으니 중요한 내용은 확인해 주세요.",
    "you": "나",
    "answer": "답변",
    "message_label": "메시지",
    "message_hint": "메시지를 입력하세요",
    "model_label": "모델",
    "no_models": "쓸 수 있는 모델이 없습니다. 제공자의 키를 설정한 뒤 다시 열어 주세요.",
    "send": "보내기",
    "stop": "멈추기",
    "copy": "복사",
    "copied": "복사했습니다",
    "again": "다시 시도",
    "new": "새 대화",
    "language_switch": "언어",
    "log_in": "로그인",
    "log_out": "로그아웃",
    "logged_in_as": "로그인한 키: {name}",
    "status_thinking": "답변을 준비하고 있습니다",
    "status_done": "답변이 끝났습니다",
    "status_new": "새 대화를 시작했습니다",
    "stopped": "여기에서 멈췄습니다.",
    "cut_length": "길이 제한에 이르러 답변이 여기에서 끝났습니다.",
    "login_title": "키로 들어오기",
    "login_line": "이 컴퓨터가 아닌 곳에서는 마당 키가 있어야 합니다.",
    "login_label": "마당 키",
    "login_hint": "키는 서버를 시작한 터미널에 나오거나 관리자에게 받을 수 있습니다.",
    "login_wrong": "이 키로는 들어올 수 없습니다. 잘못 입력했거나 만료되었거나 취소된 키입니다.",
    "login_wait": "잘못된 키가 여러 번 입력되었습니다. {seconds}초 뒤에 다시 시도해 주세요.",
    "refused_title": "요청을 처리하지 않았습니다",
    "refused_origin": "이 페이지에서 보낸 요청인지 알 수 없습니다. 새로 고친 뒤 다시 보내 주세요.",
    "back": "대화로 돌아가기",
    "too_many_turns": "이 대화는 질문 {turns}개가 가득 찼습니다. 새 대화를 시작해 주세요.",
    "too_long": "대화가 너무 깁니다. 모두 {kb} kB까지 보낼 수 있습니다. 줄이거나 새 대화를 시작해 주세요.",
    "empty": "메시지가 비어 있습니다.",
    "malformed": "요청을 읽을 수 없습니다. 페이지를 새로 고친 뒤 다시 보내 주세요.",
    "login_needed": "로그인이 끝났습니다. 다시 로그인해 주세요.",
    "error_connection": "연결이 끊겼습니다. 여기까지 받은 답변은 남아 있습니다.",
    "error_generic": "답변을 받지 못했습니다.",
    "error_connect": "모델 제공자에 연결하지 못했습니다.",
    "error_timeout": "모델 제공자가 제때 답하지 않았습니다.",
    "error_broken": "모델 제공자의 답변이 도중에 끊겼습니다.",
    "error_unavailable": "지금은 답변할 수 없습니다. 잠시 뒤에 다시 시도해 주세요.",
    "error_not_allowed": "이 키로는 {model:을/를} 쓸 수 없습니다.",
    "error_not_found": "{model:을/를} 찾을 수 없습니다. 다른 모델을 골라 주세요.",
    "error_too_large": "이 모델이 받기에는 대화가 너무 깁니다.",
    "error_request": "모델이 이 요청을 받아들이지 않았습니다.",
}

EN: Final[dict[str, str]] = {
    "name": "Madang",
    "page_title": "Chat in Madang",
    "log_label": "Conversation",
    "welcome": "Welcome",
    "welcome_line": "Ask anything.",
    "welcome_privacy": "The conversation lives on this page only; the server keeps none of it.",
    "notice": "Answers are made by generative AI.",
    "notice_check": "They can be wrong; check what matters.",
    "you": "You",
    "answer": "Answer",
    "message_label": "Message",
    "message_hint": "Write a message",
    "model_label": "Model",
    "no_models": "No model is available. Set a provider's key, then open this page again.",
    "send": "Send",
    "stop": "Stop",
    "copy": "Copy",
    "copied": "Copied",
    "again": "Try again",
    "new": "New chat",
    "language_switch": "Language",
    "log_in": "Log in",
    "log_out": "Log out",
    "logged_in_as": "Logged in with the key {name}",
    "status_thinking": "An answer is on its way",
    "status_done": "The answer is complete",
    "status_new": "A new conversation has started",
    "stopped": "Stopped here.",
    "cut_length": "The answer ends here because it reached its length limit.",
    "login_title": "Come in with a key",
    "login_line": "From anywhere but this machine you need a Madang key.",
    "login_label": "Madang key",
    "login_hint": "It is in the terminal that started the server, or ask whoever runs it.",
    "login_wrong": "This key does not open the door. It is mistyped, expired or revoked.",
    "login_wait": "Too many wrong keys. Try again in {seconds} s.",
    "refused_title": "The request was refused",
    "refused_origin": "It is not certain that this page sent the request. Reload it and send again.",
    "back": "Back to the conversation",
    "too_many_turns": "This conversation is full at {turns} questions. Start a new one.",
    "too_long": "The conversation is too long: {kb} kB in all can be sent. Shorten it or start a new one.",
    "empty": "The message is empty.",
    "malformed": "The request could not be read. Reload the page and send it again.",
    "login_needed": "Your login has ended. Log in again.",
    "error_connection": "The connection broke. What had arrived of the answer is kept.",
    "error_generic": "No answer came.",
    "error_connect": "The model's provider could not be reached.",
    "error_timeout": "The model's provider did not answer in time.",
    "error_broken": "The provider's answer broke off.",
    "error_unavailable": "No answer is possible just now. Try again in a moment.",
    "error_not_allowed": "This key may not use {model}.",
    "error_not_found": "There is no model {model}. Choose another one.",
    "error_too_large": "The conversation is too long for this model.",
    "error_request": "The model did not accept this request.",
}

WORDS: Final[dict[Language, dict[str, str]]] = {"ko": KO, "en": EN}
LANGUAGE_NAMES: Final[dict[Language, str]] = {"ko": "한국어", "en": "English"}

_PLACE = re.compile(r"\{(\w+)(?::([^/}]+)/([^}]+))?\}")
_HANGUL_FIRST, _HANGUL_LAST, _FINALS = 0xAC00, 0xD7A3, 28
# Digits and letters whose Korean name ends in a consonant: 영 일 삼 육 칠 팔, 엘 엠 엔 알.
_ENDS_IN_CONSONANT = frozenset("013678lmnr")


def say(language: Language, key: str, **values: object) -> str:
    """A sentence with its places filled in; `{model:을/를}` takes the particle that fits the value."""

    def fill(match: re.Match[str]) -> str:
        word, with_final, without = str(values[match[1]]), match[2], match[3]
        if with_final is None:
            return word
        return word + (with_final if ends_in_consonant(word) else without)

    return _PLACE.sub(fill, WORDS[language][key])


def ends_in_consonant(word: str) -> bool:
    """Whether a word read aloud in Korean ends in a consonant (받침)."""
    last = next((char for char in reversed(word.lower()) if char.isalnum()), "")
    if last and _HANGUL_FIRST <= ord(last) <= _HANGUL_LAST:
        return (ord(last) - _HANGUL_FIRST) % _FINALS != 0
    return last in _ENDS_IN_CONSONANT


def language_of(request: HTTPConnection) -> Language:
    """What the visitor chose, else what the browser prefers, else English."""
    chosen = as_language(request.cookies.get(COOKIE, ""))
    return chosen or preferred(request.headers.get("accept-language", ""))


def as_language(text: str) -> Language | None:
    return next((language for language in LANGUAGES if language == text), None)


def preferred(accept: str) -> Language:
    """The better liked of our languages in an `Accept-Language` header; English if neither is there."""
    best: tuple[float, Language] = (0.0, "en")
    for item in accept[:500].split(","):
        tag, _, weight = item.partition(";")
        language = as_language(tag.strip().lower().partition("-")[0])
        liking = _weight(weight)
        if language and liking > best[0]:
            best = (liking, language)
    return best[1]


def _weight(text: str) -> float:
    match = re.fullmatch(r"\s*(?:q=([01](?:\.[0-9]{0,3})?))?\s*", text)
    return 0.0 if match is None else float(match[1] or 1)
