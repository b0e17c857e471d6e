"""Memory that other gateways never gave back: what a call leaves behind, and how much is remembered.

No resident sizes and no clocks: what Python allocated in our own files and still holds.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import pytest

from madang.gateway import paths
from madang.gateway.held import Held
from madang.providers.door import HttpDoor
from tests.journey.field import Reading, ask, event, house_of
from tests.journey.live import (
    DONE,
    Heard,
    Live,
    Say,
    Upstream,
    alive,
    chunk,
    json_answer,
    stream_answer,
    wait_until,
)


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


def left_behind(house: Live, do: Callable[[], None]) -> int:
    """Bytes that were allocated in our files meanwhile and are held when all is over."""
    settle(house)
    tracemalloc.start()
    try:
        do()
        settle(house)
        ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/src/madang/*")])
    finally:
        tracemalloc.stop()
    return sum(one.size for one in ours.statistics("filename"))


def settle(house: Live) -> None:
    """Every call answered, every record written, and no garbage waiting."""
    wait_until(lambda: not house.server.server_state.tasks and not house.app.http.busy)
    wait_until(lambda: house.app.ledger.stats().pending == 0)
    gc.collect()


USAGE = {"input_tokens": 7, "output_tokens": 1}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": USAGE}
TEXT = {"type": "text", "text": ""}
CLAUDE = [
    event("message_start", message=MESSAGE),
    event("content_block_start", index=0, content_block=TEXT),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "x" * 2000}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage=USAGE),
    event("message_stop"),
]
PASSING = [chunk("x" * 2000), chunk(finish="stop"), DONE]


WORDS = "x" * 2000
CHOICE = {"index": 0, "message": {"role": "assistant", "content": WORDS}, "finish_reason": "stop"}


def provider_says(heard: Heard) -> Say:
    body = heard.json()
    if heard.target == "/v1/messages":
        whole = {**MESSAGE, "content": [{"type": "text", "text": WORDS}], "stop_reason": "end_turn"}
        return stream_answer(CLAUDE) if body.get("stream") else json_answer(whole)
    if body.get("user") == "fails":
        return json_answer({"error": {"message": WORDS}}, 503)
    return stream_answer(PASSING) if body.get("stream") else json_answer({"id": "c", "choices": [CHOICE]})


def all_kinds_of_calls(house: Live, number: int) -> None:
    """Passed and translated, whole and streamed, failed over, refused, left; no two alike."""
    talk = [{"role": "user", "content": f"{number} " * 500}]
    for client, model in (("openai_chat", "gpt"), ("openai_chat", "claude"), ("anthropic", "gpt")):
        for stream in (False, True):
            answer = ask(house, client, model, stream=stream, messages=talk, metadata={"n": str(number)})
            assert answer.status == 200
    assert ask(house, "openai_chat", "both", messages=talk, user="fails").status == 503
    assert house.ask(b'{"model": "gpt", ' + b"x" * 2000).status == 400
    assert house.ask(b"{}", key=f"sk-nobody-{number}").status == 401


def test_calls_leave_nothing_behind(house: Live, upstream: Upstream, other: Upstream) -> None:
    """litellm #12685, #27954, #38193, #15128, #18367, #6404: a few kB a call, 40 GB after some days."""
    upstream.answer = other.answer = provider_says
    for number in range(10):
        all_kinds_of_calls(house, number)

    def many() -> None:
        for number in range(100, 140):
            all_kinds_of_calls(house, number)

    assert left_behind(house, many) < 40 * 9 * 100, "a hundred bytes of each call are still held"


def test_calls_whose_clients_left_leave_nothing_behind(house: Live, upstream: Upstream) -> None:
    """litellm #8620, #6404: what a stream held was freed only at its end, to which nobody had read."""
    upstream.answer = lambda _: stream_answer(PASSING[:1], then="hang")

    def leave(times: int) -> None:
        for number in range(times):
            upstream.left = 0
            Reading().ask(house, "openai_chat" if number % 2 else "anthropic", "gpt", until=b"xxxx")
            wait_until(lambda: upstream.left == 1)

    leave(6)
    # Each had 2,000 bytes of an answer; what the allocator itself keeps is a tenth of that.
    assert left_behind(house, lambda: leave(40)) < 40 * 1000


def test_paths_with_ids_are_remembered_only_so_many(house: Live, upstream: Upstream) -> None:
    """litellm #13805: a pass-through endpoint was registered again with each look, until memory was out."""
    upstream.answer = lambda _: json_answer({})
    doors = [door for _, door in house.app.gateway.routes.doors() if isinstance(door, HttpDoor)]
    pools = len(house.app.http._pools)
    for number in range(300):
        assert house.ask(b"", f"/v1/files/file-{number}", method="GET").status == 200
    assert max(len(door._fixed) for door in doors) <= 256
    assert len(house.app.http._pools) == pools
    assert sum(pool.idle() for pool in house.app.http._pools.values()) <= 2
    for remembered in (paths.place_of, paths.operation_of):
        assert remembered.cache_info().maxsize is not None


def test_names_that_clients_make_up_are_remembered_only_so_many(house: Live) -> None:
    """The same for models, and for the ids of stored answers."""
    routes, held = house.app.gateway.routes, Held()
    most = 0
    for number in range(12_000):
        routes.resolve(f"chat/model-{number}")
        held.note(f"resp_{number}", "chat")
        held.note(f"resp_{number}_again", "chat")
        most = max(most, len(routes._found))
    assert most <= 10_000
    assert len(held._at) <= 20_000
    assert held.provider("resp_0") is None


def test_what_was_tried_is_kept_for_its_own_call_and_never_grows(
    house: Live, upstream: Upstream, other: Upstream
) -> None:
    """litellm 1.100.0, PR #39491: each failure noted all those before it, nested; 61 GB with Redis down."""
    upstream.answer = other.answer = lambda _: json_answer({"error": {"message": "full"}}, 503)
    records = [house.record(ask(house, "openai_chat", "both").call_id) for _ in range(40)]
    tries = [[(one.provider, one.status) for one in record.attempts] for record in records]
    assert tries == [[("chat", 503), ("spare", 503)]] * 40
    assert len(msgspec.json.encode(records)) < 40 * 2000, "the last is no longer than the first"
    assert "hello" not in msgspec.json.encode(records).decode()
