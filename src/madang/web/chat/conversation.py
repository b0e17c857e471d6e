"""The conversation as a page sends it: read, bounded, and turned into messages.

It lives in the page, so it comes back with every question. Whoever sends it may have changed it;
it is their own conversation, and only its size and shape matter to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qs

import msgspec
from starlette.requests import ClientDisconnect, Request

from madang.web.chat.backend import Message

MOST_QUESTIONS = 40
MOST_BYTES = 200_000
MOST_ANSWER = 100_000
"""Characters of one answer. A model that does not stop is stopped."""
# A Hangul syllable is 3 bytes and becomes 9 in a form; JSON's escapes come on top.
MOST_BODY = 1_000_000


class Unusable(Exception):
    """A conversation we do not pass on: a status and the key of the sentence that says why."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


class Turn(msgspec.Struct, frozen=True):
    """What somebody said. `by` is the model's title, for the heading; `cut` says it is not whole."""

    role: Literal["user", "assistant"]
    text: str
    by: str = ""
    cut: bool = False


class Question(msgspec.Struct, frozen=True):
    """A conversation and the model that is to continue it."""

    turns: tuple[Turn, ...]
    model: str = ""


class Posted(msgspec.Struct, frozen=True):
    """A form as the page without JavaScript posts it."""

    token: str = ""
    model: str = ""
    transcript: str = ""
    message: str = ""
    again: str = ""
    lang: str = ""
    key: str = ""


async def read_body(request: Request) -> bytes:
    """The body, or `Unusable` as soon as it is too large."""
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST_BODY:
                raise Unusable(413, "too_long", kb=MOST_BYTES // 1000)
            parts.append(chunk)
    except ClientDisconnect as error:
        raise Unusable(400, "malformed") from error
    return b"".join(parts)


async def read_form(request: Request) -> Posted:
    """A posted form. The last of several equal names counts; unknown names are ignored."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Unusable(415, "malformed")
    try:
        fields = parse_qs((await read_body(request)).decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise Unusable(400, "malformed") from error
    known = set(Posted.__struct_fields__)
    return Posted(**{name: values[-1] for name, values in fields.items() if name in known})


async def read_question(request: Request) -> Question:
    """What the page with JavaScript sends."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Unusable(415, "malformed")
    return _decode(await read_body(request))


def question_of(form: Posted) -> Question:
    """What the page without JavaScript sends: the transcript so far and a new message."""
    turns = _decode_turns(form.transcript) if form.transcript else ()
    if form.again:
        turns = turns[:-1] if turns and turns[-1].role == "assistant" else turns
    elif not form.lang:
        turns = (*turns, Turn("user", form.message.replace("\r\n", "\n").strip()))
    return Question(turns, form.model)


def check(question: Question) -> None:
    """Raise `Unusable` unless this can be asked."""
    turns = question.turns
    if not turns or turns[-1].role != "user" or not turns[-1].text.strip():
        raise Unusable(400, "empty")
    check_size(turns)
    if not 0 < len(question.model) <= 200:
        raise Unusable(400, "malformed")


def check_size(turns: Sequence[Turn]) -> None:
    if sum(turn.role == "user" for turn in turns) > MOST_QUESTIONS or len(turns) > 2 * MOST_QUESTIONS:
        raise Unusable(413, "too_many_turns", turns=MOST_QUESTIONS)
    if sum(len(turn.text.encode("utf-8", "replace")) + len(turn.by) for turn in turns) > MOST_BYTES:
        raise Unusable(413, "too_long", kb=MOST_BYTES // 1000)


def messages(turns: Sequence[Turn]) -> list[Message]:
    """What the model is given. An answer of which nothing arrived is no message."""
    return [Message(turn.role, turn.text) for turn in turns if turn.text.strip()]


def transcript(turns: Sequence[Turn]) -> str:
    """The turns as the hidden field carries them."""
    return msgspec.json.encode(turns).decode()


def _decode(data: bytes) -> Question:
    try:
        return msgspec.json.decode(data, type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(400, "malformed") from error


def _decode_turns(text: str) -> tuple[Turn, ...]:
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=tuple[Turn, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(400, "malformed") from error
