"""Scripted answers, from objects and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from madang.core.errors import ConfigError
from madang.simulator import Match, Rule, Scenario, Scripted, ScriptedCall, load_scenario
from madang.simulator.scenario_file import read_scenario
from tests.simulator.desk import Desk, answer_of, chat_of, events_of, headers_of, sent, unchunked


def _desk(text: str) -> Desk:
    return Desk(scenario=read_scenario(text))


def _said(desk: Desk, text: str, **fields: object) -> str:
    said = desk.chat(text, **fields)["choices"][0]["message"]["content"]
    assert isinstance(said, str)
    return said


def test_the_first_rule_that_matches_answers_and_others_stay_plausible() -> None:
    desk = _desk("""
rules:
  - match: {contains: refund}
    answer: {text: "We refund within 14 days."}
  - match: {model: "gpt-4*"}
    answer: {text: second}
""")
    assert _said(desk, "How do I get a refund?") == "We refund within 14 days."
    assert _said(desk, "Hello") == "second"
    assert "simulated answer" in _said(desk, "Hello", model="o5")


def test_a_rule_can_wait_for_its_turn() -> None:
    desk = _desk(
        "rules: [{match: {nth: 1}, answer: {status: 503}}, {match: {nth: [1, 3]}, answer: {text: x}}]"
    )
    assert [desk.plan(chat_of()).status for _ in range(2)] == [503, 200]
    assert [_said(desk, "Hello") == "x" for _ in range(3)] == [False, True, False]


def test_rules_match_headers_and_paths() -> None:
    desk = _desk("""
rules:
  - match: {header: {X-Team: "a*"}}
    answer: {status: 403}
  - match: {path: /embeddings}
    faults: {error: 500}
""")
    assert desk.plan(chat_of(), x_team="alpha").status == 403
    assert desk.plan(chat_of(), x_team="beta").status == 200
    assert desk.plan({"model": "m", "input": "x"}, "/v1/embeddings").status == 500


def test_tool_calls_usage_and_finish_can_be_scripted() -> None:
    call = ScriptedCall("f", {"a": 1})
    desk = Desk(scenario=Scenario((Rule(Match(contains="call"), Scripted(tool_calls=[call])),)))
    assert desk.chat("call")["choices"][0]["message"]["tool_calls"][0]["function"] == {
        "name": "f",
        "arguments": '{"a":1}',
    }
    usage = _desk(
        "rules: [{answer: {text: hi, finish_reason: content_filter, usage: {prompt_tokens: 7, "
        "completion_tokens: 9, reasoning_tokens: 4, cached_tokens: 2}}}]"
    ).chat()
    assert usage["choices"][0]["finish_reason"] == "content_filter"
    assert usage["usage"]["total_tokens"] == 16
    assert usage["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4
    assert usage["usage"]["prompt_tokens_details"]["cached_tokens"] == 2


def test_an_error_and_its_headers_can_be_scripted() -> None:
    plan = _desk("""
rules:
  - answer:
      status: 429
      error: {message: slow down, code: custom}
      headers: {Retry-After: "7"}
""").plan(chat_of())
    assert plan.status == 429
    assert answer_of(plan)["error"] == {
        "message": "slow down",
        "type": "requests",
        "param": None,
        "code": "custom",
    }
    assert headers_of(plan)["retry-after"] == "7"


def test_a_body_can_be_anything() -> None:
    plan = _desk(
        "rules: [{answer: {status: 502, body: '<html>bad gateway</html>', headers: "
        "{Content-Type: text/html}}}]"
    ).plan(chat_of())
    assert plan.status == 502
    assert sent(plan).endswith(b"\r\n\r\n<html>bad gateway</html>")
    assert headers_of(plan)["content-type"] == "text/html"
    assert answer_of(_desk("rules: [{answer: {body: {odd: [1]}}}]").plan(chat_of())) == {"odd": [1]}


def test_a_stream_is_played_piece_by_piece_with_events_and_pauses() -> None:
    desk = _desk("""
rules:
  - pace: 10ms
    answer:
      stream: ["Hel", {pause: 200ms}, "lo", {event: {note: 1}}, {raw: ": hi\\n\\n"}, "!"]
""")
    plan = desk.plan(chat_of(stream=True))
    text = unchunked(sent(plan).partition(b"\r\n\r\n")[2])
    assert text.index(b'"Hel"') < text.index(b'"lo"') < text.index(b'{"note":1}') < text.index(b": hi\n\n")
    assert text.index(b": hi") < text.index(b'"!"') < text.index(b"[DONE]")
    assert [step.delay for step in plan.steps[2:7]] == pytest.approx([0.01, 0.21, 0, 0, 0.01])
    assert _said(desk, "x") == "Hello!"


def test_a_plain_list_of_texts_is_one_event_each() -> None:
    events = events_of(_desk('rules: [{answer: {stream: ["a b c", ""]}}]').plan(chat_of(stream=True)))
    assert [event["choices"][0]["delta"].get("content") for event in events[1:3]] == ["a b c", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["scenario", "empty file", "rules:"]),
        ("rules:\n  - a: [", ["scenario:2"]),
        ("rules:\n  - match: {modle: x}", ["scenario:2 rules[0].match.modle", "'modle'", "write model"]),
        (
            "rules:\n  - answer:\n      status: many",
            ["scenario:3 rules[0].answer.status", "found str", "wanted int"],
        ),
        ("rules:\n\n  - answer: {status: 99}", ["scenario:3 rules[0].answer.status", "99"]),
        ("rules:\n  - pace: fast", ["scenario:2 rules[0].pace", "'fast' is not a duration"]),
        (
            "rules:\n  - answer: {text: x}\n    faults: {cut: 3}",
            ["scenario:3 rules[0].faults", "Unknown control 'cut'"],
        ),
        ("rules:\n  - answer:\n      stream: [{pause: x}]", ["scenario:3 rules[0].answer.stream[0].pause"]),
        ('rules:\n  - answer:\n      headers: {a: "b\\nc"}', ["scenario:3 rules[0].answer.headers"]),
        ("rule: []", ["scenario:1 rule", "write rules"]),
        ("[]", ["scenario:1", "array"]),
        ("rules: &a\n  - *a", ["scenario:"]),
    ],
)
def test_a_faulty_file_is_refused_with_line_and_path(text: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        read_scenario(text)
    for part in said:
        assert part in str(raised.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "answers.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"answers\.yaml"):
        load_scenario(path)
