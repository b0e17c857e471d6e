"""Which providers are on, and the reason that is given."""

from __future__ import annotations

import pytest

from madang.config.schema import Config, DialectName, Route
from madang.config.schema import Provider as Section
from madang.config.schema import Timeouts as TimeoutSection
from madang.core.secret import Secret
from madang.providers.base import Provider, Row, Timeouts
from madang.providers.compatible import ROWS, key_header_for, needs_key, url_for
from madang.providers.discover import Off, discover, switched_off

NAMED = "madang.yaml names it"


def found(
    config: Config | None = None, environ: dict[str, str] | None = None, *, ollama: bool = False
) -> list[Provider]:
    return discover(config or Config(), environ or {}, probe_ollama=lambda _: ollama)


def reasons(
    config: Config | None = None, environ: dict[str, str] | None = None, *, ollama: bool = False
) -> dict[str, str]:
    return {provider.name: provider.reason for provider in found(config, environ, ollama=ollama)}


def test_an_empty_machine_has_no_provider() -> None:
    assert found() == []


@pytest.mark.parametrize("row", [row for row in ROWS if needs_key(row)], ids=lambda row: row.name)
def test_each_of_its_keys_switches_a_provider_on(row: Row) -> None:
    for name in row.key_env:
        [on] = found(environ={name: " k "})
        assert (on.name, on.reason, on.key) == (row.name, f"{name} is set", Secret("k"))


@pytest.mark.parametrize("row", [row for row in ROWS if not needs_key(row)], ids=lambda row: row.name)
def test_a_base_url_switches_on_a_provider_that_needs_no_key(row: Row) -> None:
    [on] = found(environ={row.base_url_env[0]: "http://h:1/v1/"})
    assert (on.name, on.reason, on.key) == (row.name, f"{row.base_url_env[0]} is set", None)
    assert on.base_url.startswith("http://h:1")


@pytest.mark.parametrize(
    "environ", [{"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": " \n"}, {"VLLM_BASE_URL": " "}]
)
def test_a_blank_variable_is_not_set(environ: dict[str, str]) -> None:
    assert found(environ=environ) == []


def test_a_key_alone_does_not_switch_on_a_server_nobody_knows_the_address_of() -> None:
    assert found(environ={"VLLM_API_KEY": "k"}) == []
    [on] = found(environ={"VLLM_API_KEY": "k", "VLLM_BASE_URL": "http://h/v1"})
    assert on.key == Secret("k")


def test_a_base_url_alone_does_not_switch_on_a_provider_that_needs_a_key() -> None:
    assert found(environ={"OPENAI_BASE_URL": "http://h/v1"}) == []


def test_the_order_is_that_of_the_rows_and_then_of_the_file() -> None:
    config = Config(providers={"zeta": Section(base_url="http://z"), "alpha": Section(base_url="http://a")})
    environ = {row.key_env[0]: "k" for row in reversed(ROWS) if needs_key(row)}
    names = [provider.name for provider in found(config, environ, ollama=True)]
    assert names == [row.name for row in ROWS if needs_key(row) or row.name == "ollama"] + ["zeta", "alpha"]


def test_the_first_of_several_keys_wins() -> None:
    [on] = found(environ={"GOOGLE_API_KEY": "second", "GEMINI_API_KEY": "first"})
    assert (on.key, on.reason) == (Secret("first"), "GEMINI_API_KEY is set")
    [on] = found(environ={"GOOGLE_API_KEY": "second", "GEMINI_API_KEY": ""})
    assert on.key == Secret("second")


def test_the_environment_moves_a_provider() -> None:
    [on] = found(environ={"GROQ_API_KEY": "k", "GROQ_BASE_URL": "http://h:1/openai/v1/"})
    assert on.base_url == "http://h:1"


