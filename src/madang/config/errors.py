"""What is wrong with a configuration: every fault at once, each with its place and its cure.

No value that may be a secret is ever part of one; see `shown` for what may be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from madang.core.errors import ConfigError, MadangError

Steps = tuple[str | int, ...]
"""A path as its steps: `("routes", "fast", "targets", 0)`."""

HIDDEN = "a value from the environment (not shown)"

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
# Keys carry a vendor's prefix, or are long runs of letters and digits that no word is.
_KEYLIKE = re.compile(
    r"(^|[\W_])(sk|pk|gsk|xai|pplx|nvapi|fw|hf|key|token|bearer)[-_ ][\w-]{6,}"
    r"|AIza"
    r"|(?=\S*\d)[A-Za-z0-9+/_-]{24,}",
    re.IGNORECASE,
)


class Fault(ConfigError):
    """A `ConfigError` that knows the file and the place in it."""

    def __init__(
        self,
        steps: Steps,
        *,
        got: str,
        want: str,
        hint: str = "",
        place: tuple[int, int] | None = None,
        at_key: bool = False,
    ) -> None:
        super().__init__(written(steps), got=got, want=want, hint=hint)
        self.steps = steps
        self.place = place
        """Line and column, counted from 1."""
        self.at_key = at_key
        """Whether it is about the name at the end of the path and not about its value."""
        self.file = ""

    @property
    def line(self) -> int | None:
        return self.place[0] if self.place else None

    @property
    def column(self) -> int | None:
        return self.place[1] if self.place else None

    def __str__(self) -> str:
        """Several lines for people: where, what was found, what was wanted, what to write."""
        lines = [self._where(), f"    found   {self.got}", f"    wanted  {self.want}"]
        return "\n".join([*lines, f"    hint    {self.hint}"] if self.hint else lines)

    def _where(self) -> str:
        place = f", line {self.line}, column {self.column}" if self.place else ""
        parts = (self.file + place if self.file else "", written(self.steps))
        return ": ".join(part for part in parts if part)


class ConfigErrors(MadangError):
    """Everything that is wrong, in the order of the file. Nothing has started."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n\n".join([f"The configuration has {count}.", *map(str, self.faults)]))


def written(steps: Steps) -> str:
    """A path as people write it: `routes.fast.targets[0]`."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = step if _PLAIN.fullmatch(step) else f'"{step}"'
            path += f".{name}" if path else name
    return path


def shown(text: str) -> str:
    """Text in quotes, cut short; nothing of it where it looks like a key."""
    if _KEYLIKE.search(text):
        return "text that looks like a key (not shown)"
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return '"' + "".join(c if c.isprintable() else "\ufffd" for c in cut) + '"'


def either(words: Sequence[str]) -> str:
    """`a`, `b` or `c`, for sentences."""
    marked = [f"`{word}`" for word in words]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} or {marked[-1]}"


def suggestion(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant."""
    import difflib  # only where something is wrong already: the start need not pay for it

    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    close = difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    return close[0] if close else None
