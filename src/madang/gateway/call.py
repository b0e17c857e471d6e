"""A call: what arrived, kept as it came and read only as far as somebody needs."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from madang.core.errors import BadRequest, ClientError, NotFound

Headers = list[tuple[bytes, bytes]]

CHAT = "chat.completions"

_LONGEST_PATH = 4096
_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
_PATH = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_NAMING = frozenset(
    (
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/images/edits",
        "/images/generations",
        "/images/variations",
        "/messages",
        "/messages/count_tokens",
        "/moderations",
        "/rerank",
        "/responses",
        "/videos",
    )
)
"""Operations that use the model their body names, and no other."""
_KEY_HEADERS = frozenset((b"x-api-key", b"api-key", b"x-goog-api-key"))


class Call:
    """One request to a model endpoint. Once its body is here, nothing in it changes."""

    __slots__ = (
        "arrived",
        "arrived_at",
        "body",
        "headers",
        "id",
        "method",
        "operation",
        "path",
        "query",
        "refusal",
    )

    def __init__(
        self,
        *,
        id: str,
        arrived: float,
        arrived_at: int,
        method: str,
        path: str,
        query: bytes,
        headers: Headers,
        body: bytes,
    ) -> None:
        self.id = id
        self.arrived = arrived
        """`core.clock.monotonic`, in seconds."""
        self.arrived_at = arrived_at
        """The wall clock, in microseconds."""
        self.method = method
        self.path = path
        """Below `/v1`, with its leading slash: `/chat/completions`."""
        self.query = query
        self.headers = headers
        """Names in lower case."""
        self.body = body
        self.operation = operation_of(path)
        self.refusal: ClientError | None = None
        """Why its body is not whole, where it is not: too large, too slow."""

    @property
    def is_chat(self) -> bool:
        """Whether a codec reads it; every other operation passes as opaque."""
        return self.operation == CHAT and self.method == "POST" and self.path == "/chat/completions"

    @property
    def names_model(self) -> bool:
        """Whether the model its body names, if it names one, is all that it can reach."""
        query = unquote_to_bytes(self.query).lower()
        return self.method == "POST" and self.path in _NAMING and b"model" not in query

    def header(self, name: bytes) -> bytes | None:
        """The first header of a name (lower case)."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def secret(self) -> str | None:
        """The key the caller sent, in whichever header its SDK uses; `None` if there is none."""
        for name, value in self.headers:
            if name == b"authorization":
                scheme, _, credentials = value.partition(b" ")
                if scheme.lower() == b"bearer":
                    return credentials.strip().decode("latin-1")
            elif name in _KEY_HEADERS:
                return value.strip().decode("latin-1")
        return None


@lru_cache(maxsize=1024)
def operation_of(path: str) -> str:
    """The name an operation is recorded under: `/files/file-1/content` is `files.content`."""
    names = [part for part in path.split("/") if _NAME.fullmatch(part) and len(part) <= 24]
    return ".".join(names[:4]) or "unknown"


@lru_cache(maxsize=1024)
def read_path(path: bytes) -> str:
    """A path below `/v1` that is safe to hand to a provider. Raises `BadRequest` or `NotFound`.

    A path that leaves its folder, doubly written slashes and hidden slashes would reach places
    at the provider that our own key opens and nobody was allowed.
    """
    if len(path) > _LONGEST_PATH:
        raise NotFound(f"There is no such path: /v1{_shown(path)}", code="unknown_path")
    if path.startswith(b"/models/"):
        # A model's name may hold a slash, and SDKs write it so that the path does not.
        path = path.replace(b"%2F", b"/").replace(b"%2f", b"/")
    plain = unquote_to_bytes(path)
    if not _PATH.fullmatch(path) or any(byte < 0x20 or byte == 0x7F for byte in plain):
        raise BadRequest("The path has characters that do not belong in a URL.", code="invalid_path")
    if len(plain.split(b"/")) != len(path.split(b"/")) or b"\\" in plain:
        raise BadRequest("The path hides a slash.", code="invalid_path")
    segments = plain.split(b"/")[1:]
    if any(segment in (b"", b".", b"..") for segment in segments):
        raise NotFound(f"There is no such path: /v1{_shown(path)}", code="unknown_path")
    return path.decode("ascii")


def _shown(path: bytes) -> str:
    return path[:100].decode("ascii", "replace")