def test_a_section_overrides_what_the_row_and_the_environment_say() -> None:
    section = Section(
        base_url="http://h/v1/",
        api_key=Secret("file"),
        models=["mine"],
        headers={"X-Team": "a", "Anthropic-Version": "2099-01-01"},
        include_usage=False,
        timeouts=TimeoutSection(connect=1),
    )
    environ = {"ANTHROPIC_API_KEY": "env", "ANTHROPIC_BASE_URL": "http://env"}
    [on] = found(Config(providers={"anthropic": section}), environ)
    assert (on.base_url, on.key, on.models, on.include_usage) == (
        "http://h",
        Secret("file"),
        ("mine",),
        False,
    )
    assert on.headers == {"anthropic-version": "2099-01-01", "x-team": "a"}
    assert (on.timeouts, on.reason) == (Timeouts(connect=1), NAMED)


def test_what_a_section_leaves_out_stays_as_it_was() -> None:
    config = Config(providers={"anthropic": Section(models=["mine"])}, timeouts=TimeoutSection(connect=9))
    [on] = found(config, {"ANTHROPIC_API_KEY": "env"})
    assert (on.key, on.reason, on.include_usage) == (Secret("env"), "ANTHROPIC_API_KEY is set", True)
    assert (on.headers, on.timeouts) == ({"anthropic-version": "2023-06-01"}, Timeouts(connect=9))


def test_enabled_false_switches_off_whatever_else_is_said() -> None:
    off = Section(base_url="http://h/v1", api_key=Secret("k"), enabled=False)
    config = Config(providers={"openai": off, "ollama": off, "mine": off}, routes={"a": "ollama/x"})
    assert found(config, {"OPENAI_API_KEY": "k", "OLLAMA_BASE_URL": "http://h"}, ollama=True) == []


def test_a_section_with_a_base_url_needs_no_key() -> None:
    assert reasons(Config(providers={"openai": Section(base_url="http://h/v1")})) == {"openai": NAMED}


@pytest.mark.parametrize("section", [Section(), Section(models=["m"]), Section(api_key=Secret("  "))])
def test_a_section_without_key_and_address_switches_nothing_on(section: Section) -> None:
    assert found(Config(providers={"openai": section, "vllm": section})) == []


def test_an_own_provider_is_as_the_file_says() -> None:
    [on] = found(
        Config(providers={"mine": Section(base_url="http://h/v1/", api_key=Secret("k"), models=["m-*"])})
    )
    assert (on.name, on.base_url, on.key, on.reason) == ("mine", "http://h/v1", Secret("k"), NAMED)
    assert on.owns("m-1")


GOOGLE = "/v1beta/models/m:generateContent"
BEARER, NATIVE = (b"authorization", b"Bearer k"), (b"x-goog-api-key", b"k")


@pytest.mark.parametrize(
    ("dialects", "base_url", "path", "url", "header"),
    [
        (["anthropic"], "http://h", "/messages", "http://h/v1/messages", (b"x-api-key", b"k")),
        (["anthropic"], "http://h/v1/", "/messages", "http://h/v1/messages", (b"x-api-key", b"k")),
        (["anthropic", "gemini"], "http://h", GOOGLE, f"http://h{GOOGLE}", NATIVE),
        (["gemini"], "http://h/", GOOGLE, f"http://h{GOOGLE}", NATIVE),
        (["gemini"], "http://h/v1beta", GOOGLE, f"http://h{GOOGLE}", NATIVE),
        (["gemini"], "http://h", "/embeddings", "http://h/v1beta/openai/embeddings", BEARER),
        (["gemini", "openai_chat"], "http://h", "/embeddings", "http://h/v1/embeddings", BEARER),
        (["openai_chat", "gemini"], "http://h/v1", GOOGLE, f"http://h{GOOGLE}", NATIVE),
        (["openai_chat", "gemini"], "http://h/v1", "/responses", "http://h/v1/responses", BEARER),
        (["openai_chat", "gemini"], "http://h/api", "/responses", "http://h/api/responses", BEARER),
        (["openai_chat", "anthropic"], "http://h/v1", "/messages", "http://h/v1/messages", BEARER),
        (["openai_responses"], "http://h/api/v3", "/responses", "http://h/api/v3/responses", BEARER),
    ],
)
def test_an_own_provider_is_called_as_those_who_made_its_dialects_are(
    dialects: list[DialectName], base_url: str, path: str, url: str, header: tuple[bytes, bytes]
) -> None:
    section = Section(base_url=base_url, api_key=Secret("k"), dialects=dialects)
    [on] = found(Config(providers={"mine": section}))
    assert (url_for(on, path), key_header_for(on, path), list(on.dialects)) == (url, header, dialects)


