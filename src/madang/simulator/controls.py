"""What can be asked of the simulator per request, by model name or by header.

One list, `CONTROLS`: parsing, the error for an unknown control, `--controls` and the table in
`docs/simulator.md` all come from it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from madang.simulator.latency import parse_duration

HEADER: Final = "x-simulate"
MODEL_PREFIX: Final = "sim-"


class Controls(msgspec.Struct, frozen=True):
    """What one request asks for. `None` is: not asked for."""

    tokens: int | None = None
    echo: bool | None = None
    refuse: bool | None = None
    tool_calls: int | None = None
    reasoning: int | None = None
    redact: bool | None = None
    finish: str | None = None
    delay: float | None = None
    first_token: float | None = None
    pace: float | None = None
    error: int | None = None
    error_code: str | None = None
    retry_after: float | None = None
    hangup: bool | None = None
    half_head: bool | None = None
    reset: bool | None = None
    stall: bool | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    stall_after: int | None = None
    garbage_after: int | None = None
    bad_json_after: int | None = None
    error_after: int | None = None
    truncate: bool | None = None
    no_done: bool | None = None
    content_type: str | None = None
    shred: bool | None = None
    crlf: bool | None = None
    ping: int | None = None

    def over(self, other: Controls) -> Controls:
        """These, and where they say nothing the other's."""
        if self is NONE or other is NONE:
            return other if self is NONE else self
        mine = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(other, **mine)


NONE: Final = Controls()


class UnknownControl(ValueError):
    """A control nobody knows, or a value it does not take; the text says what would do."""


def _flag(text: str) -> bool:
    if text in ("", "1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{text!r} is neither 1 nor 0")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise ValueError(f"{text!r} is not a whole number from 0 to 9999999")
    return int(text)


def _every(text: str) -> int:
    if (number := _count(text)) == 0:
        raise ValueError("0 is too few; write 1 or more")
    return number


def _status(text: str) -> int:
    if text.isascii() and text.isdigit() and 400 <= int(text) <= 599:
        return int(text)
    raise ValueError(f"{text!r} is not an HTTP error status from 400 to 599")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return parse_duration(text)
    if not 0 <= seconds <= 86400:
        raise ValueError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


