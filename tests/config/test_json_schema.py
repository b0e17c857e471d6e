"""What editors are told about the file."""

from __future__ import annotations

import re

import pytest

from madang.config import schema
from madang.config.json_schema import FROM_ENVIRONMENT, Schema, json_schema


def sections() -> dict[str, Schema]:
    found = json_schema()["$defs"]
    assert isinstance(found, dict)
    return found


def fields(section: str) -> dict[str, Schema]:
    found = sections()[section]["properties"]
    assert isinstance(found, dict)
    return found


def test_it_says_which_dialect_and_which_file_it_is() -> None:
    made = json_schema()
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["title"] == "madang.yaml"


def test_every_section_of_the_file_is_there_and_closed() -> None:
    assert set(sections()) == {"Config", "Server", "Store", "Provider", "Route", "Timeouts", "KeyDefaults"}
    assert all(section["additionalProperties"] is False for section in sections().values())


@pytest.mark.parametrize("section", sorted(sections()))
def test_every_name_has_a_sentence(section: str) -> None:
    assert set(fields(section)) == set(getattr(schema, section).__struct_fields__)
    assert [
        name
        for name, kind in fields(section).items()
        if not str(kind.get("description", "")).endswith((".", "`"))
    ] == []


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("Server", "port"),
        ("Server", "max_body_mb"),
        ("Server", "chat_login"),
        ("Provider", "enabled"),
        ("Provider", "include_usage"),
        ("KeyDefaults", "expires_days"),
        ("Timeouts", "connect"),
    ],
)
def test_what_is_no_text_may_come_from_the_environment(section: str, name: str) -> None:
    choices = fields(section)[name]["anyOf"]
    assert isinstance(choices, list)
    assert FROM_ENVIRONMENT in choices


@pytest.mark.parametrize(
    ("section", "name"), [("Server", "host"), ("Provider", "models"), ("Config", "server")]
)
def test_text_lists_and_sections_are_left_as_they_are(section: str, name: str) -> None:
    assert "anyOf" not in fields(section)[name]


def test_a_key_is_text() -> None:
    assert fields("Provider")["api_key"]["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_the_port_keeps_its_bounds_and_its_default() -> None:
    port = fields("Server")["port"]
    choices = port["anyOf"]
    assert isinstance(choices, list)
    assert (choices[0]["minimum"], choices[0]["maximum"], port["default"]) == (0, 65535, 4000)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("${PORT}", True),
        ("${PORT:-4000}", True),
        ("1${PORT}", True),
        ("os.environ/PORT", True),
        ("4000", False),
        ("$PORT", False),
    ],
)
def test_only_a_variable_passes_for_one(text: str, taken: bool) -> None:
    assert bool(re.search(str(FROM_ENVIRONMENT["pattern"]), text)) is taken
