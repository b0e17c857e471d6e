"""Keys: made, found, changed and revoked; what is refused; how a running server hears of it."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.clock import now_us
from madang.core.errors import StoreError
from madang.core.secret import Secret
from madang.store.admin_secret import check_admin_secret
from madang.store.keys import AmbiguousKey, KeyRefused, NoSuchKey, hash_secret, new_secret
from madang.store.store import Store

GOOD = "Vq8-tR2_mZx7Lw4kPd"


def test_a_new_key_is_found_with_everything_it_was_made_with(store: Store) -> None:
    expires = now_us() + 1_000_000
    made = store.keys.create("team-a", owner="플랫폼", models=["openai/*", "fast"], expires_at=expires)
    key = store.keys.find(made.key.id)
    assert key == made.key == store.keys.find("team-a")
    assert key is not None
    assert (key.owner, key.models, key.expires_at) == ("플랫폼", ("openai/*", "fast"), expires)
    assert (key.admin, key.revoked_at) == (False, None)
    assert abs(key.created_at - now_us()) < 60_000_000


def test_the_secret_is_drawn_long_and_kept_as_a_hash_only(store: Store) -> None:
    made = store.keys.create("k")
    secret = made.secret.reveal()
    assert re.fullmatch(r"sk-madang-[A-Za-z0-9_-]{43}", secret)
    assert made.key.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert made.key.hint == f"{secret[:7]}…{secret[-4:]}"
    assert secret not in repr(made) + repr(store.keys.list())


def test_two_keys_never_share_a_secret_or_an_id(store: Store) -> None:
    made = [store.keys.create("same") for _ in range(20)]
    assert len({new.secret.reveal() for new in made}) == len({new.key.id for new in made}) == 20


def test_a_chosen_secret_becomes_a_key_that_shows_little_of_it(store: Store) -> None:
    made = store.keys.create("imported", secret=Secret(GOOD))
    assert made.key.hash == hash_secret(Secret(GOOD))
    assert made.key.hint == f"{GOOD[:4]}…"


def test_one_secret_opens_one_key_only(store: Store) -> None:
    first = store.keys.create("a", secret=Secret(GOOD))
    with pytest.raises(KeyRefused, match=f"in use already, as key {first.key.id}") as caught:
        store.keys.create("b", secret=Secret(GOOD))
    assert GOOD not in str(caught.value)
    store.keys.revoke("a")
    with pytest.raises(KeyRefused, match="was revoked already"):
        store.keys.create("b", secret=Secret(GOOD))


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Team A",
        "팀 가",
        "x" * 120,
        "가" * 120,
        "it's; DROP TABLE keys --",
        "50% {x} :y ?",
        "👩‍🔬",
        "a\u200db",
    ],
)
def test_a_name_of_any_script_is_kept_as_it_is(store: Store, name: str) -> None:
    assert store.keys.create(name, owner=name).key.name == name
    found = store.keys.find(name)
    assert found is not None
    assert (found.name, found.owner) == (name, name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "blank"),
        ("   ", "blank"),
        ("\t\n", "blank"),
        ("x" * 121, "121 characters"),
        (" a", "begins or ends with a space"),
        ("a ", "begins or ends with a space"),
        ("a\u00a0", "begins or ends with a space"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x1b[31mb", "control character"),
        ("a\x7fb", "control character"),
        ("a\x85b", "control character"),
        ("a\u2028b", "control character"),
        ("a\u202eb", "control character"),
        ("a\ufeffb", "control character"),
        ("a\ud800b", "control character"),
    ],
)
@pytest.mark.parametrize("field", ["name", "owner"])
def test_a_bad_name_or_owner_is_refused(store: Store, field: str, name: str, says: str) -> None:
    with pytest.raises(KeyRefused, match=f"{field}.*{says}"):
        store.keys.create(**{"name": "good", field: name})  # type: ignore[arg-type]  # one field of several
    assert store.keys.list() == []


def test_hangul_typed_in_pieces_is_the_same_name(store: Store) -> None:
    pieces = unicodedata.normalize("NFD", "마당")
    made = store.keys.create(pieces)
    assert made.key.name == "마당" != pieces
    assert store.keys.find("마당") == store.keys.find(pieces) == made.key


@pytest.mark.parametrize(
    "models", [[], [""], ["a b"], ["a\n"], ["a\0"], ["x" * 201], ["ok", " "], ["\ud800"]]
)
def test_a_bad_list_of_models_is_refused(store: Store, models: list[str]) -> None:
    with pytest.raises(KeyRefused):
        store.keys.create("k", models=models)


@pytest.mark.parametrize("expires_at", [0, -1, 2**63, 10**30])
def test_an_expiry_out_of_range_is_refused(store: Store, expires_at: int) -> None:
    with pytest.raises(KeyRefused, match="expiry"):
        store.keys.create("k", expires_at=expires_at)


def test_an_expiry_in_the_past_is_kept_as_it_is(store: Store) -> None:
    assert store.keys.create("k", expires_at=1).key.expires_at == 1


@pytest.mark.parametrize("wanted", ["", "nobody", "key_", "%", "a\0b", "\ud800", "'"])
def test_what_does_not_exist_is_not_found(store: Store, wanted: str) -> None:
    store.keys.create("team-a")
    assert store.keys.find(wanted) is None
    with pytest.raises(NoSuchKey):
        store.keys.revoke(wanted)


def test_revoking_twice_changes_nothing_the_second_time(store: Store) -> None:
    made = store.keys.create("k")
    first = store.keys.revoke("k")
    assert first.revoked_at is not None
    assert store.keys.revoke("k") == store.keys.revoke(made.key.id) == first


def test_revoked_keys_are_listed_only_when_asked_for(store: Store) -> None:
    a, b = store.keys.create("a").key, store.keys.create("b").key
    revoked = store.keys.revoke("a")
    assert store.keys.list() == [b]
    assert store.keys.list(include_revoked=True) == [revoked, b]
    assert a.id == revoked.id


def test_an_ambiguous_name_lists_the_ids_and_revokes_nothing(store: Store) -> None:
    ids = [store.keys.create("twin").key.id for _ in range(2)]
    for attempt in (store.keys.find, store.keys.revoke):
        with pytest.raises(AmbiguousKey) as caught:
            attempt("twin")
        assert all(each in str(caught.value) for each in ids)
    assert len(store.keys.list()) == 2


def test_a_name_means_the_live_key_and_else_the_one_revoked_last(store: Store) -> None:
    old = store.keys.create("k").key
    store.keys.revoke(old.id)
    new = store.keys.create("k").key
    assert store.keys.find("k") == new
    revoked = store.keys.revoke("k")
    assert store.keys.find("k") == revoked
    assert revoked.id == new.id


def test_an_id_wins_over_a_name_that_looks_the_same(store: Store) -> None:
    first = store.keys.create("k").key
    store.keys.create(first.id)
    assert store.keys.find(first.id) == first


def test_each_change_is_heard_of_once(store: Store) -> None:
    assert store.keys.changed_since(0) == ([], 0)
    a = store.keys.create("a").key
    b = store.keys.create("b").key
    found, cursor = store.keys.changed_since(0)
    assert found == [a, b]
    assert store.keys.changed_since(cursor) == ([], cursor)
    revoked = store.keys.revoke("a")
    found, later = store.keys.changed_since(cursor)
    assert found == [revoked]
    assert later > cursor


def test_a_change_is_heard_of_by_another_process_with_its_own_store(store: Store, store_url: str) -> None:
    with Store.open(store_url) as other:
        cursor = other.keys.changed_since(0).cursor
        key = store.keys.create("k").key
        assert other.keys.changed_since(cursor).keys == [key]


def test_changes_at_the_same_time_are_all_heard_of(store: Store) -> None:
    """A reader that polls as fast as it can, while eight writers commit as close together as they can."""
    heard: list[str] = []
    done = threading.Event()

    def listen() -> None:
        cursor, last = 0, False
        while not last:
            last = done.is_set()
            found, cursor = store.keys.changed_since(cursor)
            heard.extend(key.id for key in found)

    listener = threading.Thread(target=listen)
    listener.start()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: store.keys.create(f"k{number}").key.id, range(80)))
    done.set()
    listener.join()
    assert sorted(heard) == sorted(made)


def test_a_change_that_commits_late_is_not_overtaken(store: Store, store_url: str) -> None:
    """The first writer holds its number; a second one must wait, or a poll between them would skip it."""
    from sqlalchemy import text

    from madang.store.keys import _next_version

    with Store.open(store_url) as other, ThreadPoolExecutor(1) as pool:
        with other._database.writing() as connection:
            held = _next_version(connection)
            waiting = pool.submit(store.keys.create, "second")
            assert store.keys.changed_since(0).cursor < held
            assert not waiting.done()
            connection.execute(text("SELECT 1"))
        waiting.result(timeout=20)
        assert store.keys.changed_since(0).cursor == held + 1


def test_there_is_no_admin_key_before_one_is_set(store: Store) -> None:
    store.keys.create("ordinary")
    assert store.keys.admin() is None


def test_setting_an_admin_key_ends_the_one_before(store: Store) -> None:
    first, second = new_secret(), new_secret()
    old = store.keys.set_admin(first)
    new = store.keys.set_admin(second)
    assert store.keys.admin() == new
    assert (new.admin, new.name, new.hash) == (True, "admin", hash_secret(second))
    ended = store.keys.find(old.id)
    assert ended is not None
    assert ended.revoked_at is not None


def test_setting_the_same_admin_key_again_changes_nothing(store: Store) -> None:
    secret = new_secret()
    key = store.keys.set_admin(secret)
    cursor = store.keys.changed_since(0).cursor
    assert store.keys.set_admin(secret) == key == store.keys.admin()
    assert store.keys.changed_since(cursor) == ([], cursor)


def test_an_admin_key_that_was_revoked_stays_revoked(store: Store) -> None:
    leaked = new_secret()
    store.keys.set_admin(leaked)
    replacement = store.keys.set_admin(new_secret())
    with pytest.raises(KeyRefused, match="was revoked already"):
        store.keys.set_admin(leaked)
    assert store.keys.admin() == replacement


def test_an_ordinary_key_does_not_become_the_admin_key(store: Store) -> None:
    made = store.keys.create("ordinary")
    with pytest.raises(KeyRefused, match="in use"):
        store.keys.set_admin(made.secret)
    assert store.keys.admin() is None


def test_an_expired_admin_key_is_not_in_force(store: Store) -> None:
    store.keys.create("old", admin=True, expires_at=1)
    assert store.keys.admin() is None


def test_of_two_first_starts_one_sets_the_admin_key(store: Store) -> None:
    secrets = [new_secret() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda secret: store.keys.set_admin(secret, unless_set=True), secrets))
    assert len({key.id for key in keys}) == 1
    assert sum(key.hash == hash_secret(secret) for key, secret in zip(keys, secrets, strict=True)) == 1


REFUSED = [
    ("", "blank"),
    (" " * 20, "blank"),
    ("Xk9_vTq2ZpL4w-7", "shorter"),
    ("sk-1234", "shorter"),
    ("sk-1234sk-1234sk-1234", "well-known"),
    ("SK-1234-5678-9abc-def0", "well-known"),
    ("sk-1234567890abcdefghij", "well-known"),
    ("changeme", "shorter"),
    ("changeme-changeme", "well-known"),
    ("ChangeMeChangeMe", "well-known"),
    ("change-this-secret-please", "well-known"),
    ("password12345678", "well-known"),
    ("PASSWORD_PASSWORD", "well-known"),
    ("passwordkJ2Lp9QxT4mV", "well-known"),
    ("Passw0rd!Passw0rd!", "well-known"),
    ("adminadminadminadmin", "well-known"),
    ("admin-key-admin-key", "well-known"),
    ("admin-secret-key-2026", "well-known"),
    ("your-secret-key-here", "well-known"),
    ("Your_Secret_Key_Here", "well-known"),
    ("sk-your-key-goes-right-here", "well-known"),
    ("sk-madang-admin-key", "well-known"),
    ("sk-litellm-master-key", "well-known"),
    ("my-super-secret-token", "well-known"),
    ("test-test-test-test-", "well-known"),
    ("12345678901234567890", "well-known"),
    ("abcdefghijklmnopqrstuvwxyz", "well-known"),
    ("qwertyuiopasdfghzxcvbnm", "well-known"),
    ("xxxxxxxxxxxxxxxxxxxx", "well-known"),
    ("aaaaaaaaaaaaaaaaaaaa", "fewer than 6"),
    ("abababababababababab", "fewer than 6"),
    ("jk3jk3jk3jk3jk3jk3jk", "fewer than 6"),
    ("zK4pw9zK4pw9zK4pw9zK", "repeats"),
    ("Vq8tR2mZx7 Lw4kPd9n", "space"),
    ("Vq8tR2mZx7Lw4kPd9n\n", "space"),
    ("Vq8tR2\x00Zx7Lw4kPd9n", "not printable"),
    ("Vq8tR2\x7fZx7Lw4kPd9n", "not printable"),
    ("마당의비밀열쇠는아무도모르게둔다", "not printable ASCII"),
    ("Vq8tR2é7Lw4kPd9nXy", "not printable ASCII"),
]


@pytest.mark.parametrize(("value", "says"), REFUSED)
def test_a_weak_admin_key_is_refused_with_the_reason(value: str, says: str) -> None:
    reason = check_admin_secret(value)
    assert reason is not None
    assert says in reason
    assert not value.strip() or value not in reason


@pytest.mark.parametrize(
    "value",
    [GOOD, "correct-horse-battery-staple", "8f14e45fceea167a5a36dedd4bea2543", "4012888888881881-77Aq-x"],
)
def test_a_sound_admin_key_is_taken(value: str) -> None:
    assert check_admin_secret(value) is None


@given(st.binary(min_size=32, max_size=32))
def test_what_we_draw_ourselves_is_never_refused(drawn: bytes) -> None:
    value = "sk-madang-" + base64.urlsafe_b64encode(drawn).rstrip(b"=").decode()
    assert check_admin_secret(value) is None


@pytest.mark.parametrize("value", ["", "short", "changeme-changeme", "Vq8tR2mZx7 Lw4kPd9n"])
def test_the_store_takes_no_weak_secret_either(store: Store, value: str) -> None:
    for attempt in (
        lambda: store.keys.set_admin(Secret(value)),
        lambda: store.keys.create("k", secret=Secret(value)),
    ):
        with pytest.raises(KeyRefused, match="cannot be a key"):
            attempt()
    assert store.keys.list() == []


def test_a_refused_key_is_no_outage_of_the_store() -> None:
    assert not issubclass(KeyRefused, StoreError)