def _rate(text: str) -> float:
    """Seconds between tokens, from tokens per second."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1e6:
        raise ValueError(f"{text!r} is not a number of tokens per second from 0.01 to 1000000")
    return 1 / rate


def _word(text: str) -> str:
    # A header's value goes out as it came in: nothing that could end the line.
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("wants a word of printable ASCII")
    return text


class Control(msgspec.Struct, frozen=True):
    """One control: its name, what it sets, what it takes and what it does."""

    name: str
    takes: str
    """An example value; empty for one that is only switched on."""
    does: str
    read: Callable[[str], object]
    sets: str = ""
    """The field of `Controls`, if it is not the name with underscores."""

    @property
    def field(self) -> str:
        """The field of `Controls` it sets."""
        return self.sets or self.name.replace("-", "_")


CONTROLS: Final = (
    Control("tokens", "100", "The answer has exactly this many tokens.", _count),
    Control("echo", "", "The answer is the last user message.", _flag),
    Control("refuse", "", "The model refuses: `refusal` instead of `content`.", _flag),
    Control("tool-calls", "2", "How many of the request's tools are called; 0: answer in text.", _count),
    Control("reasoning", "256", "Reasoning tokens in the usage.", _count),
    Control("redact", "", "Thoughts come encrypted: Anthropic's `redacted_thinking`.", _flag),
    Control("finish", "content_filter", "The `finish_reason`.", _word),
    Control("delay", "200ms", "Wait before the first byte, in place of the latency.", parse_duration),
    Control("slow", "2000ms", "The same as `delay`.", parse_duration, "delay"),
    Control("first-token", "300ms", "Wait between the head and the first event of a stream.", parse_duration),
    Control("pace", "20ms", "Time per token.", parse_duration),
    Control("tps", "50", "Tokens per second: `pace`, said the other way round.", _rate, "pace"),
    Control("error", "429", "Answer with this error, 400 to 599, in the API's own words.", _status),
    Control("error-code", "insufficient_quota", "The `code` of that error.", _word),
    Control("retry-after", "2", "`retry-after` and `retry-after-ms` of that error, in seconds.", _seconds),
    Control("hangup", "", "Close the connection without a byte.", _flag),
    Control("half-head", "", "Send half of the response head, then close.", _flag),
    Control("reset", "", "Reset the connection (RST) without a byte.", _flag),
    Control("stall", "", "Send nothing, and hold the connection.", _flag),
    Control("cut-after", "3", "Close in the middle: after 3 events, without the end of the body.", _count),
    Control("reset-after", "3", "Reset the connection (RST) after 3 events.", _count),
    Control("stall-after", "3", "Fall silent after 3 events, and hold the connection.", _count),
    Control("garbage-after", "2", "Break the chunked framing after 2 events.", _count),
    Control("bad-json-after", "2", "After 2 events, one whose JSON is broken off; then go on.", _count),
    Control(
        "error-after", "2", "After 2 events, an error event; the stream ends there, well-formed.", _count
    ),
    Control("truncate", "", "Send half of the body the head has promised, then close.", _flag),
    Control("no-done", "", "End the stream without its `[DONE]`.", _flag),
    Control("content-type", "text/html", "A wrong content type.", _word),
    Control("shred", "", "Deliver the body one byte at a time: each a chunk and a write.", _flag),
    Control("crlf", "", "End lines and events of the stream with CR LF.", _flag),
    Control("ping", "1", "A comment line before every event; 5: before every fifth.", _every),
)

_BY_NAME: Final = {control.name: control for control in CONTROLS}
_LONGEST_FIRST: Final = sorted(_BY_NAME, key=len, reverse=True)


def read_header(text: str) -> Controls:
    """Controls from `error=429; retry-after=2`. Raises UnknownControl."""
    parts = (part.strip() for part in text.split(";"))
    return read_pairs(_pair(part) for part in parts if part)


def read_model(model: str) -> Controls:
    """Controls from `sim-cut-after-3` or `sim-tokens-50+pace-20ms`. Raises UnknownControl."""
    if not model.startswith(MODEL_PREFIX):
        return NONE
    return read_pairs(_name_and_value(part) for part in model.removeprefix(MODEL_PREFIX).split("+"))


def read_mapping(values: Mapping[str, object]) -> Controls:
    """Controls from a scenario file's mapping. Raises UnknownControl."""
    return read_pairs((name, _as_text(value)) for name, value in values.items())


def read_pairs(pairs: Iterable[tuple[str, str]]) -> Controls:
    """Controls from names and values. Raises UnknownControl."""
    values: dict[str, object] = {}
    for name, value in pairs:
        control = _known(name)
        try:
            values[control.field] = control.read(value)
        except ValueError as error:
            example = f"{name}={control.takes}" if control.takes else name
            raise UnknownControl(f"control {name!r}: {error}; for example {example}") from None
    return msgspec.convert(values, Controls)


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _name_and_value(part: str) -> tuple[str, str]:
    for name in _LONGEST_FIRST:
        if part == name or part.startswith(name + "-"):
            return name, part[len(name) + 1 :]
    return part, ""


def _known(name: str) -> Control:
    if (control := _BY_NAME.get(name)) is not None:
        return control
    close = difflib.get_close_matches(name, _BY_NAME, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownControl(f"Unknown control {name[:60]!r}.{hint} Known controls: {', '.join(_BY_NAME)}.")


def table() -> str:
    """All controls as a Markdown table, for the documentation page."""
    rows = [
        f"| `{MODEL_PREFIX}{_example(control, '-')}` | `{_example(control, '=')}` | {control.does} |"
        for control in CONTROLS
    ]
    return "\n".join([f"| model name | `{HEADER}` header | what happens |", "|---|---|---|", *rows])


def _example(control: Control, joint: str) -> str:
    return f"{control.name}{joint}{control.takes}" if control.takes else control.name
