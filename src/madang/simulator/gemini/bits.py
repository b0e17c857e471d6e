"""What one event of a stream carries: a part, or a piece of one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Json = Mapping[str, object]


class Bit(msgspec.Struct, frozen=True):
    """A part, or a piece of one."""

    part: Json
    tokens: int = 0
    """How many of the candidate's tokens it is; thoughts are counted apart."""
    about: Json = {}
    """What the candidate says beside its content: log probabilities."""
