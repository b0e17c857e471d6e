"""What a line of `.env` may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.config.dotenv import parse_dotenv
from madang.config.errors import Fault

GOOD = [
    ("A=1", {"A": "1"}),
    ("export A=1", {"A": "1"}),
    ("A = 1 ", {"A": "1"}),
    ("A=", {"A": ""}),
    ("A=''", {"A": ""}),
    ("A=one two", {"A": "one two"}),
    ("A=1 # comment", {"A": "1"}),
    ("A= # comment", {"A": ""}),
    ("A=#1", {"A": ""}),
    ("A=1#2", {"A": "1#2"}),
    ("A='1 # 2' # comment", {"A": "1 # 2"}),
    ('A="1 # 2"', {"A": "1 # 2"}),
    ('A="a\\nb\\t\\"c\\"\\\\"', {"A": 'a\nb\t"c"\\'}),
    ("A='a\\nb'", {"A": "a\\nb"}),
    ("A=${B}", {"A": "${B}"}),
    ("A=a=b", {"A": "a=b"}),
    ("A=it's", {"A": "it's"}),
    ("exported=1", {"exported": "1"}),
    ("\n# comment\n  # another\n\n", {}),
    ("A=1\nA=2", {"A": "2"}),
    ("\ufeffA=1", {"A": "1"}),
    ("A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
    ("이름_아님=1".replace("이름_아님", "_"), {"_": "1"}),
]


@pytest.mark.parametrize(("text", "found"), GOOD)
def test_a_line_is_a_name_and_a_value(text: str, found: dict[str, str]) -> None:
    faults: list[Fault] = []
    assert parse_dotenv(text, faults) == found
    assert faults == []


BAD = [
    ("hunter2", "not an assignment"),
    ("export A", "not an assignment"),
    ("=hunter2", "not an assignment"),
    ("1A=hunter2", "not an assignment"),
    ("A-B=hunter2", "not an assignment"),
    ("A B=hunter2", "not an assignment"),
    ("이름=hunter2", "not an assignment"),
    ("A: hunter2", "not an assignment"),
    ("A='hunter2", "not closed"),
    ('A="hunter2', "not closed"),
    ('A="hunter2\\"', "not closed"),
    ("A='hun'ter2", "more text after the closing quote"),
    ('A="hun" ter2', "more text after the closing quote"),
    ("A=hun\0ter2", "a NUL character"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_a_malformed_line_is_named_by_its_number_and_not_shown(line: str, said: str) -> None:
    faults: list[Fault] = []
    assert parse_dotenv(f"# one\n{line}\nB=2", faults) == {"B": "2"}
    [fault] = faults
    assert (fault.line, said in fault.got) == (2, True)
    assert "hun" not in str(fault)


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    faults: list[Fault] = []
    found = parse_dotenv(text, faults)
    assert all(name.isidentifier() and "\0" not in value for name, value in found.items())


@given(st.text(st.characters(exclude_characters="\0\n\r'", exclude_categories=["Cs"]), max_size=40))
def test_what_stands_in_single_quotes_is_the_value(value: str) -> None:
    assert parse_dotenv(f"A='{value}'", []) == {"A": value}
