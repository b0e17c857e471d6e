"""The store: one database with its keys and its calls."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from madang.store.address import place, read_url
from madang.store.calls import Calls
from madang.store.database import Database, connect
from madang.store.keys import Keys
from madang.store.schema import prepare


class Store:
    """An open database. Its parts may be used from any thread; each call blocks until it is done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.keys = Keys(database)
        self.calls = Calls(database)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open the database at `url`, made or brought up to date first where that is needed.

        Raises:
            StoreError: it cannot be used; the text says why and holds no password.
        """
        database = connect(read_url(url))
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def shown_url(self) -> str:
        """Where it is, without a password."""
        return place(self._database.url)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
