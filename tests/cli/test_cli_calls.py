"""`madang calls`: what it shows of a record, and that following misses nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from madang.cli.main import main
from madang.core.clock import now_us
from madang.core.record import Attempt, Outcome, Record, Usage
from madang.core.responses import Stop
from madang.store import Store

PAGE = Path(__file__).resolve().parents[2] / "docs" / "records.md"
Run = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'madang.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def run(url: str) -> Run:
    return lambda *words: CliRunner().invoke(main, ["calls", *words], obj={"store_url": url})


def call(number: int, **given: object) -> Record:
    fields: dict[str, object] = {
        "id": f"call_{number}",
        "started_at": 1_790_000_000_000_000 + number,
        "operation": "chat.completions",
        "key_name": "team-a",
        "route": "fast",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "status": 200,
        "usage": Usage(12, 34),
        "first_byte_us": 210_400,
        "duration_us": 5_100_000,
        "stop_reason": "stop",
    }
    return Record(**{**fields, **given})  # type: ignore[arg-type]  # fields are given by name


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_call_is_one_line_with_what_matters(run: Run, store: Store) -> None:
    store.calls.write([call(1)])
    [line] = lines(run())
    assert re.fullmatch(r"\d\d-\d\d \d\d:\d\d:\d\d team-a .*", line)
    rest = line.split()[3:]
    assert rest == ["fast", ">", "openai/gpt-4o-mini", "200", "ok", "210ms", "5.1s", "12", "34", "stop"]


def test_the_heading_stands_over_the_columns(run: Run, store: Store) -> None:
    store.calls.write([call(1, key_name="마당")])
    result = run()
    heading = result.stderr.rstrip("\n")
    [line] = lines(result)
    assert heading.index("MODEL") == cell_len(line[: line.index("fast")])
    assert heading.index("NOTE") == cell_len(line[: line.index("stop")])


def test_the_newest_call_is_at_the_bottom(run: Run, store: Store) -> None:
    store.calls.write([call(number, route=f"m{number}") for number in range(30)])
    assert [line.split()[3] for line in lines(run("--limit", "3"))] == ["m27", "m28", "m29"]
    assert len(lines(run())) == 20


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"usage": None, "first_byte_us": None}, "ok           -   5.1s      -      - stop"),
        ({"outcome": Outcome.REFUSED, "status": 401, "error": "invalid_api_key"}, "invalid_api_key"),
        ({"attempts": [Attempt("a", "b"), Attempt("c", "d")]}, "stop, 2 tries"),
        ({"stop_reason": None, "attempts": [Attempt("a", "b"), Attempt("c", "d")]}, "34 2 tries"),
        (
            {"dialect": "anthropic", "provider_dialect": "gemini", "losses": "seed;drop, n;refuse"},
            "stop, 2 losses, anthropic > gemini",
        ),
        ({"dialect": "anthropic", "provider_dialect": "gemini"}, "stop, anthropic > gemini"),
        ({"dialect": "anthropic", "losses": "count;emulate"}, "stop, 1 loss"),
        ({"losses": "a;drop, b;drop, and 30 more"}, "stop, 32 losses"),
        ({"losses": "a;drop", "attempts": [Attempt("a", "b"), Attempt("c", "d")]}, "stop, 2 tries, 1 loss"),
        ({"provider": None, "model": None, "route": None}, "team-a       chat.completions "),
        ({"route": "openai/gpt-4o-mini"}, "team-a       openai/gpt-4o-mini "),
        ({"operation": "files", "route": None, "model": None}, "files > openai"),
        ({"key_name": None}, " -            fast"),
        ({"key_name": "a-very-long-name-of-a-key"}, " a-very-long… fast"),
        ({"key_name": "아주긴이름의열쇠"}, " 아주긴이름 … fast"),
        ({"duration_us": 999_499}, " 999ms "),
        ({"duration_us": 999_500}, " 1.0s "),
        ({"duration_us": 600_000_000}, " 10min "),
    ],
)
def test_what_is_missing_or_odd_is_still_a_line(
    run: Run, store: Store, given: dict[str, object], shown: str
) -> None:
    store.calls.write([call(1, **given)])
    [line] = lines(run())
    assert shown in line


@pytest.mark.parametrize("evil", ["\x1b[2J\x1b]0;title\x07", "a\nb", "\x9b31m", "\u202eabc", "\r"])
def test_a_name_chosen_by_a_client_does_not_steer_the_terminal(run: Run, store: Store, evil: str) -> None:
    store.calls.write([call(1, route=evil, error=evil)])
    [line] = lines(run())
    assert line.isprintable()


@pytest.mark.parametrize("width", [60, 80, 109, 110, 120, 200])
def test_a_line_is_never_wider_than_the_screen(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr("madang.cli.calls.screen_width", lambda: width)
    store.calls.write(
        [call(1), call(2, route="아주긴모델의이름" * 9, key_name="열쇠" * 9, error="rate_limit_exceeded" * 3)]
    )
    result = run()
    shown = [result.stderr.rstrip("\n"), *lines(result)]
    assert [line for line in shown if cell_len(line) > width] == []


def test_on_eighty_columns_what_matters_still_stands_under_its_heading(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madang.cli.calls.screen_width", lambda: 80)
    store.calls.write([call(1, route="offline/extractive")])
    result = run()
    [line] = lines(result)
    assert line.split()[1:] == ["team-a", "offline/extractive", "200", "ok", "5.1s", "12", "34", "stop"]
    assert result.stderr.index("NOTE") == line.index("stop")


@pytest.mark.parametrize(("ago_seconds", "shown"), [(0, r"\d\d:\d\d:\d\d"), (3 * 86_400, r"\d\d-\d\d {3}")])
def test_a_narrow_line_has_the_time_of_todays_calls_and_the_day_of_older_ones(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, ago_seconds: int, shown: str
) -> None:
    monkeypatch.setattr("madang.cli.calls.screen_width", lambda: 80)
    store.calls.write([call(1, started_at=now_us() - ago_seconds * 1_000_000, duration_us=0)])
    [line] = lines(run())
    assert re.match(rf"{shown} team-a ", line)


def test_json_has_every_field_and_can_be_read_back(run: Run, store: Store) -> None:
    written = [
        call(1),
        call(2, attempts=[Attempt("openai", "m", 500)], outcome=Outcome.CUT),
        call(3, dialect="anthropic", provider_dialect="gemini", losses="seed;drop", stop_reason="end"),
        call(4, usage=Usage(1, 2, 3, 4, 5, 6, 7)),
        call(5, usage=None),
    ]
    store.calls.write(written)
    found = [msgspec.json.decode(line, type=Record) for line in lines(run("--json"))]
    assert found == written


def test_json_has_every_count_the_page_names_and_nothing_else(run: Run, store: Store) -> None:
    store.calls.write([call(1)])
    [line] = lines(run("--json"))
    page = PAGE.read_text(encoding="utf-8")
    shown = msgspec.json.decode(line)
    assert [name for name in (*shown, *shown["usage"]) if f"`{name}`" not in page] == []


def test_the_page_names_every_word_that_madang_has_for_a_stop() -> None:
    [line] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `stop_reason` |" in line]
    assert [stop.value for stop in Stop if f"`{stop.value}`" not in line] == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--key", "team-a"], ["call_1"]),
        (["--key", "key_2"], ["call_2"]),
        (["--model", "slow"], ["call_2"]),
        (["--outcome", "cut"], ["call_2"]),
        (["--outcome", "left"], []),
    ],
)
def test_calls_can_be_chosen(run: Run, store: Store, options: list[str], found: list[str]) -> None:
    store.calls.write(
        [call(1), call(2, key_name="b", key_id="key_2", route="slow", outcome=Outcome.CUT)],
    )
    shown = [msgspec.json.decode(line, type=Record).id for line in lines(run("--json", *options))]
    assert shown == found


@pytest.mark.parametrize("options", [["--limit", "0"], ["--limit", "x"], ["--outcome", "good"]])
def test_an_option_that_makes_no_sense_is_refused(run: Run, store: Store, options: list[str]) -> None:
    assert store.calls.count() == 0
    assert run(*options).exit_code == 2


def test_no_calls_are_told_on_standard_error(run: Run, store: Store) -> None:
    assert store.calls.count() == 0
    result = run()
    assert lines(result) == []
    assert "No such calls yet" in result.stderr


def test_every_outcome_has_its_place_in_the_options() -> None:
    from madang.cli.calls import _COLOURS

    assert list(_COLOURS) == [outcome.value for outcome in Outcome]


@pytest.mark.parametrize("before", [0, 1, 50])
def test_following_shows_each_new_call_once_in_order(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Each pause between two looks brings new calls, more than one page in the second; then Ctrl-C."""
    numbers = itertools.count()
    store.calls.write([call(next(numbers)) for _ in range(before)])
    arrivals = iter([1, 2500, 0, 3])

    def pause(_seconds: float) -> None:
        coming = next(arrivals, None)
        if coming is None:
            raise KeyboardInterrupt
        store.calls.write([call(next(numbers)) for _ in range(coming)])

    monkeypatch.setattr("madang.cli.calls.pause", pause)
    shown = [msgspec.json.decode(line, type=Record).id for line in lines(run("--follow", "--json"))]
    assert shown == [f"call_{number}" for number in range(max(0, before - 20), before + 2504)]


def test_following_with_a_filter_starts_from_now(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.calls.write([call(1), call(2)])
    arrivals = iter([[call(3, route="slow"), call(4)]])

    def pause(_seconds: float) -> None:
        coming = next(arrivals, None)
        if coming is None:
            raise KeyboardInterrupt
        store.calls.write(coming)

    monkeypatch.setattr("madang.cli.calls.pause", pause)
    found = [
        msgspec.json.decode(line, type=Record).id for line in lines(run("-f", "--json", "--model", "slow"))
    ]
    assert found == ["call_3"]
