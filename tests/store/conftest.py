"""The store's tests run on both engines: each test gets an empty database of its own.

PostgreSQL's is a schema in a database that is made for the session and dropped after it. The server
is `MADANG_TEST_POSTGRES`; without one those tests are skipped, or fail where REQUIRE_SERVICES=1.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from madang.core.record import Attempt, Outcome, Record, Usage
from madang.store.store import Store

SERVER = os.environ.get("MADANG_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
_schemas = itertools.count(1)

MakeRecord = Callable[..., Record]


def _connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=3)


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[URL]:
    """A database of this session's own."""
    server, name = make_url(SERVER), f"madang_test_{secrets.token_hex(6)}"
    try:
        connection = _connect(server)
    except psycopg.OperationalError as problem:
        reason = f"no PostgreSQL at {server.host}:{server.port} ({type(problem).__name__})"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.set(database=name)
    with _connect(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(postgresql_database: URL) -> str:
    """An empty schema, as the whole database of whoever opens the URL."""
    schema = f"s{next(_schemas)}"
    with _connect(postgresql_database) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    own = postgresql_database.update_query_dict({"options": f"-csearch_path={schema}"})
    return own.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'madang.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty database, on each engine in turn."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store


@pytest.fixture
def make_record() -> MakeRecord:
    """A record with every field set; ids count up. Fields can be given."""
    numbers = itertools.count(1)

    def make(**given: object) -> Record:
        number = next(numbers)
        fields: dict[str, object] = {
            "id": f"call_{number:08d}",
            "started_at": 1_790_000_000_000_000 + number,
            "operation": "chat.completions",
            "dialect": "openai_chat",
            "key_id": "key_1",
            "key_name": "team-a",
            "owner": "플랫폼",
            "route": "fast",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "attempts": [
                Attempt("groq", "llama", 429, "rate_limited", 1200),
                Attempt("openai", "gpt-4o-mini", 200, None, 5_000_000),
            ],
            "passed": True,
            "streamed": True,
            "status": 200,
            "outcome": Outcome.LEFT,
            "error": "client_left",
            "stop_reason": "stop",
            "usage": Usage(10, 20, 3, 4, 5, 6, 7),
            "first_byte_us": 200_000,
            "duration_us": 5_100_000,
            "request_bytes": 1000,
            "response_bytes": 3_000_000_000,
            "upstream_id": "req_1",
            "provider_dialect": "anthropic",
            "losses": "seed;drop",
        }
        return Record(**{**fields, **given})  # type: ignore[arg-type]  # fields are given by name

    return make
