"""Go through a framework's cells and say of each, in a line of JSON, whether it did what it should."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tests.clients.matrix import Cell, cells

Result = TypeVar("Result")


@dataclass(frozen=True)
class House:
    """The Madang to talk to."""

    root: str
    """Its address, for SDKs that append the API's version themselves."""
    key: str

    @property
    def v1(self) -> str:
        """Its address, for SDKs that do not."""
        return f"{self.root}/v1"


@dataclass(frozen=True)
class Task:
    """A cell, and where it is tried."""

    cell: Cell
    house: House
    loop: asyncio.Runner

    def say(self, question: str) -> str:
        """A question that tells whose it is."""
        return f"{question} [{self.cell.name}]"

    def wait_for(self, coroutine: Coroutine[object, object, Result]) -> Result:
        """What an asynchronous client says. One loop for all: frameworks keep its connections."""
        return self.loop.run(coroutine)


Scenario = Callable[[Task], None]
"""Asks, and asserts what must come of it."""


def run(framework: str, scenarios: Mapping[str, Scenario]) -> None:
    """Try every cell of a framework. Arguments: Madang's address, a key, and parts of the names of cells."""
    _, root, key, *wanted = sys.argv
    with asyncio.Runner() as loop:
        for cell in cells(framework):
            if all(part in cell.name for part in wanted):
                problem = _try(scenarios[cell.scenario], Task(cell, House(root, key), loop))
                sys.stdout.write(json.dumps({"cell": cell.name, "problem": problem}) + "\n")
                sys.stdout.flush()


def raised(kinds: type[Exception] | tuple[type[Exception], ...], ask: Callable[[], object]) -> str:
    """What is said in an error of these kinds, which asking must end with."""
    try:
        ask()
    except kinds as problem:
        return str(problem)
    raise AssertionError("there was no error")


def _try(scenario: Scenario, task: Task) -> str | None:
    try:
        scenario(task)
    except Exception:  # noqa: BLE001  whatever a framework raises is what the test wants to know
        return traceback.format_exc(limit=-6)
    return None
