"""What a provider is: a door. Address, key, the few oddities of its dialect; usually one row.

The rows are in `compatible.py`. A `Provider` is a row with this machine's key and address in it.
"""

from __future__ import annotations

import fnmatch
import re

import msgspec

from madang.core.secret import Secret
from madang.transport.deadlines import Timeouts

__all__ = ["Provider", "Row", "Timeouts"]

_KEY_LENGTH = 8
_KEY_BEGINNING = 6
"""Characters by which a key is known again though the provider has masked the rest (`sk-pro***cdef`)."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A provider we know, as data. One row is the whole change that adds a provider."""

    name: str
    title: str
    base_url: str
    """As the provider's own SDK takes it."""
    key_env: tuple[str, ...] = ()
    """Environment variables that hold its key, first found wins. None: it needs no key."""
    base_url_env: tuple[str, ...] = ()
    """Environment variables that point it elsewhere; default `<NAME>_BASE_URL`."""
    root: str = ""
    """Between `base_url` and the path below `/v1`, e.g. `/v1` where the SDK's base URL has none."""
    chat_root: str | None = None
    """The same for chat completions, where the compatible endpoint lives apart."""
    key_header: str = "authorization"
    """The header that carries the key; `authorization` means `Bearer`."""
    chat_key_header: str | None = None
    dialects: tuple[str, ...] = ("openai_chat",)
    """Those it speaks, best first: a call in another one is translated to the first that can express it."""
    native_key_header: str | None = None
    """The header on Google's paths (`/v1beta/…`), where that is another one."""
    models: tuple[str, ...] = ()
    """Patterns of bare model names that are this provider's own (`gpt-*`)."""
    include_usage: bool = True
    """Whether it takes `stream_options.include_usage`."""
    only_signed: bool = False
    """Whether it refuses thoughts that nobody signed; others of its dialect want theirs back all the same."""
    signs: bool = True
    """Whether its models may sign what they thought."""
    headers: dict[str, str] = {}
    source: str = ""
    """Where these facts were read, with the date."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A row made real: switched on, with its address and key."""

    row: Row
    base_url: str
    key: Secret | None = None
    models: tuple[str, ...] = ()
    """Names from the configuration, besides the row's patterns."""
    headers: dict[str, str] = {}
    include_usage: bool = True
    dialects: tuple[str, ...] = ("openai_chat",)
    timeouts: Timeouts = Timeouts()
    reason: str = ""
    """Why it is on, for people: `OPENAI_API_KEY is set`."""

    @property
    def name(self) -> str:
        return self.row.name

    def owns(self, model: str) -> bool:
        """Whether a bare model name is known to be this provider's."""
        return any(fnmatch.fnmatchcase(model, known) for known in (*self.models, *self.row.models))

    def without_key(self, said: bytes) -> bytes:
        """What it said, without its key: some repeat the key that they refuse, or most of it.

        As long as before, so that a length that was told still holds.
        """
        key = self.key.reveal().encode() if self.key else b""
        if len(key) < _KEY_LENGTH or key[:_KEY_BEGINNING] not in said:
            return said
        looks_so = re.escape(key[:_KEY_BEGINNING]) + rb"[^\s\"'<>\\]*"
        return re.sub(looks_so, lambda found: b"*" * len(found[0]), said)
