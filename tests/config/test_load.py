"""Where a configuration is found, and what the environment does to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from madang.config.errors import ConfigErrors, Fault
from madang.config.load import load_config
from madang.config.schema import Config, Route, Timeouts
from madang.core.secret import Secret


def loaded(text: str, folder: Path, environ: dict[str, str] | None = None) -> Config:
    path = folder / "madang.yaml"
    path.write_text(text)
    return load_config(path, environ=environ or {}, cwd=folder).config


def test_no_file_is_all_defaults(tmp_path: Path) -> None:
    found = load_config(environ={}, cwd=tmp_path)
    assert found.config == Config()
    assert found.path is None


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "null\n", "{}\n", "server:\nroutes:\nproviders:\nkeys:\n"]
)
def test_a_file_that_says_nothing_is_all_defaults(text: str, tmp_path: Path) -> None:
    assert loaded(text, tmp_path) == Config()


@pytest.mark.parametrize("name", ["madang.yaml", "madang.yml"])
def test_the_file_in_the_folder_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("server: {port: 1}")
    found = load_config(environ={}, cwd=tmp_path)
    assert (found.config.server.port, found.path) == (1, tmp_path / name)


def test_a_given_path_comes_before_the_variable_and_that_before_the_folder(tmp_path: Path) -> None:
    for port, name in enumerate(["madang.yaml", "named.yaml", "given.yaml"], start=1):
        (tmp_path / name).write_text(f"server: {{port: {port}}}")
    named = {"MADANG_CONFIG": "named.yaml"}
    assert load_config(environ={}, cwd=tmp_path).config.server.port == 1
    assert load_config(environ={"MADANG_CONFIG": " "}, cwd=tmp_path).config.server.port == 1
    assert load_config(environ=named, cwd=tmp_path).config.server.port == 2
    assert load_config(tmp_path / "given.yaml", environ=named, cwd=tmp_path).config.server.port == 3


def test_the_process_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    found = load_config(environ={"A": "process"}, cwd=tmp_path)
    assert dict(found.environ) == {"A": "process", "B": "file"}


def test_the_env_file_can_name_the_configuration_and_fill_it_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MADANG_CONFIG=other.yaml\nPORT=81\n")
    (tmp_path / "other.yaml").write_text("server: {port: '${PORT}'}")
    assert load_config(environ={}, cwd=tmp_path).config.server.port == 81


def test_a_folder_named_env_is_somebodys_virtual_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load_config(environ={}, cwd=tmp_path).config == Config()


def test_every_malformed_line_of_the_env_file_is_told_without_its_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nsk-hunter2\nB='hunter2\n")
    with pytest.raises(ConfigErrors) as caught:
        load_config(environ={}, cwd=tmp_path)
    assert [(fault.line, fault.file) for fault in caught.value.faults] == [
        (2, str(tmp_path / ".env")),
        (3, str(tmp_path / ".env")),
    ]
    assert "hunter2" not in str(caught.value)


def test_what_was_loaded_does_not_print_the_environment(tmp_path: Path) -> None:
    assert "hunter2" not in repr(load_config(environ={"OPENAI_API_KEY": "hunter2"}, cwd=tmp_path))


def test_a_whole_file_becomes_what_it_says(tmp_path: Path) -> None:
    config = loaded(
        """
        server: {port: 0, host: "0.0.0.0", max_body_mb: 1.5, chat_login: always}
        providers:
          mine: {base_url: "http://h:1/v1", api_key: k, models: [a, b], headers: {x-a: "1"}, enabled: yes}
        routes:
          one: mine/a
          two: {targets: [mine/a, mine/b/c]}
        default_provider: mine
        keys: {models: [one], expires_days: 3}
        """,
        tmp_path,
    )
    assert config.server.port == 0
    assert config.providers["mine"].api_key == Secret("k")
    assert config.routes == {"one": "mine/a", "two": Route(targets=["mine/a", "mine/b/c"])}
    assert (config.keys.models, config.keys.expires_days) == (["one"], 3)


FILLED = [
    ("'${NAME}'", "value"),
    ("os.environ/NAME", "value"),
    ("a${NAME}b${NAME}", "avaluebvalue"),
    ("'${MISSING:-default}'", "default"),
    ("'${EMPTY:-default}'", "default"),
    ("'${NAME:-default}'", "value"),
    ("'${MISSING:-}x'", "x"),
    ("$${NAME}", "${NAME}"),
    ("$$${NAME}", "$${NAME}"),
    ("$NAME", "$NAME"),
    ("x-os.environ/NAME", "x-os.environ/NAME"),
    ("'${NESTED}'", "${NAME}"),
]


@pytest.mark.parametrize(("written", "meant"), FILLED)
def test_the_environment_is_filled_in(written: str, meant: str, tmp_path: Path) -> None:
    environ = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}"}
    assert (
        loaded(
            f"store: {{data_dir: {written}}}" if "'" in written else f"store:\n  data_dir: {written}",
            tmp_path,
            environ,
        ).store.data_dir
        == meant
    )


def test_names_are_not_filled_in(tmp_path: Path) -> None:
    config = loaded("routes: {'${NAME}': offline/extractive}", tmp_path, {"NAME": "value"})
    assert list(config.routes) == ["${NAME}"]


@pytest.mark.parametrize(("value", "port"), [("80", 80), (" 80 ", 80), ("0", 0)])
def test_a_filled_in_number_is_a_number(value: str, port: int, tmp_path: Path) -> None:
    assert loaded("server: {port: '${PORT}'}", tmp_path, {"PORT": value}).server.port == port


@pytest.mark.parametrize(("value", "seconds"), [("2", 2.0), ("2.5", 2.5), (".5", 0.5)])
def test_a_filled_in_fraction_is_a_number(value: str, seconds: float, tmp_path: Path) -> None:
    assert loaded("timeouts: {connect: '${T}'}", tmp_path, {"T": value}).timeouts.connect == seconds


@pytest.mark.parametrize(
    ("value", "enabled"),
    [
        ("true", True),
        ("Yes", True),
        ("on", True),
        ("1", True),
        ("false", False),
        ("NO", False),
        ("off", False),
        ("0", False),
    ],
)
def test_a_filled_in_switch_is_a_switch(value: str, enabled: bool, tmp_path: Path) -> None:
    text = "providers: {openai: {enabled: '${ON}'}}"
    assert loaded(text, tmp_path, {"ON": value}).providers["openai"].enabled is enabled


def test_an_empty_variable_leaves_an_optional_field_unset(tmp_path: Path) -> None:
    config = loaded("store: {url: '${URL:-}'}\nkeys: {expires_days: '${DAYS:-}'}", tmp_path)
    assert (config.store.url, config.keys.expires_days) == (None, None)


def test_a_providers_timeouts_take_the_rest_from_the_common_ones(tmp_path: Path) -> None:
    text = "timeouts: {first_byte: 7}\nproviders: {openai: {timeouts: {connect: 3}}}"
    assert loaded(text, tmp_path).providers["openai"].timeouts == Timeouts(connect=3, first_byte=7)


def test_anchors_and_merges_save_typing(tmp_path: Path) -> None:
    config = loaded(
        "providers:\n"
        "  a: &a {base_url: http://a, models: [x], headers: {x-a: '1'}}\n"
        "  b: {<<: *a, base_url: http://b}\n"
        "  c: {<<: [{models: [y]}, *a]}\n",
        tmp_path,
    )
    assert config.providers["b"].base_url == "http://b"
    assert config.providers["b"].models == ["x"]
    assert (config.providers["c"].models, config.providers["c"].base_url) == (["y"], "http://a")


@pytest.mark.parametrize(
    "text", ["sqlite:///m.db", "sqlite:////m.db", "postgres://h/d", "postgresql+psycopg://u:p@h/d"]
)
def test_urls_of_databases_that_we_have_are_taken(text: str, tmp_path: Path) -> None:
    assert loaded(f"store: {{url: '{text}'}}", tmp_path).store.url == text


@pytest.mark.parametrize("url", ["http://h", "https://h:8443/a/b/", "http://[::1]:80/v1", "HTTPS://h/v1"])
def test_base_urls_that_lead_somewhere_are_taken(url: str, tmp_path: Path) -> None:
    assert loaded(f"providers: {{mine: {{base_url: '{url}'}}}}", tmp_path).providers["mine"].base_url == url


def test_a_route_to_ollama_needs_no_ollama_to_be_running(tmp_path: Path) -> None:
    assert loaded("routes: {a: ollama/qwen3}", tmp_path).routes == {"a": "ollama/qwen3"}


def test_crlf_and_a_byte_order_mark_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / "madang.yaml").write_bytes(b"\xef\xbb\xbfserver:\r\n  port: 5\r\n")
    assert load_config(environ={}, cwd=tmp_path).config.server.port == 5


def outcome(text: str, folder: Path) -> Config | list[Fault]:
    path = folder / "madang.yaml"
    path.write_bytes(text.encode())
    try:
        return load_config(path, environ={"X": "x"}, cwd=folder).config
    except ConfigErrors as problem:
        return list(problem.faults)


def is_sound_or_explained(found: Config | list[Fault]) -> bool:
    if isinstance(found, Config):
        return True
    return bool(found) and all(fault.path and fault.got and fault.want for fault in found)


WORDS = (
    "server port routes providers openai mine base_url targets a/b 12:30 yes ~ 08 ${X} ${Y:-1}"
    " http://h &a *a << | > !!int !x 1_0 1e5 .inf '' : { } [ ] , \" ' # % @ ` --- ..."
)
_words = st.sampled_from([*WORDS.split(), "- ", "? ", ": ", ", ", "\n", "\n  ", "\n    ", "\t"])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_words, max_size=25).map("".join) | st.text(st.characters(codec="utf-8"), max_size=60))
@example("? " * 3000)
@example("- " * 3000)
@example("? ")
@example("routes: &a\n  b: *a")
@example("server: {port: 0b_}")
@example("server: {port: 0x}")
@example("%YAML 9.9\n---\n{}")
def test_any_text_is_a_configuration_or_a_list_of_faults(tmp_path: Path, text: str) -> None:
    assert is_sound_or_explained(outcome(text, tmp_path))


NAMES = "openai mine targets base_url api_key models headers port timeouts connect x"
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_names = st.sampled_from([*Config.__struct_fields__, *NAMES.split()])
_trees = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(_names, _trees, max_size=4))
def test_any_tree_is_a_configuration_or_a_list_of_faults(tmp_path: Path, tree: dict[str, object]) -> None:
    # JSON is YAML, but for NaN and Infinity, which are then text.
    assert is_sound_or_explained(outcome(json.dumps(tree), tmp_path))
