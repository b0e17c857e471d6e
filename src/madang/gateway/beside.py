"""Beside the loop: work on a body so large that everybody else would wait for it.

Thirty megabytes of short messages take ten seconds to be read, held against the tables and written
(measured 2026-11-20); in a thread the interpreter lets the others have their turn every few
milliseconds. For an ordinary body the way to a thread and back costs more than the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 512 * 1024
"""Bytes of a body whose translation takes a tenth of a second at worst."""


async def beside(size: int, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What `work` gives; in a thread where `size`, in bytes, says that it may take long."""
    if size > LARGE:
        return await asyncio.to_thread(work, *args, **named)
    return work(*args, **named)
