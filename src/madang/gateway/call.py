"""A call: what arrived, kept as it came and read only as far as somebody needs."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from madang.core.errors import ClientError
from madang.core.requests import Request
from madang.gateway.paths import Place, edge_by

Headers = list[tuple[bytes, bytes]]

_KEY_HEADERS = frozenset((b"x-api-key", b"api-key", b"x-goog-api-key"))


class Call:
    """One request to a model endpoint. Once its body is here, nothing in it changes."""

    __slots__ = (
        "_query_key",
        "arrived",
        "arrived_at",
        "body",
        "dialect",
        "headers",
        "id",
        "method",
        "place",
        "query",
        "refusal",
        "request",
        "wants",
    )

    def __init__(
        self,
        *,
        id: str,
        arrived: float,
        arrived_at: int,
        method: str,
        place: Place,
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
        self.place = place
        self.headers = headers
        """Names in lower case."""
        self._query_key: str | None = None
        if query:
            query = self._take_key(query)
        self.query = query
        """Without a key: that is the caller's, and goes no further."""
        self.body = body
        asks = method == "POST"
        self.dialect = place.dialect if asks else None
        """The dialect whose codec can read it; `None`: it passes unread."""
        self.wants = place.dialect or place.counts or place.embeds if asks else None
        """The dialect a target must speak to be sent it as it is; `None`: any will do."""
        self.request: Request | None = None
        """In our own form, once somebody needed all of it."""
        self.refusal: ClientError | None = None
        """Why its body is not whole, where it is not: too large, too slow."""

    @property
    def edge(self) -> str:
        """The dialect in which its caller is told of errors, and of models."""
        edge = self.place.edge
        return edge_by(self.headers) if edge == "openai_chat" else edge

    @property
    def names_model(self) -> bool:
        """Whether the model its body names, if it names one, is all that it can reach."""
        if self.method != "POST" or not self.place.names_model:
            return False
        return not self.query or b"model" not in unquote_to_bytes(self.query).lower()

    def header(self, name: bytes) -> bytes | None:
        """The first header of a name (lower case)."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def secret(self) -> str | None:
        """The key the caller sent, in whichever way its SDK does; `None` if there is none."""
        for name, value in self.headers:
            if name == b"authorization":
                scheme, _, credentials = value.partition(b" ")
                if scheme.lower() == b"bearer" and credentials.strip():
                    return credentials.strip().decode("latin-1")
            elif name in _KEY_HEADERS and value.strip():
                return value.strip().decode("latin-1")
        return self._query_key

    def _take_key(self, query: bytes) -> bytes:
        kept = []
        for pair in query.split(b"&"):
            name, _, value = pair.partition(b"=")
            if unquote_to_bytes(name).lower() == b"key":
                if self.place.edge == "gemini":  # nobody else's SDK sends it so
                    self._query_key = self._query_key or unquote_to_bytes(value).decode("latin-1")
            else:
                kept.append(pair)
        secret = (self.secret() or "").encode("latin-1")
        if secret and secret in unquote_to_bytes(query):  # by whatever name
            kept = [pair for pair in kept if secret not in unquote_to_bytes(pair)]
        return b"&".join(kept)