@pytest.mark.parametrize(
    ("dialects", "headers"),
    [
        (["anthropic"], {"anthropic-version": "2023-06-01"}),
        (["openai_chat", "anthropic"], {"anthropic-version": "2023-06-01"}),
        (["gemini", "openai_chat"], {}),
        (None, {}),
    ],
)
def test_an_own_provider_is_told_the_version_of_anthropics_dialect(
    dialects: list[DialectName] | None, headers: dict[str, str]
) -> None:
    [on] = found(Config(providers={"mine": Section(base_url="http://h", dialects=dialects)}))
    assert (on.headers, on.row.headers) == (headers, headers)


def test_an_own_provider_is_not_taken_for_the_one_whose_dialect_it_speaks() -> None:
    section = Section(base_url="http://h", dialects=["anthropic"])
    [on] = found(Config(providers={"mine": section}), {"ANTHROPIC_BASE_URL": "http://other"})
    assert (on.name, on.row.title, on.key, on.base_url) == ("mine", "mine", None, "http://h")
    assert not on.owns("claude-haiku-4-5")


def test_a_section_says_what_a_known_provider_speaks() -> None:
    [on] = found(
        Config(providers={"anthropic": Section(dialects=["openai_chat"])}), {"ANTHROPIC_API_KEY": "k"}
    )
    assert on.dialects == ("openai_chat",)
    assert url_for(on, "/chat/completions") == "https://api.anthropic.com/v1/chat/completions"


def test_ollama_is_on_when_it_answers() -> None:
    assert reasons(ollama=True) == {"ollama": "Ollama answers at 127.0.0.1:11434"}


def test_ollama_is_asked_where_its_host_variable_points() -> None:
    asked: list[str] = []

    def probe(base_url: str) -> bool:
        asked.append(base_url)
        return True

    [on] = discover(Config(), {"OLLAMA_HOST": "0.0.0.0:9"}, probe_ollama=probe)
    assert asked == ["http://127.0.0.1:9"]
    assert (on.base_url, on.reason) == ("http://127.0.0.1:9", "Ollama answers at 127.0.0.1:9")


@pytest.mark.parametrize(
    "config",
    [
        Config(providers={"ollama": Section()}),
        Config(routes={"a": "ollama/qwen3"}),
        Config(routes={"a": Route(targets=["openai/x", "ollama/qwen3"])}),
        Config(default_provider="ollama"),
        Config(providers={"ollama": Section(enabled=False)}),
    ],
)
def test_ollama_is_not_asked_where_the_file_has_decided(config: Config) -> None:
    def probe(base_url: str) -> bool:
        raise AssertionError(base_url)

    on = {provider.name: provider.reason for provider in discover(config, {}, probe_ollama=probe)}
    assert on == ({} if config.providers.get("ollama", Section()).enabled is False else {"ollama": NAMED})


def test_what_is_off_says_what_would_switch_it_on() -> None:
    config = Config(providers={"groq": Section(enabled=False)})
    off = switched_off(config, found(config, {"OPENAI_API_KEY": "k", "GROQ_API_KEY": "k"}))
    switches = {each.name: each.switch for each in off}
    assert "openai" not in switches
    assert (switches["anthropic"], switches["ollama"]) == ("ANTHROPIC_API_KEY", "a running Ollama")
    assert (switches["groq"], switches["vllm"]) == ("providers.groq.enabled: true", "VLLM_BASE_URL")
    assert len(off) == len(ROWS) - 1
    assert Off(name="xai", title="xAI", switch="XAI_API_KEY") in off


def test_no_key_is_printed_with_a_provider() -> None:
    assert "hunter2" not in repr(found(environ={"OPENAI_API_KEY": "hunter2"}))
