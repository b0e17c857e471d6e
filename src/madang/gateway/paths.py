"""From a path to what is asked there: the operation, and the dialect it is asked in.

Every place a call can be made at is read once and remembered; a look-up is a dictionary's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes

import msgspec

from madang.core.errors import BadRequest, ClientError, NotFound

_LONGEST = 4096
_NAME = re.compile(r"[a-z]+(?:_[a-z]+|[A-Z][a-z]+)*")
_HUMP = re.compile(r"(?=[A-Z])")
_ALLOWED = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_FRONT = re.compile(rb"/(?:openai|anthropic|gemini|google)(?=/v1|/upload/v1beta/)")
"""Some clients are given a base URL for each dialect; what follows says the same again."""
_GOOGLE = re.compile(
    r"/(?P<version>v1beta|v1alpha|v1)/(?:models/(?P<model>.+):(?P<verb>[a-zA-Z]+)"
    r"|(?P<bare>.+):(?P<known>generateContent|streamGenerateContent|countTokens|(?:batchE|e)mbedContents?))"
)
"""Vercel's AI SDK leaves `models/` out before a name with a slash in it (ai 6.0, 2026-11)."""
_ROOTS = (b"/v1/", b"/v1beta/", b"/v1alpha/", b"/upload/v1beta/")
_DIALECTS = {
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    "/messages": "anthropic",
}
_COUNTING = {"/messages/count_tokens": "anthropic", "/responses/input_tokens": "openai_responses"}
_EMBEDDING = {"/embeddings": "openai_chat"}
_ANTHROPIC = re.compile(r"/messages(?:/|$)")
_RESPONSES = re.compile(r"/responses(?:/|$)")
_VERBS = frozenset(
    ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
)
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
        "/responses/input_tokens",
        "/videos",
    )
)


_TUNED = "tunedModels/"


def _folder(model: str) -> str:
    """Where a model stands on Google's paths; the name of a tuned one says it itself."""
    return "" if model.startswith(_TUNED) else "models/"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a path means."""

    path: str
    """As doors know it: below `/v1` (`/chat/completions`), or with Google's version (`/v1beta/…`)."""
    operation: str
    """As it is recorded: `chat.completions`, `messages.count_tokens`, `generate_content`."""
    edge: str = "openai_chat"
    """The dialect in which errors are told there."""
    dialect: str | None = None
    """The dialect whose codec reads a request for an answer; `None`: it is passed on unread."""
    counts: str | None = None
    """The dialect, where tokens are counted."""
    embeds: str | None = None
    """The dialect, where texts are embedded."""
    verb: str | None = None
    """Google's: `generateContent`."""
    model: str | None = None
    """The model, where the path names it."""
    stream: bool | None = None
    """Whether a stream is asked for, where the path says it."""
    answer_id: str | None = None
    """The stored answer that it is about: `/responses/resp_…`."""
    names_model: bool = False
    """Whether the one model that path or body names is the only one it can reach."""

    def path_for(self, model: str) -> str:
        """The same place for another model, where the path names it."""
        if self.verb is None:
            return self.path
        version = self.path.split("/", 2)[1]
        folder = _folder(model)
        name = quote(model.removeprefix(_TUNED), safe="-._~@")
        return f"/{version}/{folder or _TUNED}{name}:{self.verb}"


@lru_cache(maxsize=4096)
def place_of(path: bytes) -> Place:
    """What a path of a URL means. Raises `BadRequest` or `NotFound` for one that is not safe to pass on."""
    path = _FRONT.sub(b"", path, 1)
    whole = path if path.startswith(_ROOTS) else b"/v1" + path
    checked = _check(whole)
    google = _GOOGLE.fullmatch(checked)
    if google is not None:
        return _google(google)
    if not checked.startswith("/v1/"):
        return Place(path=checked, operation=operation_of(checked), edge="gemini")
    below = checked.removeprefix("/v1")
    edge = "openai_chat"
    if _ANTHROPIC.match(below):
        edge = "anthropic"
    elif _RESPONSES.match(below):
        edge = "openai_responses"
    return Place(
        path=below,
        operation=operation_of(below),
        edge=edge,
        dialect=_DIALECTS.get(below),
        counts=_COUNTING.get(below),
        embeds=_EMBEDDING.get(below),
        answer_id=below.split("/")[2] if edge == "openai_responses" and below.count("/") > 1 else None,
        names_model=below in _NAMING,
    )


def edge_of(url: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> str:
    """The dialect in which whoever asks at a URL is told of errors, even where the URL leads nowhere."""
    try:
        edge = place_of(url.partition(b"?")[0]).edge
    except ClientError:
        edge = "gemini" if b"/v1beta" in url or b"/v1alpha" in url else "openai_chat"
    return edge_by(headers) if edge == "openai_chat" else edge


def edge_by(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The dialect of whoever asks at a path that several have (`/v1/models`): their SDKs' headers tell."""
    for name, _ in headers:
        if name == b"anthropic-version":
            return "anthropic"
        if name == b"x-goog-api-key":  # google-genai 3.4 asks below /v1
            return "gemini"
    return "openai_chat"


def _google(found: re.Match[str]) -> Place:
    version, verb = found["version"], found["verb"] or found["known"]
    name = found["model"] or found["bare"]
    answers = verb in ("generateContent", "streamGenerateContent")
    return Place(
        path=f"/{'v1beta' if version == 'v1' else version}/{_folder(name)}{name}:{verb}",
        operation=operation_of(f"/{verb}"),
        edge="gemini",
        dialect="gemini" if answers else None,
        counts="gemini" if verb == "countTokens" else None,
        embeds="gemini" if verb in ("embedContent", "batchEmbedContents") else None,
        verb=verb,
        model=unquote(name),
        stream=verb == "streamGenerateContent" if answers else None,
        names_model=verb in _VERBS,
    )


@lru_cache(maxsize=1024)
def operation_of(path: str) -> str:
    """The name an operation is recorded under: `/files/file-1/content` is `files.content`.

    Google's `countTokens` is `count_tokens`, as the same is elsewhere.
    """
    names = [part for part in path.split("/") if _NAME.fullmatch(part) and len(part) <= 24]
    return _HUMP.sub("_", ".".join(names[:4])).lower() or "unknown"


def _check(path: bytes) -> str:
    """A path that is safe to hand to a provider.

    A path that leaves its folder, doubly written slashes and hidden slashes would reach places
    at the provider that our own key opens and nobody was allowed.
    """
    if len(path) > _LONGEST:
        raise NotFound(f"There is no such path: {_shown(path)}", code="unknown_path")
    if b"/models/" in path[:16]:
        # A model's name may hold a slash, and SDKs write it so that the path does not.
        path = path.replace(b"%2F", b"/").replace(b"%2f", b"/").replace(b"%3A", b":").replace(b"%3a", b":")
    plain = unquote_to_bytes(path)
    if not _ALLOWED.fullmatch(path) or any(byte < 0x20 or byte == 0x7F for byte in plain):
        raise BadRequest("The path has characters that do not belong in a URL.", code="invalid_path")
    if len(plain.split(b"/")) != len(path.split(b"/")) or b"\\" in plain:
        raise BadRequest("The path hides a slash.", code="invalid_path")
    segments = plain.split(b"/")[1:]
    if any(segment in (b"", b".", b"..") for segment in segments):
        raise NotFound(f"There is no such path: {_shown(path)}", code="unknown_path")
    return path.decode("ascii")


def _shown(path: bytes) -> str:
    return path[:100].decode("ascii", "replace")
