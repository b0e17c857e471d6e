"""Errors: understood as providers write them, written as OpenAI's clients know them.

OpenAI's `{"error": {"message", "type", "param", "code"}}` is written by most; others write a string
for it, `{"message": …}` (Mistral), `{"detail": …}` (whoever uses FastAPI) or no JSON at all.
"""

from __future__ import annotations

from madang.core.errors import CallError, ProviderError
from madang.core.messages import Json
from madang.dialects.reading import read_json, write_json
from madang.dialects.too_long import CODE as TOO_LONG
from madang.dialects.too_long import is_too_long

_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS_OF = {kind: status for status, kind in reversed(_OF_STATUS.items())}
_OF_WORD = {
    **{kind: kind for kind in _STATUS_OF},
    "api_error": "api_error",
    "server_error": "api_error",
    "insufficient_quota": "billing_error",
    "invalid_api_key": "authentication_error",
    "model_not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "content_filter": "invalid_request_error",
    "context_length_exceeded": "invalid_request_error",
}
"""Words that providers write as `type` or `code`, where the status does not say more."""
_TELLING = frozenset(_OF_STATUS) - {400, 422}
_LONGEST = 4000
"""Characters of a provider's sentence."""


def parse_error(status: int, body: bytes) -> ProviderError:
    """A provider's error, from its status and whatever body it gave."""
    try:
        said = read_json(body)
    except ValueError:
        return read_error({}, status)
    if isinstance(said, list) and said:
        said = said[0]  # Gemini's chat completions wrap it in a list
    if isinstance(said, dict):
        for name in ("error", "message", "detail"):
            if said.get(name):
                inner = said if name == "message" else said[name]
                return read_error({"message": inner} if name == "detail" else inner, status)
    return read_error(said if isinstance(said, str) else {}, status)


def read_error(error: Json, status: int = 0) -> ProviderError:
    """An error object; `status` 0 where it came with an answer that had begun well."""
    said = error if isinstance(error, dict) else {"message": error}
    words = [word for word in (said.get("code"), said.get("type")) if isinstance(word, str) and word]
    if status < 400:
        status = _status(said.get("status")) or _status(said.get("code"))
    kind = _kind(status, words)
    status = status or _STATUS_OF.get(kind, 500)
    code = next((word for word in words if not word.isdigit() and word not in _STATUS_OF), None)
    param, message = said.get("param"), _sentence(said.get("message"))
    if is_too_long(status, message, *words):
        code = TOO_LONG
    return ProviderError(
        message or f"The provider answered with status {status}.",
        status=status,
        kind=kind,
        code=code[:_LONGEST] if code is not None else None,
        param=param if isinstance(param, str) else None,
    )


def _status(value: Json) -> int:
    return value if type(value) is int and 400 <= value <= 599 else 0


def _kind(status: int, words: list[str]) -> str:
    found = [_OF_WORD[word] for word in words if word in _OF_WORD]
    if "billing_error" in found:
        return "billing_error"
    if status in _TELLING or (status and not found):
        return _OF_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return found[0] if found else "api_error"


def _sentence(message: Json) -> str:
    match message:
        case str():
            return message[:_LONGEST]
        case [{"msg": str(text), **rest}, *_]:
            where = rest.get("loc")
            place = ".".join(map(str, where)) if isinstance(where, list) else ""
            return f"{place}: {text}"[:_LONGEST] if place else text[:_LONGEST]
        case {"detail": str() | list() as detail} | {"message": str() | list() as detail}:
            return _sentence(detail)
        case _:
            return ""


def render_error(error: CallError, request_id: str = "") -> bytes:
    """An error as OpenAI's clients know it. They find the request's id in a header alone."""
    return write_json(
        {
            "error": {
                "message": error.message,
                "type": error.kind,
                "param": error.param,
                "code": error.code,
            }
        }
    )


def error_status(error: CallError) -> int:
    """The status that OpenAI's clients expect: 529 is Anthropic's alone."""
    return 503 if error.status == 529 else error.status
