"""What every file here needs: the dialect's name, and how members that are nested are put back.

Leftovers and notes on the form live in `extra` under `NAME`, as `core.messages` says. The notes used
here, each named where it is read: `$content`, `$form`, `$absent`, `$repeats`, `$cited`, ….
"""

from __future__ import annotations

from collections.abc import Iterable

from madang.core.messages import Extra, Json
from madang.dialects.reading import Members, note, put

NAME = "openai_chat"


def noted(extra: Extra, name: str) -> Json:
    """A note of ours on the form; `None` where there is none."""
    return note(extra, NAME, name) if extra else None


def leftovers(extra: Extra) -> dict[str, Json]:
    """All leftovers of ours."""
    mine = extra.get(NAME)
    return {name: value for name, value in mine.items() if name[:1] != "$"} if mine else {}


def restore(out: dict[str, Json], extra: Extra) -> dict[str, Json]:
    """Leftovers put back into what was rendered, one level deep; what was absent is taken out again."""
    if not extra:
        return out
    put(out, extra, NAME)
    mine = extra.get(NAME)
    if mine:
        for name, value in mine.items():
            if isinstance(value, dict) and out.get(name) is not value and isinstance(out.get(name), dict):
                out[name] = {**out[name], **value}
        for name in mine.get("$absent", ()):
            out.pop(name, None)
    return out


def give_way(out: dict[str, Json], extra: Extra) -> dict[str, Json]:
    """Without what was rendered for want of something better: the member is among the leftovers.

    It was null there, or not what it should be.
    """
    for name in out.keys() & extra.get(NAME, {}).keys():
        del out[name]
    return out


def keep(members: Members, name: str, inner: Members) -> None:
    """What is left of an inner object stays with the outer one's leftovers; `restore` joins them."""
    if inner.left:
        members.left[name] = inner.left


def absent(members: Members, names: Iterable[str]) -> list[str] | None:
    """Which members, usual as they are, were not written; for the note `absent`."""
    return [name for name in names if name not in members.left] or None
