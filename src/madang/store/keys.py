"""Keys: who may call. Kept as hashes; a secret is seen once, when it is made.

How a running server hears of changes: every change takes the next number of one counter, in its
own transaction, and holds that row until it commits. So changes commit in the order of their
numbers, and `version > the last one seen` misses nothing, whatever the clocks say.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Select, insert, select, text, update

from madang.core.clock import Ids, now_us
from madang.core.errors import MadangError
from madang.core.secret import Secret
from madang.store.admin_secret import check_admin_secret
from madang.store.database import Database
from madang.store.tables import keys
from madang.store.text import storable

LONGEST_NAME = 120
_LONGEST_PATTERN = 200
_LAST_MOMENT = 2**63 - 1
_LONG_SECRET = 40

_NEXT_VERSION = text(
    "INSERT INTO counters (name, value) VALUES ('keys', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)


class KeyRefused(MadangError):
    """A key that cannot be made as asked. Nothing was changed; the store is well."""


class NoSuchKey(KeyRefused):
    """No key has this id or name."""


class AmbiguousKey(KeyRefused):
    """Several live keys have this name; their ids tell them apart."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is kept. Times are in microseconds."""

    id: str
    name: str
    owner: str | None = None
    hint: str
    """Some characters of the secret, for people to recognise it by."""
    hash: str
    """SHA-256 of the whole secret, in hex."""
    models: tuple[str, ...] | None = None
    """Names or patterns (`openai/*`) it may call; None: all."""
    admin: bool = False
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


Found = list[Key]
"""Named here because `Keys.list` hides the built-in inside the class."""


class Changes(NamedTuple):
    """What `Keys.changed_since` found, and where to go on."""

    keys: Found
    cursor: int


class NewKey(msgspec.Struct, frozen=True):
    """A key just made and its secret, which nobody will see again."""

    key: Key
    secret: Secret


def new_secret() -> Secret:
    """`sk-madang-` and 43 characters: 256 bits of chance."""
    return Secret(f"sk-madang-{secrets.token_urlsafe(32)}")


def hash_secret(secret: Secret) -> str:
    """As kept in `Key.hash`. No salt: there is nothing to guess in 256 bits, and a call needs it fast."""
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()


class Keys:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._new_id = Ids("key")

    def create(
        self,
        name: str,
        *,
        owner: str | None = None,
        models: Iterable[str] | None = None,
        expires_at: int | None = None,
        admin: bool = False,
        secret: Secret | None = None,
    ) -> NewKey:
        """Make a key. `secret` is for one that people chose elsewhere; else one is drawn.

        Raises:
            KeyRefused: a field is not as it must be, or the secret is weak or in use.
        """
        secret = _acceptable(secret) if secret is not None else new_secret()
        key = Key(
            id=self._new_id(),
            name=_name("name", name),
            owner=None if owner is None else _name("owner", owner),
            hint=_hint(secret.reveal()),
            hash=hash_secret(secret),
            models=None if models is None else _models(models),
            admin=admin,
            created_at=now_us(),
            expires_at=_moment(expires_at),
        )
        with self._database.writing() as connection:
            _keep(connection, key, _next_version(connection))
        return NewKey(key, secret)

    def list(self, include_revoked: bool = False) -> list[Key]:
        """Oldest first."""
        query = select(keys).order_by(keys.c.created_at, keys.c.id)
        return self._read(query if include_revoked else query.where(keys.c.revoked_at.is_(None)))

    def find(self, id_or_name: str) -> Key | None:
        """The key with this id; else the live one of this name; else the one revoked last.

        Raises:
            AmbiguousKey: several live keys have the name.
        """
        with self._database.reading() as connection:
            return _find(connection, id_or_name)

    def revoke(self, id_or_name: str) -> Key:
        """Revoke the key that `find` finds. One that is revoked already stays as it is.

        Raises:
            NoSuchKey, AmbiguousKey: as told by their names.
        """
        with self._database.writing() as connection:
            version = _next_version(connection)
            key = _find(connection, id_or_name)
            if key is None:
                raise NoSuchKey(f"No key has the id or name {id_or_name!r}; `madang keys list` shows them.")
            return _revoke(connection, key, version)

    def changed_since(self, cursor: int) -> Changes:
        """Keys made or changed after `cursor`, in that order, and the next cursor; 0 is the start."""
        query = select(keys).where(keys.c.version > cursor).order_by(keys.c.version)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return Changes([_key(row) for row in rows], rows[-1].version if rows else cursor)

    def admin(self) -> Key | None:
        """The admin key in force; of several, the newest."""
        in_force = [key for key in self._read(_ADMINS) if _in_force(key)]
        return in_force[-1] if in_force else None

    def set_admin(self, secret: Secret, *, unless_set: bool = False) -> Key:
        """Make `secret` the one admin key; every other stops working.

        With `unless_set`, an admin key in force stays and is returned: of two servers that start
        at once on an empty database, one gets its own key (compare `hash`), the other learns it.

        Raises:
            KeyRefused: the secret is weak, was revoked, or is an ordinary key.
        """
        key = self._admin_key(_acceptable(secret))
        with self._database.writing() as connection:
            version = _next_version(connection)
            admins = [_key(row) for row in connection.execute(_ADMINS)]
            in_force = [admin for admin in admins if _in_force(admin)]
            if unless_set and in_force:
                return in_force[-1]
            for other in admins:
                if other.hash != key.hash:
                    _revoke(connection, other, version)
            same = next((admin for admin in in_force if admin.hash == key.hash), None)
            return same or _keep(connection, key, version)

    def _admin_key(self, secret: Secret) -> Key:
        hint, hashed = _hint(secret.reveal()), hash_secret(secret)
        return Key(id=self._new_id(), name="admin", hint=hint, hash=hashed, admin=True, created_at=now_us())

    def _read(self, query: Select[Any]) -> Found:
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(query)]


