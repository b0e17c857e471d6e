"""Every way we know to write a wrong configuration, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from madang.config.errors import ConfigErrors, Fault
from madang.config.load import load_config

ENVIRON = {
    "OPENAI_API_KEY": "sk-environment-secret",
    "WORD": "environment-secret",
    "EMPTY": "",
}


def faults_of(text: str | bytes, folder: Path, environ: dict[str, str] | None = None) -> list[Fault]:
    path = folder / "madang.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigErrors) as caught:
        load_config(path, environ=ENVIRON if environ is None else environ, cwd=folder)
    return caught.value.faults


# What is written; the path of the one fault; a part of what is said.
BAD: list[tuple[str, str, str]] = [
    # the shape of the file
    ("- a\n- b\n", "madang.yaml", "found   a list"),
    ("just text\n", "madang.yaml", "found   one value"),
    ("server: {}\n---\nstore: {}\n", "madang.yaml", "a second document"),
    ("server: [\n", "madang.yaml", "text that is not YAML"),
    ("server:\n\tport: 1\n", "madang.yaml", "indent with spaces, not tabs"),
    ("server:\n  port: 1\n   host: x\n", "madang.yaml", "text that is not YAML"),
    ("store: *nobody\n", "madang.yaml", "an alias (`*name`) to nothing"),
    ("store: &a\n  url: *a\n", "madang.yaml", "an alias (`*name`) to nothing"),
    ("keys: \x01\n", "madang.yaml", "a character that YAML does not allow"),
    ("a: " + "[" * 5000 + "\n", "madang.yaml", "nested too deep"),
    ("a: " + "{a: " * 5000 + "\n", "madang.yaml", "nested too deep"),
    # names
    ("servers: {}\n", "servers", "did you mean `server`?"),
    ("model_list: []\n", "model_list", "known here: server, store, providers, routes"),
    ("server: {prot: 1}\n", "server.prot", "did you mean `port`?"),
    (
        "providers: {mine: {base_url: http://h, baseUrl: x}}\n",
        "providers.mine.baseUrl",
        "did you mean `base_url`?",
    ),
    ("providers: {openai: {api-key: x}}\n", "providers.openai.api-key", "did you mean `api_key`?"),
    ("server:\n  port: 1\n  port: 2\n", "server.port", "the same name as on line 2"),
    ("server: {yes: 1}\n", "server.yes", "`yes`, which YAML reads as true"),
    ("routes: {1: openai/gpt-4o}\n", "routes.1", 'write "1"'),
    ("routes: {? [a] : openai/gpt-4o}\n", "routes", "a list or a section as a name"),
    ("routes: {2026-11-20: openai/gpt-4o}\n", "routes.2026-11-20", "reads as a date"),
    ("server: {<<: 3}\n", 'server."<<"', "a section to merge"),
    # numbers
    ("server: {port: abc}\n", "server.port", "a whole number between 0 and 65535"),
    ('server: {port: "4000"}\n', "server.port", "write it without quotes"),
    ("server: {port: 65536}\n", "server.port", "found   the number 65536"),
    ("server: {port: -1}\n", "server.port", "between 0 and 65535"),
    ("server: {port: 4000.5}\n", "server.port", "write port: 4000"),
    ("server: {port: 12:30}\n", "server.port", "the number 750 in base 60"),
    ("server: {port: 010}\n", "server.port", "the octal number 8"),
    ("server: {port: true}\n", "server.port", "`true`, which YAML reads as true"),
    ("server: {port: [4000]}\n", "server.port", "found   a list"),
    ("server: {port: }\n", "server.port", "found   nothing"),
    ("server: {port: ${WORD}}\n", "madang.yaml", "text that is not YAML"),
    ('server: {port: "${WORD}"}\n', "server.port", "a value from the environment (not shown)"),
    ('server: {port: "${EMPTY}"}\n', "server.port", "a whole number between 0 and 65535"),
    (f"server: {{port: {'9' * 5000}}}\n", "server.port", "a number that cannot be read"),
    ("server: {max_body_mb: 0}\n", "server.max_body_mb", "a number above 0, at most 2048"),
    ("server: {max_body_mb: 4096}\n", "server.max_body_mb", "at most 2048"),
    ("server: {shutdown_seconds: -1}\n", "server.shutdown_seconds", "a number of at least 0"),
    ("store: {flush_seconds: .inf}\n", "store.flush_seconds", "a number above 0"),
    ("store: {flush_seconds: .nan}\n", "store.flush_seconds", "a number above 0"),
    ("timeouts: {connect: 1e3}\n", "timeouts.connect", 'found   "1e3"'),
    ("keys: {expires_days: 0}\n", "keys.expires_days", "a whole number of at least 1"),
    ("keys: {expires_days: 2026-11-20}\n", "keys.expires_days", "which YAML reads as a date"),
    # text, switches and choices
    ("server: {host: 127.1}\n", "server.host", 'put it in quotes: "127.1"'),
    ("server: {host: on}\n", "server.host", 'put it in quotes: "on"'),
    ("server: {host: 1_000}\n", "server.host", 'put it in quotes: "1_000"'),
    ("server: {host: http://x}\n", "server.host", "a host name or address"),
    ("server: {host: !!python/name:os.system x}\n", "server.host", "remove the tag"),
    ("server: {chat_login: never}\n", "server.chat_login", "`always` or `auto`"),
    ("server: {chat_login: off}\n", "server.chat_login", 'put it in quotes: "off"'),
    ("providers: {openai: {enabled: maybe}}\n", "providers.openai.enabled", "true or false"),
    ("providers: {openai: {include_usage: 1}}\n", "providers.openai.include_usage", "true or false"),
    # sections and lists
    ("server: 4000\n", "server", "a section with `host`, `port`"),
    ("server: port:4000\n", "server", "put a space after the colon"),
    ("routes: [fast]\n", "routes", "a section: a name and its value on each line"),
    ("providers: {openai: {models: gpt-4o}}\n", "providers.openai.models", "a list of text"),
    ("keys: {models: [1]}\n", "keys.models[0]", 'put it in quotes: "1"'),
    ("keys: {models: ['']}\n", "keys.models[0]", "a blank name"),
    ("keys: {models: ['a b']}\n", "keys.models[0]", "a name with a space in it"),
    # the environment
    ("server: {host: '${NOBODY}'}\n", "server.host", "set NOBODY in the environment or in .env"),
    ("store: {url: os.environ/NOBODY}\n", "store.url", "NOBODY, which is not set"),
    ("server: {host: '${'}\n", "server.host", "without a name and a closing brace"),
    ("server: {host: '${A-B}'}\n", "server.host", "$${ for the two characters themselves"),
    # the store
    ("store: {url: mysql://u:hunter2@h/d}\n", "store.url", "found   mysql://…"),
    ("store: {url: madang.db}\n", "store.url", "a SQLite or PostgreSQL URL"),
    ("store: {url: 'sqlite://'}\n", "store.url", "a SQLite or PostgreSQL URL"),
    ("store: {url: 'sqlite:///:memory:'}\n", "store.url", "a file that threads can share"),
    ("store: {data_dir: ' '}\n", "store.data_dir", "a folder"),
    # providers
    ("providers: {opnai: {}}\n", "providers.opnai.base_url", "did you mean `openai`?"),
    ("providers: {mine: {}}\n", "providers.mine.base_url", "needs base_url: https://host/v1"),
    ("providers: {mine: }\n", "providers.mine.base_url", "a provider of your own needs base_url"),
    ("providers: {a/b: {base_url: http://h}}\n", 'providers."a/b"', "letters, digits"),
    ("providers: {offline: {}}\n", "providers.offline", "built-in"),
    ("providers: {openai: sk-hunter2hunter2}\n", "providers.openai", "write its parts below it, indented"),
    ("providers: {openai: {api_key: 12345678}}\n", "providers.openai.api_key", "put it in quotes"),
    ("providers: {openai: {api_key: 'a b'}}\n", "providers.openai.api_key", "a key with a space"),
    ("providers: {openai: {models: [' ']}}\n", "providers.openai.models[0]", "a blank name"),
    ("providers: {openai: {timeouts: {conect: 1}}}\n", "providers.openai.timeouts.conect", "`connect`"),
    ("providers: {mine: {base_url: ftp://h}}\n", "providers.mine.base_url", "does not begin with http"),
    ("providers: {mine: {base_url: h/v1}}\n", "providers.mine.base_url", "does not begin with http"),
    ("providers: {mine: {base_url: 'http://'}}\n", "providers.mine.base_url", "it has no host"),
    ("providers: {mine: {base_url: 'http:///v1'}}\n", "providers.mine.base_url", "it has no host"),
    ("providers: {mine: {base_url: 'http://h:port'}}\n", "providers.mine.base_url", "cannot be read"),
    ("providers: {mine: {base_url: 'http://[::1'}}\n", "providers.mine.base_url", "cannot be read"),
    ("providers: {mine: {base_url: 'http://h/v1?key=hunter2'}}\n", "providers.mine.base_url", "a query"),
    ("providers: {mine: {base_url: 'http://h/v1#a'}}\n", "providers.mine.base_url", "a fragment"),
    ("providers: {mine: {base_url: 'http://u:hunter2@h'}}\n", "providers.mine.base_url", "use api_key"),
    ("providers: {mine: {base_url: 'http://h h/v1'}}\n", "providers.mine.base_url", "a space"),
    ("providers: {mine: {base_url: 'http://마당/v1'}}\n", "providers.mine.base_url", "outside ASCII"),
    (
        "providers: {openai: {headers: {Authorization: hunter2}}}\n",
        "providers.openai.headers.Authorization",
        "use api_key",
    ),
    ("providers: {openai: {headers: {Host: h}}}\n", "providers.openai.headers.Host", "Madang sets itself"),
    (
        "providers: {openai: {headers: {content-length: '1'}}}\n",
        "providers.openai.headers.content-length",
        "remove it",
    ),
    (
        "providers: {openai: {headers: {transfer-encoding: x}}}\n",
        "providers.openai.headers.transfer-encoding",
        "remove",
    ),
    ("providers: {openai: {headers: {Connection: x}}}\n", "providers.openai.headers.Connection", "remove it"),
    (
        "providers: {openai: {headers: {'a b': x}}}\n",
        'providers.openai.headers."a b"',
        "a name no header can have",
    ),
    (
        'providers: {openai: {headers: {x-a: "1\\r\\nx-b: 2"}}}\n',
        "providers.openai.headers.x-a",
        "a line break",
    ),
    ("providers: {openai: {headers: {x-a: ' x'}}}\n", "providers.openai.headers.x-a", "spaces at its ends"),
    (
        "providers: {openai: {headers: {X-A: x, x-a: y}}}\n",
        "providers.openai.headers.x-a",
        "the same header as X-A",
    ),
    ("providers: {openai: {headers: {x-a: 12}}}\n", "providers.openai.headers.x-a", "put it in quotes"),
    # routes
    ("routes: {'a b': openai/gpt-4o}\n", 'routes."a b"', "a name with a space in it"),
    ("routes: {'': openai/gpt-4o}\n", 'routes.""', "a blank name"),
    ("routes: {fast: []}\n", "routes.fast", "write targets: [openai/gpt-4o-mini]"),
    ("routes: {fast: {}}\n", "routes.fast.targets", "a list of text with at least one item"),
    ("routes: {fast: {targets: []}}\n", "routes.fast.targets", "an empty list"),
    (
        "routes: {fast: {target: openai/x, targets: [openai/x]}}\n",
        "routes.fast.target",
        "did you mean `targets`?",
    ),
    ("routes: {fast: gpt-4o}\n", "routes.fast", "write openai/gpt-4o"),
    ("routes: {fast: something}\n", "routes.fast", "the provider's name and a slash before the model"),
    ("routes: {fast: openai/}\n", "routes.fast", "provider/model"),
    ("routes: {fast: /gpt-4o}\n", "routes.fast", "provider/model"),
    ("routes: {fast: 'openai/gpt-4o '}\n", "routes.fast", "provider/model"),
    ("routes: {fast: ''}\n", "routes.fast", "provider/model"),
    ("routes: {fast: opnai/gpt-4o}\n", "routes.fast", "did you mean `openai`?"),
    ("routes: {fast: zzz/gpt-4o}\n", "routes.fast", "or add providers.zzz with a base_url"),
    (
        "routes: {fast: slow, slow: openai/gpt-4o}\n",
        "routes.fast",
        "an alias leads to providers, not to another alias",
    ),
    ("routes: {fast: {targets: [openai/x, openai/y, openai/x]}}\n", "routes.fast.targets[2]", "targets[0]"),
    ("routes: {fast: groq/x}\n", "routes.fast", "set GROQ_API_KEY in the environment"),
    ("routes: {fast: vllm/x}\n", "routes.fast", "set VLLM_BASE_URL in the environment"),
    (
        "routes: {fast: openai/x}\nproviders: {openai: {enabled: false}}\n",
        "routes.fast",
        "remove enabled: false",
    ),
    # the default provider
    ("default_provider: opnai\n", "default_provider", "did you mean `openai`?"),
    ("default_provider: groq\n", "default_provider", "set GROQ_API_KEY"),
    ("default_provider: ''\n", "default_provider", "known here: openai"),
]


@pytest.mark.parametrize(("text", "path", "said"), BAD, ids=[text[:60].strip() for text, _, _ in BAD])
def test_a_fault_is_named_with_its_path_and_a_way_out(
    text: str, path: str, said: str, tmp_path: Path
) -> None:
    faults = faults_of(text, tmp_path)
    short = [fault.path.removeprefix(f"{tmp_path}/") for fault in faults]
    assert short == [path]
    assert said in str(faults[0])


@pytest.mark.parametrize("text", [text for text, _, _ in BAD], ids=[text[:60].strip() for text, _, _ in BAD])
def test_no_fault_shows_a_secret(text: str, tmp_path: Path) -> None:
    said = "\n".join(str(fault) for fault in faults_of(text, tmp_path))
    assert "hunter2" not in said
    assert "environment-secret" not in said
    assert "12345678" not in said


def test_the_table_is_as_long_as_it_must_be() -> None:
    assert len(BAD) >= 60
    assert len({text for text, _, _ in BAD}) == len(BAD)


def test_all_faults_of_a_file_are_told_at_once_and_in_its_order(tmp_path: Path) -> None:
    faults = faults_of(
        "server:\n"
        "  port: high\n"
        "  hots: h\n"
        "providers:\n"
        "  mine: {base_url: ftp://h}\n"
        "routes:\n"
        "  fast: {targets: [openai/a, mine/b, nobody/c]}\n"
        "default_provider: nobody\n",
        tmp_path,
    )
    assert [(fault.line, fault.column, fault.path) for fault in faults] == [
        (2, 9, "server.port"),
        (3, 3, "server.hots"),
        (5, 20, "providers.mine.base_url"),
        (7, 38, "routes.fast.targets[2]"),
        (8, 19, "default_provider"),
    ]


def test_one_mistake_is_not_told_twice(tmp_path: Path) -> None:
    """A provider whose section is wrong is neither unknown nor off to the routes that name it."""
    faults = faults_of(
        "providers: {groq: [], mine: {base_url: 3}}\nroutes: {a: groq/x, b: mine/y}\n", tmp_path
    )
    assert [fault.path for fault in faults] == ["providers.groq", "providers.mine.base_url"]


def test_a_missing_variable_is_the_only_thing_said_of_its_value(tmp_path: Path) -> None:
    faults = faults_of("providers: {mine: {base_url: '${NOBODY}'}}\n", tmp_path)
    assert [fault.got for fault in faults] == ["NOBODY, which is not set"]


def test_the_text_of_the_errors_is_what_a_person_needs(tmp_path: Path) -> None:
    path = tmp_path / "madang.yaml"
    path.write_text("server:\n  port: abc\n")
    with pytest.raises(ConfigErrors) as caught:
        load_config(path, environ={}, cwd=tmp_path)
    assert str(caught.value) == (
        "The configuration has 1 fault.\n\n"
        f"{path}, line 2, column 9: server.port\n"
        '    found   "abc"\n'
        "    wanted  a whole number between 0 and 65535\n"
        "    hint    write port: 4000"
    )


@pytest.mark.parametrize(
    "key", ["sk-proj-abcdefghijkl", "gsk_0123456789abcdef", "AIzaSyD0123456789", "x" * 20 + "1234567890"]
)
def test_text_that_looks_like_a_key_is_never_shown(key: str, tmp_path: Path) -> None:
    [fault] = faults_of(f"server: {{port: {key}}}\n", tmp_path)
    assert key not in str(fault)
    assert "looks like a key" in fault.got


def test_a_value_from_the_environment_is_never_shown_even_where_others_are(tmp_path: Path) -> None:
    environ = {"TARGET": "sesame", "HOST": "open sesame", "NAME": "sesame"}
    text = (
        "server: {host: '${HOST}'}\n"
        "routes: {a: '${TARGET}', b: 'x${TARGET}/y'}\n"
        "default_provider: '${NAME}'\n"
    )
    faults = faults_of(text, tmp_path, environ)
    assert [fault.path for fault in faults] == ["server.host", "routes.a", "routes.b", "default_provider"]
    assert not any("sesame" in fault.got + fault.want for fault in faults)


def test_a_malformed_base_url_of_the_environment_is_a_fault_of_the_variable(tmp_path: Path) -> None:
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://user:hunter2@h"}
    with pytest.raises(ConfigErrors) as caught:
        load_config(environ=environ, cwd=tmp_path)
    [fault] = caught.value.faults
    assert fault.path == "OPENAI_BASE_URL"
    assert "hunter2" not in str(caught.value)


def test_a_base_url_of_a_provider_that_is_off_is_nobodys_business(tmp_path: Path) -> None:
    assert load_config(environ={"OPENAI_BASE_URL": "nonsense"}, cwd=tmp_path).path is None


def test_a_key_no_header_can_carry_is_a_fault_of_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_config(environ={"GROQ_API_KEY": "gsk\nx-evil: 1"}, cwd=tmp_path)
    assert [fault.path for fault in caught.value.faults] == ["GROQ_API_KEY"]
    assert "evil" not in str(caught.value)


def test_a_file_of_more_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    [fault] = faults_of("# " + "x" * 1_000_000, tmp_path)
    assert "more than 1000000 bytes" in fault.got


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    [fault] = faults_of("server: {}".encode("utf-16"), tmp_path)
    assert fault.hint == "save the file as UTF-8"


def test_a_billion_laughs_are_refused_before_anybody_laughs(tmp_path: Path) -> None:
    lines = ["a: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    [fault] = faults_of("\n".join(lines), tmp_path)
    assert fault.got == "aliases that unfold to too much"


def test_a_named_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="no such file"):
        load_config(tmp_path / "other.yaml", environ={}, cwd=tmp_path)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "madang.yaml").mkdir()
    with pytest.raises(ConfigErrors, match="a file that cannot be read"):
        load_config(environ={}, cwd=tmp_path)
