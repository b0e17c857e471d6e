"""Opening a database: new, current, old, newer, somebody else's, broken or out of reach."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url

from madang.core.errors import StoreError
from madang.store import schema
from madang.store.address import default_url, place, read_url
from madang.store.database import Database, connect
from madang.store.store import Store
from madang.store.tables import metadata

PASSWORD = "hunter2-very-secret"


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """Connected, with nothing in it."""
    database = connect(read_url(store_url))
    yield database
    database.close()


def differences(database: Database) -> list[object]:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_the_last_revision_is_the_head_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [schema.HEAD]
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(schema.REVISIONS)


def test_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    with database.writing() as connection:
        schema.migrate(connection)
    assert differences(database) == []


def test_a_new_database_is_what_migrations_would_have_made(database: Database) -> None:
    schema.prepare(database)
    assert differences(database) == []
    with database.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [(schema.HEAD,)]


def layout(database: Database) -> list[object]:
    """Tables and indexes as the database describes them, more exactly than Alembic compares."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master ORDER BY name",
        "postgresql": "SELECT table_name, column_name, data_type, is_nullable, is_identity"
        " FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2",
    }[database.dialect]
    with database.reading() as connection:
        rows: list[object] = [tuple(row) for row in connection.execute(text(query))]
        if database.dialect == "sqlite":
            for table in (*metadata.tables, "alembic_version"):
                rows += [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
        return rows


def test_both_ways_to_a_new_database_lead_to_the_same_columns(database: Database) -> None:
    with database.writing() as connection:
        schema.migrate(connection)
    migrated = layout(database)
    with database.writing() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    schema.prepare(database)
    assert layout(database) == migrated


def test_an_old_database_is_brought_forward_in_place(store_url: str, database: Database) -> None:
    with database.writing() as connection:
        schema.migrate(connection, "0001")
        connection.execute(
            text(
                "INSERT INTO calls (id, started_at, operation, attempts, passed, streamed, status, outcome,"
                " duration_us, request_bytes, response_bytes)"
                " VALUES ('call_old', 1, 'embeddings', '[]', true, false, 200, 'ok', 5, 6, 7)"
            )
        )
    with Store.open(store_url) as store:
        (record,) = store.calls.recent()
    assert (record.id, record.losses, record.usage) == ("call_old", None, None)


def test_a_database_of_a_newer_version_is_refused(store_url: str, database: Database) -> None:
    schema.prepare(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision '9999', which this version of Madang .* does not know"):
        Store.open(store_url)


def test_tables_of_another_program_are_left_alone(store_url: str, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE keys (door TEXT)"))
    with pytest.raises(StoreError, match=r"tables of another program \(keys\)"):
        Store.open(store_url)
    with database.reading() as connection:
        assert connection.execute(text("SELECT door FROM keys")).all() == []


def test_a_failed_first_start_leaves_nothing_half_made(store_url: str, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE calls (x TEXT)"))
    with pytest.raises(StoreError):
        Store.open(store_url)
    with database.writing() as connection:
        connection.execute(text("DROP TABLE calls"))
    with Store.open(store_url) as store:
        assert store.calls.count() == 0


def test_many_first_starts_at_once_all_succeed(store_url: str) -> None:
    program = "import sys; from madang.store import Store; s = Store.open(sys.argv[1]); s.keys.create('k')"
    command = [sys.executable, "-c", program, store_url]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    running = [subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    with Store.open(store_url) as store:
        assert len(store.keys.list()) == 4


def test_many_threads_may_open_one_new_database(store_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store.open, [store_url] * 8))
    assert [store.calls.count() for store in stores] == [0] * 8
    for store in stores:
        store.close()


def test_an_up_to_date_database_opens_without_alembic(store_url: str) -> None:
    for _ in range(2):
        program = (
            "import sys; from madang.store import Store; Store.open(sys.argv[1]).close();"
            "assert 'alembic' not in sys.modules"
        )
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        subprocess.run([sys.executable, "-c", program, store_url], env=environ, check=True, timeout=60)


def test_sqlite_keeps_its_folder_and_files_from_others(sqlite_url: str) -> None:
    path = Path(read_url(sqlite_url).database or "")
    with Store.open(sqlite_url) as store:
        store.keys.create("k")
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["madang.db", "madang.db-shm", "madang.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_every_sqlite_connection_is_set_up(sqlite_url: str, pragma: str, value: object) -> None:
    database = connect(read_url(sqlite_url))
    with database.reading() as one, database.reading() as other:
        assert one.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
        assert other.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    database.close()


def test_the_default_url_survives_odd_paths(tmp_path: Path) -> None:
    folder = tmp_path / "a b#d%20 마당@:x"
    with Store.open(default_url(folder)) as store:
        assert store.calls.count() == 0
    assert (folder / "madang.db").is_file()


def test_a_question_mark_in_a_path_never_leads_to_another_file(tmp_path: Path) -> None:
    """SQLAlchemy 2.1 can write it in a URL, 2.0 cannot; then it is refused."""
    with contextlib.suppress(StoreError):
        Store.open(default_url(tmp_path / "a?b")).close()
        assert (tmp_path / "a?b" / "madang.db").is_file()
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_leads_to_psycopg(scheme: str) -> None:
    assert read_url(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "cannot be read"),
        ("nonsense", "cannot be read"),
        (f"postgresql://u:{PASSWORD}@h:notaport/d", "cannot be read"),
        (f"mysql://u:{PASSWORD}@h/d", "no support for 'mysql'"),
        (f"postgresql+asyncpg://u:{PASSWORD}@h/d", "no support for 'postgresql+asyncpg'"),
        ("sqlite://", "needs the path of a file"),
        ("sqlite:///", "needs the path of a file"),
        ("sqlite:///:memory:", "needs the path of a file"),
        ("sqlite:///file:x.db?uri=true", "needs the path of a file"),
    ],
)
def test_a_url_that_cannot_work_is_explained(url: str, says: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    assert says in str(caught.value)
    assert PASSWORD not in repr(caught.value.__dict__) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def _not_a_database(path: Path) -> None:
    path.write_text("Dear diary, this is no database at all. " * 100)


def _damaged(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.close()
    content = bytearray(path.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    path.write_bytes(content)


def _is_a_folder(path: Path) -> None:
    path.mkdir()


def _under_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_not_a_database, "is not a SQLite database"),
        (_damaged, "damaged"),
        (_is_a_folder, "cannot be opened for writing"),
        (_under_a_file, "cannot be opened for writing"),
    ],
)
def test_a_file_that_is_no_database_is_explained(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "data" / "madang.db"
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(StoreError, match=says) as caught:
        Store.open(f"sqlite:///{path}")
    assert str(path) in str(caught.value)


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[None]:
    """Whoever runs the tests, without root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_folder_one_may_not_write_is_explained(tmp_path: Path, nobody: None) -> None:
    if os.geteuid() != 65534:
        tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"cannot be opened for writing \(Permission denied\)"):
        Store.open(f"sqlite:///{tmp_path / 'data' / 'madang.db'}")


def test_a_server_that_is_not_there_is_explained_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1: nothing listens there") as caught:
        Store.open(f"postgresql://user:{PASSWORD}@127.0.0.1:1/madang")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("where", ["userinfo", "query"])
def test_a_missing_database_is_explained_without_the_password(postgresql_url: str, where: str) -> None:
    url = make_url(postgresql_url).set(database="madang_not_there")
    url = url.set(password=PASSWORD) if where == "userinfo" else url.update_query_dict({"password": PASSWORD})
    with pytest.raises(StoreError, match="not what the URL names") as caught:
        Store.open(url.render_as_string(hide_password=False))
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in place(url)


def test_a_refused_password_is_explained_without_it() -> None:
    from sqlalchemy.exc import OperationalError

    from madang.store.faults import store_error

    said = f'connection failed: FATAL:  password authentication failed for user "u" (tried {PASSWORD})'
    url = read_url(f"postgresql://u:{PASSWORD}@h/d")
    text = str(store_error(OperationalError("SELECT", None, psycopg.OperationalError(said)), url))
    assert "refuses the user or the password" in text
    assert PASSWORD not in text


def test_postgresql_without_psycopg_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'madang\[postgres\]'"):
        Store.open("postgresql://u@127.0.0.1:1/d")


def test_a_store_that_goes_away_is_an_error_of_ours(store: Store, store_url: str) -> None:
    database = connect(read_url(store_url))
    with database.writing() as connection:
        connection.execute(text("DROP TABLE keys"))
    database.close()
    with pytest.raises(StoreError):
        store.keys.list()
