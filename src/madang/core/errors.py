"""Everything that can go wrong, as a tree.

    MadangError
    ├── ConfigError                 the configuration is wrong; nothing has started
    ├── StoreError                  the database cannot be used
    └── CallError                   a call ends in an error; rendered in the caller's dialect
        ├── ClientError             a mistake of theirs (4xx)
        │   ├── BadRequest              400
        │   ├── NotAuthenticated        401
        │   ├── NotAllowed              403
        │   ├── NotFound                404
        │   ├── MethodNotAllowed        405
        │   ├── RequestTimeout          408
        │   ├── TooLarge                413
        │   ├── UnsupportedMedia        415
        │   └── HeadersTooLarge         431
        ├── ProviderError           what a provider answered, with its status
        └── UpstreamError           an outage of ours or of a provider's (5xx)
            ├── ConnectFailed           502
            ├── BrokenAnswer            502
            ├── UpstreamTimeout         504
            └── Unavailable             503

A `CallError` carries a sentence for people (`message`), a stable word for programs (`code`)
and the field it is about (`param`). No secret and no content of a call belongs in any of them.
"""

from __future__ import annotations

_LONGEST, _LONGEST_WORD = 4000, 200
"""Characters of a provider's sentence, and of its words: they go into records, and to clients."""


class MadangError(Exception):
    """Root of every error raised on purpose."""


class ConfigError(MadangError):
    """One fault of a configuration: where, what was found, what was wanted, what to write."""

    def __init__(self, path: str, *, got: str, want: str, hint: str = "") -> None:
        self.path, self.got, self.want, self.hint = path, got, want, hint
        super().__init__(f"{path}: found {got}, wanted {want}" + (f"; {hint}" if hint else ""))


class StoreError(MadangError):
    """The database cannot be opened, read or written."""


class CallError(MadangError):
    """A call that ends in an error; `status` is the HTTP status the client gets."""

    status: int = 500
    kind: str = "api_error"
    """The error's `type` in OpenAI's dialect."""
    code: str = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.param = param


class ClientError(CallError):
    """A mistake of theirs: asking again unchanged will not help."""

    status, kind, code = 400, "invalid_request_error", "invalid_request"


class BadRequest(ClientError):
    """The request cannot be understood."""


class NotAuthenticated(ClientError):
    """No key, or none that opens anything."""

    status, kind, code = 401, "authentication_error", "invalid_api_key"


class NotAllowed(ClientError):
    """A good key that may not do this."""

    status, kind, code = 403, "permission_error", "permission_denied"


class NotFound(ClientError):
    """No such model, path or thing."""

    status, kind, code = 404, "not_found_error", "not_found"


class MethodNotAllowed(ClientError):
    """The path exists, the method does not."""

    status, code = 405, "method_not_allowed"


class RequestTimeout(ClientError):
    """The request did not arrive in time."""

    status, kind, code = 408, "timeout_error", "request_timeout"


class TooLarge(ClientError):
    """The body is larger than this server takes."""

    status, kind, code = 413, "invalid_request_error", "request_too_large"


class UnsupportedMedia(ClientError):
    """The body is of a type this path does not take."""

    status, code = 415, "unsupported_media_type"


class HeadersTooLarge(ClientError):
    """The request line and headers are larger than this server takes."""

    status, code = 431, "headers_too_large"


class ProviderError(CallError):
    """A provider's answer that is an error, understood, so that it can be told in another dialect.

    `kind` and `code` are the provider's own words where it has them; `status` is its status.
    """

    kind, code = "api_error", "provider_error"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: str | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message[:_LONGEST], code=code and code[:_LONGEST_WORD], param=param and param[:_LONGEST_WORD]
        )
        self.retry_after = retry_after
        """Seconds, where the body says it (Gemini's does; others say it in a header)."""
        self.status = status
        self.kind = kind or type(self).kind


class UpstreamError(CallError):
    """Not the client's fault; asking again may help."""

    status, kind, code = 502, "api_error", "upstream_error"


class ConnectFailed(UpstreamError):
    """The provider could not be reached: DNS, TCP, TLS or proxy."""

    code = "connect_failed"


class BrokenAnswer(UpstreamError):
    """The provider's answer broke off or was not HTTP."""

    code = "broken_answer"


class UpstreamTimeout(UpstreamError):
    """The provider took too long; `code` names the phase."""

    status, kind, code = 504, "timeout_error", "upstream_timeout"


class Unavailable(UpstreamError):
    """This server cannot take the call just now."""

    status, code = 503, "unavailable"
