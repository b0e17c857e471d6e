"""`madang keys`, as it is typed and as scripts read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from madang.cli.expiry import read_expiry
from madang.cli.main import main
from madang.core.clock import now_us
from madang.store import Store, hash_secret, new_secret

Run = Callable[..., Result]
DAY_US = 86_400_000_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'madang.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MADANG_ADMIN_KEY", raising=False)
    runner = CliRunner()

    def invoke(*words: str, **options: str) -> Result:
        return runner.invoke(main, ["keys", *words], obj={"store_url": url}, **options)  # type: ignore[arg-type]  # input

    return invoke


def test_create_prints_the_secret_alone_on_standard_output(run: Run, store: Store) -> None:
    result = run("create", "team-a")
    assert result.exit_code == 0
    assert re.fullmatch(r"sk-madang-[\w-]{43}\n", result.stdout)
    [key] = store.keys.list()
    secret = result.stdout.strip()
    assert secret not in result.stderr
    assert "only time" in result.stderr
    assert (key.name, key.models, key.expires_at, key.admin) == ("team-a", None, None, False)
    assert key.hash == hash_secret(type(new_secret())(secret))


def test_create_takes_owner_models_and_expiry(run: Run, store: Store) -> None:
    result = run(
        "create", "ci", "--owner", "build", "--model", "openai/*", "--model", "fast", "--expires", "30d"
    )
    assert result.exit_code == 0
    [key] = store.keys.list()
    assert (key.owner, key.models) == ("build", ("openai/*", "fast"))
    assert key.expires_at is not None
    assert abs(key.expires_at - now_us() - 30 * DAY_US) < 60_000_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--expires", "soon"], "is no time; write 30d"),
        (["--expires", ""], "is no time"),
        (["--expires", "-3d"], "is no time"),
        (["--expires", "3y"], "is no time"),
        (["--expires", "999999w"], "is no time"),
        (["--expires", "2026-13-01"], "is no time"),
        (["--expires", "2020-01-01"], "is over already"),
        (["--expires", "0d"], "is over already"),
        (["--model", ""], "no model's name"),
        (["--model", "a b"], "no model's name"),
        (["--owner", "\n"], "owner is blank"),
        (["--owner", "x" * 121], "121 characters"),
    ],
)
def test_create_refuses_what_makes_no_sense(run: Run, store: Store, options: list[str], says: str) -> None:
    result = run("create", "k", *options)
    assert result.exit_code != 0
    assert says in result.stderr
    assert result.stdout == ""
    assert store.keys.list() == []


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[2Jb", "x" * 121])
def test_create_refuses_a_bad_name_in_a_sentence(run: Run, name: str) -> None:
    result = run("create", name)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The name")
    assert "\x1b" not in result.stderr


def test_defaults_of_new_keys_come_from_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MADANG_CONFIG", raising=False)
    Path("madang.yaml").write_text("keys: {models: [cheap], expires_days: 7}\nstore: {data_dir: here}\n")
    runner = CliRunner()
    assert runner.invoke(main, ["keys", "create", "plain"]).exit_code == 0
    assert runner.invoke(main, ["keys", "create", "own", "--model", "*", "--expires", "never"]).exit_code == 0
    assert runner.invoke(main, ["keys", "create", "far", "--data-dir", "there"]).exit_code == 0
    with Store.open("sqlite:///here/madang.db") as store:
        plain, own = store.keys.list()
    assert plain.models == ("cheap",)
    assert plain.expires_at is not None
    assert abs(plain.expires_at - plain.created_at - 7 * DAY_US) < 60_000_000
    assert (own.models, own.expires_at) == (("*",), None)
    with Store.open("sqlite:///there/madang.db") as store:
        assert [key.name for key in store.keys.list()] == ["far"]


def test_list_shows_names_of_any_width_and_no_secret(run: Run, store: Store) -> None:
    made = [store.keys.create(name, owner="[red]o[/red]").key for name in ("마당", "a [b] c")]
    store.keys.create("old", expires_at=1)
    gone = store.keys.create("gone").key
    store.keys.revoke("gone")
    result = run("list")
    assert all(key.id in result.stdout and key.name in result.stdout for key in made)
    assert result.stdout.count("[red]o[/red]") == 2
    assert "expired" in result.stdout
    assert gone.id not in result.stdout
    assert re.search(rf"{gone.id}.* revoked", run("list", "--all").stdout)
    assert not any(key.hash in result.stdout for key in made)


@pytest.mark.parametrize(("width", "has_ids"), [(80, False), (120, True)])
def test_a_narrow_terminal_lists_whole_names_and_leaves_out_the_ids(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, width: int, has_ids: bool
) -> None:
    key = store.keys.create("team-search", owner="build@example.com", models=["openai/*"]).key
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = click.unstyle(run("list").stdout)
    assert re.search(r"team-search +build@example.com +\S+ +openai/\*", shown)
    assert (key.id in shown) is has_ids


def test_list_as_json_is_an_object_per_line(run: Run, store: Store) -> None:
    key = store.keys.create("마당", models=["a"]).key
    [line] = run("list", "--json").stdout.splitlines()
    fields = json.loads(line)
    assert fields["id"] == key.id
    assert (fields["name"], fields["models"], fields["expires_at"]) == ("마당", ["a"], None)
    assert "hash" not in fields


def test_list_of_none_leaves_standard_output_empty(run: Run, store: Store) -> None:
    assert store.keys.list() == []
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "madang keys create" in result.stderr


@pytest.mark.parametrize("words", [["list"], ["revoke", "k"]])
def test_a_wrong_folder_is_told_and_no_database_made_in_it(
    run: Run, tmp_path: Path, words: list[str]
) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert "There is no database at" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "revoked"), [("y\n", True), ("n\n", False), ("", False)])
def test_revoke_asks_before_it_acts(run: Run, store: Store, answer: str, revoked: bool) -> None:
    key = store.keys.create("team-a").key
    result = run("revoke", "team-a", input=answer)
    assert f"Revoke team-a ({key.id}, {key.hint})?" in result.stderr
    assert (result.exit_code == 0) is revoked
    assert (store.keys.list() == []) is revoked


def test_revoke_by_id_without_asking_can_be_repeated(run: Run, store: Store) -> None:
    key = store.keys.create("team-a").key
    first, second = run("revoke", key.id, "--yes"), run("revoke", key.id, "--yes")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "Revoked team-a" in first.stderr
    assert "revoked already" in second.stderr


def test_revoke_of_an_unknown_key_is_an_error(run: Run, store: Store) -> None:
    assert store.keys.list() == []
    result = run("revoke", "nobody", "--yes")
    assert result.exit_code == 1
    assert "No key has the id or name 'nobody'" in result.stderr


def test_revoke_of_an_ambiguous_name_lists_the_ids(run: Run, store: Store) -> None:
    ids = [store.keys.create("twin").key.id for _ in range(2)]
    result = run("revoke", "twin", "--yes")
    assert result.exit_code == 1
    assert all(each in result.stderr for each in ids)
    assert len(store.keys.list()) == 2


def test_reset_admin_replaces_the_admin_key_and_shows_the_new_one_once(run: Run, store: Store) -> None:
    old = store.keys.set_admin(new_secret())
    result = run("reset-admin")
    assert result.exit_code == 0
    key = store.keys.admin()
    assert key is not None
    assert key.hash == hash_secret(type(new_secret())(result.stdout.strip()))
    ended = store.keys.find(old.id)
    assert ended is not None
    assert ended.revoked_at is not None
    assert "MADANG_ADMIN_KEY" not in result.stderr


def test_reset_admin_warns_of_a_key_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_ADMIN_KEY", "one-from-the-environment")
    result = run("reset-admin")
    assert "MADANG_ADMIN_KEY is set here" in result.stderr
    assert "one-from-the-environment" not in result.output


def test_an_unusable_database_is_a_sentence_without_the_password() -> None:
    url = "postgresql://u:hunter2-very-secret@127.0.0.1:1/d"
    result = CliRunner().invoke(main, ["keys", "list"], obj={"store_url": url})
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: PostgreSQL database 'd' at 127.0.0.1:1: nothing listens there")
    assert "hunter2" not in result.output


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW + timedelta(minutes=90)),
        ("12h", NOW + timedelta(hours=12)),
        ("30d", NOW + timedelta(days=30)),
        ("4w", NOW + timedelta(weeks=4)),
        ("never", None),
        ("2026-12-31T10:00+09:00", datetime(2026, 12, 31, 1, 0, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 23, 59, 59, 999_999).astimezone(UTC)),
        ("2026-12-31T10:00", datetime(2026, 12, 31, 10, 0).astimezone(UTC)),
    ],
)
def test_an_expiry_is_a_span_or_a_moment(text: str, moment: datetime | None) -> None:
    assert read_expiry(text, NOW) == moment
