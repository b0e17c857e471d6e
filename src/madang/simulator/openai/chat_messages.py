"""The `messages` of a chat request: checked as OpenAI checks them, read as turns."""

from __future__ import annotations

from madang.simulator.openai.fields import Fields, invalid, wrong_type
from madang.simulator.tokens import PER_ATTACHMENT, PER_MESSAGE, estimate
from madang.simulator.vocabulary import Turn

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_ATTACHED = {"image_url": "image", "input_audio": "audio", "file": "file"}
_PARTS = ("text", "image_url", "input_audio", "refusal", "file")
_ORPHAN = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
    "'tool_calls'."
)
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: {ids}"
)


def read_messages(request: Fields) -> tuple[Turn, ...]:
    """The turns of the conversation. Raises ApiError."""
    request.required("messages")
    if "messages" not in request:
        wrong_type("messages", "an array of objects", None)
    reader = _Reader()
    turns = tuple(reader.turn(message, at) for at, message in enumerate(request.objects("messages", least=1)))
    reader.expect_answered()
    return turns


class _Reader:
    """Remembers the tool calls of the last assistant message, which tool messages have to answer."""

    def __init__(self) -> None:
        self._calls: dict[str, str] = {}
        self._open: set[str] = set()

    def turn(self, message: Fields, at: int) -> Turn:
        message.required("role")
        if message.raw("role") is None:
            wrong_type(message.path("role"), "a string", None)
        role = message.one_of("role", _ROLES) or ""
        if role != "tool":
            self.expect_answered()
            self._calls.clear()
        match role:
            case "tool":
                return self._tool(message, at)
            case "assistant":
                return self._assistant(message, at)
            case "function":
                message.required("name")
                return _turn(role, message, at, tool=message.text("name"))
            case _:
                return _turn(role, message, at)

    def expect_answered(self) -> None:
        if self._open:
            ids = ", ".join(call for call in self._calls if call in self._open)
            invalid(_UNANSWERED.format(ids=ids), "messages")

    def _tool(self, message: Fields, at: int) -> Turn:
        message.required("tool_call_id")
        call_id = message.text("tool_call_id") or ""
        if call_id not in self._calls:
            invalid(_ORPHAN, f"messages.[{at}].role")
        self._open.discard(call_id)
        return _turn("tool", message, at, tool=self._calls[call_id])

    def _assistant(self, message: Fields, at: int) -> Turn:
        said = 0
        for call in message.objects("tool_calls", least=1):
            said += self._call(call)
        if "tool_calls" in message and "content" not in message:
            return Turn("assistant", "", tokens=PER_MESSAGE + said)
        if "content" not in message and (
            "refusal" in message or "function_call" in message or "audio" in message
        ):
            return Turn("assistant", message.text("refusal") or "", tokens=PER_MESSAGE)
        turn = _turn("assistant", message, at)
        return Turn(turn.role, turn.text, turn.attachments, None, turn.tokens + said, turn.kinds)

    def _call(self, call: Fields) -> int:
        for name in ("id", "type", "function"):
            call.required(name)
        call_id, function = call.text("id") or "", call.section("function")
        if function is None:
            wrong_type(call.path("function"), "an object", None)
        for name in ("name", "arguments"):
            function.required(name)
        name = function.text("name") or ""
        self._calls[call_id] = name
        self._open.add(call_id)
        return estimate(name) + estimate(function.text("arguments") or "")


def _turn(role: str, message: Fields, at: int, tool: str | None = None) -> Turn:
    content = message.raw("content")
    if isinstance(content, str):
        return Turn(role, content, 0, tool, PER_MESSAGE + estimate(content))
    if content is None:
        invalid("Invalid value for 'content': expected a string, got null.", f"messages.[{at}].content")
    texts: list[str] = []
    attached: list[str] = []
    for part in message.objects("content", "one of a string or array of objects"):
        part.required("type")
        kind = part.one_of("type", _PARTS) or wrong_type(part.path("type"), "a string", None)
        part.required(kind)
        if kind in ("text", "refusal"):
            texts.append(part.text(kind) or "")
        else:
            _check_attached(part, kind)
            attached.append(_ATTACHED[kind])
    joined = "\n".join(texts)
    tokens = PER_MESSAGE + estimate(joined) + len(attached) * PER_ATTACHMENT
    return Turn(role, joined, len(attached), tool, tokens, tuple(attached))


def _check_attached(part: Fields, kind: str) -> None:
    details = part.section(kind) or wrong_type(part.path(kind), "an object", part.raw(kind))
    match kind:
        case "image_url":
            details.required("url")
            _check_image(details.text("url") or "", details)
        case "input_audio":
            for name in ("data", "format"):
                details.required(name)
            details.text("data")
            details.one_of("format", ("wav", "mp3"))
        case _:
            if details.text("file_id") is None:
                details.required("file_data")
                details.text("file_data")


def _check_image(url: str, details: Fields) -> None:
    if not url.startswith(("http://", "https://", "data:image/")):
        invalid(
            "Invalid image URL: expected an http(s) address or a base64-encoded data URL with an image MIME "
            "type.",
            details.path("url"),
            "invalid_image_url",
        )
    details.one_of("detail", ("low", "high", "auto", "original"))
