"""Scenarios: rules that say what is answered to which request.

Values only; reading them from a file is `scenario_file.py`. The first rule that matches answers.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

import msgspec

from madang.simulator.controls import NONE, Controls
from madang.simulator.request import Request


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a rule is for; what is left out matches everything."""

    model: str | None = None
    """A model name; `*` and `?` as in file names."""
    contains: str | None = None
    """Text that must be in the last user message (or the input of an embedding)."""
    header: dict[str, str] = {}
    """Header names and the values they must have; `*` and `?` as in file names."""
    path: str | None = None
    """The path with or without `/v1`; `*` and `?` as in file names."""
    nth: int | list[int] | None = None
    """Of the requests that match otherwise: the first is 1."""


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call; arguments as a mapping, or as text if they are to be no JSON."""

    name: str
    arguments: dict[str, object] | str = {}


class ScriptedUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Token counts to report; what is left out is counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class ScriptedError(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An error's fields; what is left out is what the API says for the status."""

    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class ScriptedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of a scripted stream: an event of your own, bytes of your own, or a pause before the next."""

    event: dict[str, object] | None = None
    """Sent as `data: {…}`."""
    raw: str | None = None
    """Sent exactly as written, blank line included or not."""
    pause: str | None = None
    """A duration: `200ms`."""


class Scripted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer, as far as it is scripted; the rest is plausible."""

    text: str | None = None
    tool_calls: list[ScriptedCall] = []
    finish_reason: str | None = None
    usage: ScriptedUsage | None = None
    status: int | None = None
    error: ScriptedError | None = None
    headers: dict[str, str] = {}
    body: dict[str, object] | list[object] | str | None = None
    """The whole body: text as it is, anything else as JSON."""
    stream: list[str | ScriptedEvent] = []
    """The stream, piece by piece: a text is one event's content."""


UNSCRIPTED: Final = Scripted()
"""An answer of which nothing is scripted."""


class Rule(msgspec.Struct, frozen=True):
    """What is answered to the requests that match."""

    match: Match = Match()
    answer: Scripted = UNSCRIPTED
    controls: Controls = NONE


class Scenario(msgspec.Struct, frozen=True):
    """Rules, tried in order."""

    rules: tuple[Rule, ...] = ()


NO_RULES: Final = Scenario()


class Script:
    """A scenario under way: it counts, for `nth`."""

    def __init__(self, scenario: Scenario) -> None:
        self._rules = scenario.rules
        self._seen = [0] * len(scenario.rules)

    def find(self, request: Request, model: str, text: str) -> Rule | None:
        """The first rule for this request."""
        for index, rule in enumerate(self._rules):
            if _matches(rule.match, request, model, text):
                self._seen[index] += 1
                if _is_turn(rule.match.nth, self._seen[index]):
                    return rule
        return None


def _is_turn(nth: int | list[int] | None, seen: int) -> bool:
    return nth is None or seen == nth or (isinstance(nth, list) and seen in nth)


def _matches(match: Match, request: Request, model: str, text: str) -> bool:
    return (
        (match.model is None or fnmatchcase(model, match.model))
        and (match.contains is None or match.contains in text)
        and (match.path is None or _same_path(match.path, request.path))
        and all(
            fnmatchcase(request.headers.get(name.lower(), ""), wanted)
            for name, wanted in match.header.items()
        )
    )


def _same_path(wanted: str, path: str) -> bool:
    return fnmatchcase(path, wanted) or fnmatchcase(path.removeprefix("/v1"), wanted)