_ADMINS = select(keys).where(keys.c.admin, keys.c.revoked_at.is_(None)).order_by(keys.c.created_at, keys.c.id)


def _next_version(connection: Connection) -> int:
    return int(connection.execute(_NEXT_VERSION).scalar_one())


def _keep(connection: Connection, key: Key, version: int) -> Key:
    # Whoever changes keys holds the counter's row, so nobody can come between these two steps.
    taken = connection.execute(select(keys).where(keys.c.hash == key.hash)).first()
    if taken is not None:
        state = "was revoked" if taken.revoked_at is not None else "is in use"
        raise KeyRefused(f"This secret {state} already, as key {taken.id} ({taken.name}); choose another.")
    models = None if key.models is None else msgspec.json.encode(key.models).decode()
    values = {**msgspec.structs.asdict(key), "models": models, "version": version}
    connection.execute(insert(keys).values(values))
    return key


def _revoke(connection: Connection, key: Key, version: int) -> Key:
    if key.revoked_at is not None:
        return key
    revoked = msgspec.structs.replace(key, revoked_at=now_us())
    change = update(keys).where(keys.c.id == key.id)
    connection.execute(change.values(revoked_at=revoked.revoked_at, version=version))
    return revoked


def _find(connection: Connection, id_or_name: str) -> Key | None:
    wanted = unicodedata.normalize("NFC", storable(id_or_name))
    query = select(keys).where((keys.c.id == wanted) | (keys.c.name == wanted))
    found = [_key(row) for row in connection.execute(query)]
    live = [key for key in found if key.revoked_at is None]
    by_id = next((key for key in found if key.id == wanted), None)
    if by_id is None and len(live) > 1:
        ids = ", ".join(sorted(key.id for key in live))
        raise AmbiguousKey(f"{len(live)} keys are named {wanted!r}; say which by its id: {ids}.")
    return by_id or next(iter(live), None) or max(found, key=_revoked_at, default=None)


def _revoked_at(key: Key) -> int:
    return key.revoked_at or 0


def _in_force(key: Key) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now_us())


def _key(row: Row[Any]) -> Key:
    models = None if row.models is None else msgspec.json.decode(row.models, type=tuple[str, ...])
    return Key(
        id=row.id,
        name=row.name,
        owner=row.owner,
        hint=row.hint,
        hash=row.hash,
        models=models,
        admin=row.admin,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _acceptable(secret: Secret) -> Secret:
    reason = check_admin_secret(secret.reveal())
    if reason is not None:
        raise KeyRefused(f"This secret cannot be a key: {reason}.")
    return secret


def _hint(secret: str) -> str:
    # Of a short one that somebody chose, eleven characters would be most of it.
    return f"{secret[:7]}…{secret[-4:]}" if len(secret) >= _LONG_SECRET else f"{secret[:4]}…"


def _name(field: str, value: str) -> str:
    """`value` in the one form (NFC) in which it is kept and looked for, however it was typed."""
    name = unicodedata.normalize("NFC", value)
    if not name.strip():
        raise KeyRefused(f"The {field} is blank.")
    if name != name.strip():
        raise KeyRefused(f"The {field} {name!r} begins or ends with a space.")
    if len(name) > LONGEST_NAME:
        raise KeyRefused(f"The {field} has {len(name)} characters; at most {LONGEST_NAME} are kept.")
    if any(_is_control(character) for character in name):
        raise KeyRefused(f"The {field} {name!r} has a control character.")
    return name


def _is_control(character: str) -> bool:
    # The joiners are format characters too, but emoji and several scripts are written with them.
    kind = unicodedata.category(character)
    return kind in {"Cc", "Cs", "Zl", "Zp"} or (kind == "Cf" and character not in "\u200c\u200d")


def _models(patterns: Iterable[str]) -> tuple[str, ...]:
    models = tuple(patterns)
    if not models:
        raise KeyRefused("The list of models is empty; name one at least, or leave it out to allow all.")
    for model in models:
        if not (0 < len(model) <= _LONGEST_PATTERN and model.isprintable() and " " not in model):
            raise KeyRefused(f"{model[:_LONGEST_PATTERN]!r} is no model's name or pattern.")
    return models


def _moment(expires_at: int | None) -> int | None:
    if expires_at is not None and not 0 < expires_at <= _LAST_MOMENT:
        raise KeyRefused("The expiry is not a time in microseconds since 1970.")
    return expires_at
