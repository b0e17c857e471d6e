"""Calls: written in batches, once each, whatever is in them; read back newest first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import text

from madang.core.errors import StoreError
from madang.core.record import Attempt, Outcome, Record, Usage
from madang.store.address import read_url
from madang.store.batches import portions
from madang.store.calls import NoSuchRecord
from madang.store.database import connect
from madang.store.rows import COLUMNS, row_of
from madang.store.store import Store

MakeRecord = Callable[..., Record]
MOST = 2**63 - 1


def bare(**given: object) -> Record:
    """A record with nothing but what it must have."""
    fields: dict[str, object] = {"id": "call_bare", "started_at": 1, "operation": "files", **given}
    return Record(**fields)  # type: ignore[arg-type]  # fields are given by name


def test_a_record_is_read_back_as_it_was_written(store: Store, make_record: MakeRecord) -> None:
    written = [make_record(), bare(), make_record(usage=Usage(0, None, None, 0), outcome=Outcome.OK)]
    store.calls.write(written)
    assert store.calls.recent()[::-1] == written


def test_every_field_of_a_record_has_its_column() -> None:
    fields = {*Record.__struct_fields__, *Usage.__struct_fields__} - {"usage", "extra"}
    assert set(COLUMNS) == fields


def test_a_row_is_in_the_order_of_its_columns(make_record: MakeRecord) -> None:
    record = make_record()
    values = dict(zip(COLUMNS, row_of(record), strict=True))
    flat = {**msgspec.structs.asdict(record), **msgspec.structs.asdict(record.usage or Usage())}
    del flat["usage"], flat["attempts"], flat["extra"]
    assert msgspec.json.decode(str(values.pop("attempts")), type=list[Attempt]) == record.attempts
    assert values == flat


def test_a_usage_of_which_nothing_is_known_is_no_usage(store: Store) -> None:
    store.calls.write([bare(usage=Usage())])
    assert store.calls.recent()[0].usage is None


def test_an_empty_batch_is_no_work(store: Store) -> None:
    store.calls.write([])
    assert store.calls.count() == 0


def test_a_batch_written_again_adds_nothing(store: Store, make_record: MakeRecord) -> None:
    first = [make_record() for _ in range(3)]
    more = [make_record() for _ in range(2)]
    store.calls.write(first)
    store.calls.write([*first, *more])
    assert [record.id for record in store.calls.recent()] == [record.id for record in (*first, *more)][::-1]


def test_a_record_twice_in_one_batch_is_written_once(store: Store, make_record: MakeRecord) -> None:
    record = make_record()
    store.calls.write([record, record])
    assert store.calls.recent() == [record]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 1000])
def test_a_batch_of_any_size_is_written_in_order(store: Store, make_record: MakeRecord, size: int) -> None:
    records = [make_record() for _ in range(size)]
    store.calls.write(records)
    assert store.calls.recent(size + 1) == records[::-1]


def test_portions_are_few_sizes_that_add_up() -> None:
    sizes = {size for count in range(2000) for size in portions(count)}
    assert sizes == {1, 2, 4, 8, 16, 32, 64, 128, 256}
    assert all(sum(portions(count)) == count for count in range(2000))


BAD_VALUES: list[dict[str, object]] = [
    {"route": "a\0b"},
    {"route": "\ud800"},
    {"upstream_id": "x" * 100 + "\0\udfff"},
    {"usage": Usage(10**30, -(10**30), 2**63, None)},
    {"response_bytes": 2**64},
    {"attempts": [Attempt("openai", "m\0\ud800", None, "e\0", 2**70)]},
    {"error": "\0"},
]


@pytest.mark.parametrize("bad", BAD_VALUES, ids=lambda bad: next(iter(bad)))
def test_a_value_no_engine_keeps_holds_up_nobody(
    store: Store, make_record: MakeRecord, bad: dict[str, object]
) -> None:
    good = [make_record(), make_record()]
    store.calls.write([good[0], bare(**bad), good[1]])
    found = store.calls.recent()
    assert [record.id for record in found] == [good[1].id, "call_bare", good[0].id]
    assert [found[0], found[2]] == good[::-1]
    msgspec.json.encode(found)


def test_numbers_too_large_are_kept_as_the_largest(store: Store) -> None:
    store.calls.write([bare(usage=Usage(10**30, -(10**30), None, 7))])
    assert store.calls.recent()[0].usage == Usage(MOST, -MOST, None, 7)


@pytest.mark.parametrize("bad", [{"operation": None}, {"duration_us": None}, {"started_at": None}])
def test_a_record_that_fits_no_table_is_given_up_with_a_word(
    store: Store, make_record: MakeRecord, caplog: pytest.LogCaptureFixture, bad: dict[str, object]
) -> None:
    good = [make_record(), make_record()]
    with caplog.at_level(logging.ERROR, "madang.store"):
        store.calls.write([good[0], bare(**bad), good[1]])
    assert store.calls.recent() == good[::-1]
    assert [line for line in caplog.messages if "call_bare" in line] == caplog.messages != []


@pytest.mark.parametrize(
    "word", ["'; DROP TABLE calls; --", '"', "%s %(x)s :x ?", "\\", "마당 👩‍🔬", "\x1b[31m"]
)
def test_text_is_data_and_never_sql(store: Store, make_record: MakeRecord, word: str) -> None:
    record = make_record(route=word, key_name=word, error=word)
    store.calls.write([record])
    assert store.calls.recent(key=word, model=word) == [record]


def test_pages_go_back_and_forth_without_gap_or_repeat(store: Store, make_record: MakeRecord) -> None:
    records = [make_record() for _ in range(10)]
    store.calls.write(records[:5])
    store.calls.write(records[5:])
    newest = store.calls.recent(4)
    older = store.calls.recent(4, before=newest[-1].id)
    assert newest + older == records[:1:-1]
    assert store.calls.recent(4, after=older[-1].id) == records[3:7][::-1]
    assert store.calls.recent(4, after=records[2].id, before=records[5].id) == records[3:5][::-1]


def test_following_from_the_start_sees_every_record_in_turn(store: Store, make_record: MakeRecord) -> None:
    assert store.calls.recent(2, after="") == []
    records = [make_record() for _ in range(5)]
    store.calls.write(records)
    seen: list[Record] = []
    while more := store.calls.recent(2, after=seen[-1].id if seen else ""):
        seen += more[::-1]
    assert seen == records


@pytest.mark.parametrize("cursor", ["nobody", "a\0b", "\ud800"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_cursor_that_is_not_there_is_an_error(store: Store, side: str, cursor: str) -> None:
    with pytest.raises(NoSuchRecord):
        store.calls.recent(1, **{side: cursor})  # type: ignore[arg-type]  # one of two cursors


@pytest.mark.parametrize("limit", [0, -1])
def test_no_records_are_read_when_none_are_wanted(store: Store, make_record: MakeRecord, limit: int) -> None:
    store.calls.write([make_record()])
    assert store.calls.recent(limit) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"key": "key_1"}, ["a", "b"]),
        ({"key": "team-a"}, ["a", "b"]),
        ({"key": "team"}, []),
        ({"key": "a\0"}, []),
        ({"model": "fast"}, ["a", "c"]),
        ({"model": "gpt-4o"}, ["b", "c"]),
        ({"outcome": Outcome.OK}, ["a"]),
        ({"status": 502}, ["c"]),
        ({"key": "team-a", "model": "fast"}, ["a"]),
        ({"key": "team-a", "status": 502}, []),
        ({"limit": 1, "model": "fast"}, ["c"]),
    ],
)
def test_records_are_chosen_by_what_they_say(
    store: Store, make_record: MakeRecord, wanted: dict[str, object], found: list[str]
) -> None:
    store.calls.write(
        [
            make_record(id="a", outcome=Outcome.OK),
            make_record(id="b", route="slow", model="gpt-4o"),
            make_record(id="c", key_id="key_2", key_name="b", model="gpt-4o", status=502),
        ]
    )
    assert [record.id for record in store.calls.recent(**wanted)][::-1] == found  # type: ignore[arg-type]  # filters


def test_a_follower_misses_nothing_of_several_writers(
    store: Store, store_url: str, make_record: MakeRecord
) -> None:
    batches = [[make_record() for _ in range(20)] for _ in range(200)]
    seen: list[str] = []
    done = threading.Event()

    def follow() -> None:
        last = False
        while not last:
            last = done.is_set()
            while more := store.calls.recent(1000, after=seen[-1] if seen else ""):
                seen.extend(record.id for record in reversed(more))

    follower = threading.Thread(target=follow)
    follower.start()
    with Store.open(store_url) as other, ThreadPoolExecutor(4) as pool:
        writers = [store.calls, other.calls]
        list(pool.map(lambda n: writers[n % 2].write(batches[n]), range(len(batches))))
    done.set()
    follower.join()
    assert sorted(seen) == sorted(record.id for batch in batches for record in batch)


def test_an_outage_is_told_and_writes_nothing(store: Store, store_url: str, make_record: MakeRecord) -> None:
    database = connect(read_url(store_url))
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE calls RENAME TO hidden"))
    records = [make_record() for _ in range(3)]
    with pytest.raises(StoreError):
        store.calls.write(records)
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO calls"))
    database.close()
    store.calls.write(records)
    assert store.calls.recent() == records[::-1]


def test_there_is_no_column_for_content() -> None:
    assert not set(COLUMNS) & {"messages", "prompt", "content", "body", "request", "response", "headers"}
