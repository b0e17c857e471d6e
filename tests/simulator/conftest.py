"""Running simulators for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from madang.simulator import Simulator, run_in_thread
from tests.simulator.desk import Desk, Wire


@pytest.fixture
def desk() -> Desk:
    """A service with default options."""
    return Desk()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A running simulator in the test's own loop."""
    async with Simulator() as running:
        yield running


@pytest.fixture
def threaded() -> Iterator[Simulator]:
    """A running simulator in a thread of its own."""
    with run_in_thread() as running:
        yield running


@pytest.fixture
async def wire(simulator: Simulator) -> AsyncIterator[Wire]:
    """A connection to the running simulator."""
    async with Wire.to(simulator) as connected:
        yield connected
