"""Callers: keys in memory, looked up again when one is unknown."""

from __future__ import annotations

import asyncio
import hashlib
import threading

import pytest

from madang.core.errors import NotAuthenticated, StoreError
from madang.gateway.call import Call
from madang.gateway.callers import Callers
from madang.gateway.paths import place_of
from madang.store.keys import Changes, Key


def key(secret: str, *, version: int = 1) -> Key:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return Key(id=f"key_{secret}", name=secret, hint="", hash=digest, created_at=version)


def call(secret: str) -> Call:
    return Call(
        id="c",
        arrived=0.0,
        arrived_at=0,
        method="GET",
        place=place_of(b"/v1/files"),
        query=b"",
        headers=[(b"authorization", b"Bearer " + secret.encode())],
        body=b"",
    )


class Keys:
    """A store of keys that counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.asked = 0
        self.out = False
        self.go_on = threading.Event()
        self.go_on.set()

    def changed_since(self, cursor: int) -> Changes:
        self.asked += 1
        found = self.keys[cursor:]
        assert self.go_on.wait(5)
        if self.out:
            raise StoreError("out")
        return Changes(found, cursor + len(found))


async def test_a_key_made_a_moment_ago_opens_at_once() -> None:
    keys = Keys()
    callers = Callers(keys.changed_since)
    await callers.refresh()
    keys.keys.append(key("new"))
    assert (await callers.identify(call("new"))).name == "new"


async def test_a_key_made_while_a_look_is_under_way_opens_too() -> None:
    keys = Keys()
    callers = Callers(keys.changed_since)
    keys.go_on.clear()
    looking = asyncio.ensure_future(callers.refresh())
    while not keys.asked:
        await asyncio.sleep(0)
    keys.keys.append(key("late"))
    asking = asyncio.ensure_future(callers.identify(call("late")))
    await asyncio.sleep(0)
    keys.go_on.set()
    assert (await asking).name == "late"
    await looking


async def test_a_flood_of_bad_keys_is_one_look() -> None:
    keys = Keys()
    callers = Callers(keys.changed_since)
    await callers.refresh()
    found = await asyncio.gather(
        *(callers.identify(call(f"bad{n}")) for n in range(500)), return_exceptions=True
    )
    assert all(isinstance(one, NotAuthenticated) for one in found)
    assert keys.asked <= 3


async def test_an_unknown_key_is_unknown_while_the_store_is_out_and_known_ones_go_on() -> None:
    keys = Keys()
    keys.keys.append(key("old"))
    callers = Callers(keys.changed_since)
    await callers.refresh()
    keys.out = True
    assert (await callers.identify(call("old"))).name == "old"
    with pytest.raises(NotAuthenticated):
        await callers.identify(call("new"))


@pytest.mark.parametrize(
    ("patterns", "name", "allowed"),
    [
        (None, "x/y", True),
        ((), "x/y", False),
        (("x/*",), "x/y", True),
        (("x/*",), "xx/y", False),
        (("gpt-4o",), "gpt-4o-mini", False),
        (("*-mini",), "gpt-4o-mini", True),
        (("X/*",), "x/y", False),
    ],
)
def test_a_key_opens_the_models_its_patterns_name(
    patterns: tuple[str, ...] | None, name: str, allowed: bool
) -> None:
    from madang.gateway.callers import Caller

    assert Caller(key_id=None, name="n", models=patterns).allows(name) is allowed
