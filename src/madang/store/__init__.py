"""Keys and records, kept in SQLite or PostgreSQL. The one place that knows SQLAlchemy.

Everything here blocks; call it from a thread. Read `store.py` first.
"""

from madang.store.address import default_url
from madang.store.admin_secret import check_admin_secret
from madang.store.calls import NoSuchRecord
from madang.store.keys import (
    AmbiguousKey,
    Changes,
    Key,
    KeyRefused,
    NewKey,
    NoSuchKey,
    hash_secret,
    new_secret,
)
from madang.store.store import Store

__all__ = [
    "AmbiguousKey",
    "Changes",
    "Key",
    "KeyRefused",
    "NewKey",
    "NoSuchKey",
    "NoSuchRecord",
    "Store",
    "check_admin_secret",
    "default_url",
    "hash_secret",
    "new_secret",
]
