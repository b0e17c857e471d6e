"""The shape of `madang.yaml`, as types; what the file may say and nothing else.

Reading, naming what is wrong and filling in `${ENV}` is `load.py`'s work. Lower layers never
see these types: `app.py` turns them into values.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from madang.core.secret import Secret

Port = Annotated[int, Meta(ge=0, le=65535, description="A TCP port; 0 takes a free one.")]
DialectName = Literal["openai_chat", "openai_responses", "anthropic", "gemini"]
Seconds = Annotated[float, Meta(gt=0, description="Seconds.")]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every section of the file has in common: a key nobody knows is refused."""


class Server(_Section, frozen=True, kw_only=True):
    """Where Madang listens and how much it takes."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every one this machine has."""
    port: Port = 4000
    """The TCP port to listen on; 0 takes a free one."""
    max_body_mb: Annotated[float, Meta(gt=0, le=2048)] = 32.0
    """The largest request body taken, in megabytes (10^6 bytes)."""
    shutdown_seconds: Annotated[float, Meta(ge=0)] = 30.0
    """How long a graceful stop waits for calls under way."""
    chat_login: Literal["auto", "always"] = "auto"
    """`auto`: no login from this machine itself, a key from anywhere else."""


class Store(_Section, frozen=True, kw_only=True):
    """Where keys and records live."""

    url: str | None = None
    """A SQLAlchemy URL; `sqlite:///PATH` or `postgresql+psycopg://…`. Default: a file in `data_dir`."""
    data_dir: str = ".madang"
    """A folder for the embedded database and this server's own secrets."""
    flush_seconds: Seconds = 0.25
    """The most a `kill -9` can lose of the records."""


class Timeouts(_Section, frozen=True, kw_only=True):
    """Seconds a provider is given, by phase."""

    connect: Seconds = 10.0
    """For the connection, TLS included."""
    first_byte: Seconds = 600.0
    """From the end of the request to the first byte of the answer."""
    between_bytes: Seconds = 120.0
    """The longest pause in the answer."""
    whole: Seconds = 3600.0
    """For the whole call."""


class Provider(_Section, frozen=True, kw_only=True):
    """One provider. Its name is a known one (`openai`, `groq`, …) or your own with a `base_url`."""

    base_url: str | None = None
    """As the provider's own SDK takes it: OpenAI's ends in `/v1`."""
    api_key: Secret | None = None
    """Its key; better `${NAME}` than the key itself. Default: the provider's own environment variable."""
    models: list[str] = []
    """Models it is known to have, so that their bare names find it."""
    headers: dict[str, str] = {}
    """Sent with every request to it."""
    include_usage: bool | None = None
    """Whether streams may be asked to end with their usage (`stream_options.include_usage`)."""
    dialects: list[DialectName] | None = None
    """The dialects it speaks, best first, where that is not what is known of it."""
    timeouts: Timeouts | None = None
    """Its own time limits; what is left out is taken from `timeouts` at the top."""
    enabled: bool = True
    """`false` switches it off, whatever the environment holds."""


class Route(_Section, frozen=True, kw_only=True):
    """A name of your own for one model or several, tried in order."""

    targets: Annotated[list[str], Meta(min_length=1)]
    """Each `provider/model`."""


class KeyDefaults(_Section, frozen=True, kw_only=True):
    """What a new key gets unless told otherwise."""

    models: list[str] | None = None
    """Names or patterns (`openai/*`); none given: every model."""
    expires_days: Annotated[int, Meta(ge=1)] | None = None
    """Days until it expires; none given: never."""


class Config(_Section, frozen=True, kw_only=True):
    """The whole file; every section is optional."""

    server: Server = Server()
    """Where Madang listens and how much it takes."""
    store: Store = Store()
    """Where keys and records live."""
    providers: dict[str, Provider] = {}
    """Providers by name: known ones to change, or your own with a `base_url`."""
    routes: dict[str, str | Route] = {}
    """Alias to `provider/model`, or to a section with `targets`."""
    default_provider: str | None = None
    """Where paths that name no model go (`/v1/files`, `/v1/batches`, …). Default: the first that is on."""
    timeouts: Timeouts = Timeouts()
    """Seconds that every provider is given, by phase."""
    keys: KeyDefaults = KeyDefaults()
    """What a new key gets unless told otherwise."""
