"""The door: what is written to a provider, to the byte."""

from __future__ import annotations

from typing import Any, cast

import pytest

from madang.core.secret import Secret
from madang.providers.base import Provider, Row
from madang.providers.compatible import ROWS
from madang.providers.door import HttpDoor
from madang.transport.pool import Http


class Pools:
    """A client that keeps what it is asked to send."""

    target_prefix = b""
    proxy_headers = b""

    def __init__(self) -> None:
        self.sent = b""

    def pool(self, _: object) -> Pools:
        return self

    async def ask(self, request: tuple[bytes, ...], _: object) -> Any:
        self.sent = b"".join(request)


ANTHROPIC = next(row for row in ROWS if row.name == "anthropic")
OPENAI = next(row for row in ROWS if row.name == "openai")


async def sent(row: Row, path: str, headers: list[tuple[bytes, bytes]], **fields: Any) -> list[bytes]:
    pools = Pools()
    provider = Provider(
        row=row, base_url=row.base_url, key=Secret("sk-up"), headers={**row.headers, **fields.pop("own", {})}
    )
    method = fields.get("method", "POST")
    await HttpDoor(provider, cast(Http, pools)).send(
        method, path, fields.get("query", b""), headers, fields.get("body", b"{}")
    )
    return pools.sent.split(b"\r\n")


async def test_a_chat_goes_where_the_provider_has_it() -> None:
    lines = await sent(OPENAI, "/chat/completions", [(b"content-type", b"application/json")])
    assert lines[0] == b"POST /v1/chat/completions HTTP/1.1"
    assert {b"host: api.openai.com", b"authorization: Bearer sk-up", b"content-length: 2"} <= set(lines)


async def test_the_query_goes_on_and_a_get_has_no_length() -> None:
    lines = await sent(OPENAI, "/files", [], method="GET", query=b"limit=2&after=a%20b", body=b"")
    assert lines[0] == b"GET /v1/files?limit=2&after=a%20b HTTP/1.1"
    assert not any(line.startswith(b"content-length") for line in lines)


@pytest.mark.parametrize(
    ("given", "own", "versions"),
    [
        ([], {}, [b"anthropic-version: 2023-06-01"]),
        ([(b"anthropic-version", b"2099-01-01")], {}, [b"anthropic-version: 2099-01-01"]),
        ([], {"anthropic-version": "2024-01-01"}, [b"anthropic-version: 2024-01-01"]),
    ],
)
async def test_a_rows_default_header_yields_to_the_client_and_to_the_configuration(
    given: list[tuple[bytes, bytes]], own: dict[str, str], versions: list[bytes]
) -> None:
    lines = await sent(ANTHROPIC, "/messages", given, own=own)
    assert [line for line in lines if line.startswith(b"anthropic-version")] == versions
    assert b"x-api-key: sk-up" in lines


async def test_a_header_of_the_configuration_is_sent_with_every_request() -> None:
    lines = await sent(OPENAI, "/embeddings", [], own={"OpenAI-Project": "proj_1"})
    assert b"openai-project: proj_1" in lines
