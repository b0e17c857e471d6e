"""Losses: what a dialect cannot say is known beforehand, and said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.core.errors import BadRequest
from madang.core.messages import Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import Request
from madang.core.responses import Candidate, Response
from madang.dialects.losses import (
    ANSWERS,
    FOREIGN,
    REQUESTS,
    Loss,
    find,
    find_in_answer,
    header,
    look_up,
    table,
)
from tests.dialects.hub import DIALECTS, requests, responses

ASKED = Message("user", (Text("hi"),))
CALL = ToolCall(id="call_1", name="f")
RESULT = Message("tool", (ToolResult(call_id="call_1", parts=(Text("ok"),)),))


def asked(*messages: Message, **settings: object) -> Request:
    return Request(model="m", messages=messages or (ASKED,), max_tokens=99, **settings)  # type: ignore[arg-type]  # any


def thought(signer: str | None) -> Reasoning:
    return Reasoning(text="hm", signature="sig", signer=signer)


def treatments(request: Request, dialect: str) -> dict[str, str]:
    return {loss.feature: loss.treatment for loss in find(request, dialect)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_plain_words_lose_nothing_anywhere(dialect: str) -> None:
    said = (Message("system", (Text("be brief"),)), ASKED, Message("assistant", (Text("yes?"),)), ASKED)
    assert find(asked(*said, temperature=0.5, stream=True), dialect) == []
    assert find_in_answer(Response(candidates=(Candidate(parts=(Text("hi"),)),)), dialect) == []


def test_there_is_a_column_for_every_dialect() -> None:
    assert tuple(REQUESTS) == tuple(ANSWERS) == DIALECTS


@pytest.mark.parametrize("column", [*REQUESTS.values(), *ANSWERS.values(), FOREIGN])
def test_every_rule_says_how_in_half_a_sentence(column: dict[str, Loss]) -> None:
    for feature, rule in column.items():
        assert rule.treatment in ("drop", "emulate", "refuse"), feature
        assert rule.how, feature
        assert not rule.how.endswith("."), feature
        assert "|" not in rule.how, feature


def test_no_answer_is_ever_refused() -> None:
    assert [
        rule for column in ANSWERS.values() for rule in column.values() if rule.treatment == "refuse"
    ] == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("owner", DIALECTS)
def test_leftovers_are_dropped_in_every_dialect_but_their_own(owner: str, dialect: str) -> None:
    request = asked(extra={owner: {"made_up": 1, "$note": 2, "null": None}})
    assert treatments(request, dialect) == ({} if owner == dialect else {f"field:{owner}:made_up": "drop"})


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "openai_responses"])
def test_what_a_provider_keeps_is_refused_elsewhere_with_the_reason(dialect: str) -> None:
    request = asked(extra={"openai_responses": {"previous_response_id": "resp_1"}})
    with pytest.raises(BadRequest, match="the earlier answer is kept at OpenAI") as caught:
        find(request, dialect)
    assert (caught.value.code, caught.value.param) == ("not_expressible", "previous_response_id")
    assert find(request, "openai_responses") == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("owner", DIALECTS)
def test_a_tool_that_runs_at_a_provider_goes_nowhere_else(owner: str, dialect: str) -> None:
    request = asked(tools=(Opaque(owner, {"type": "web_search"}),))
    if owner == dialect:
        assert find(request, dialect) == []
    else:
        with pytest.raises(BadRequest, match=f"server_tool.{owner}") as caught:
            find(request, dialect)
        assert (caught.value.code, caught.value.param) == ("not_expressible", None)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("owner", DIALECTS)
def test_an_opaque_part_is_dropped_in_every_dialect_but_its_own(owner: str, dialect: str) -> None:
    request = asked(ASKED, Message("assistant", (Opaque(owner, {"type": "x"}), Text("so"))), ASKED)
    assert treatments(request, dialect) == ({} if owner == dialect else {f"opaque.{owner}": "drop"})


LOOP = [
    (Message("assistant", (thought("SIGNER"), CALL)), RESULT),
    (Message("assistant", (ToolCall(id="call_1", name="f", signature="sig", signer="SIGNER"),)), RESULT),
    (
        Message("assistant", (thought("SIGNER"), CALL)),
        RESULT,
        Message("assistant", (ToolCall(id="call_2", name="f"),)),
        Message("user", (ToolResult(call_id="call_2", parts=(Text("ok"),)),)),
    ),
]
"""Open tool loops, signed by a dialect that is none."""


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("loop", LOOP, ids=["thought", "call", "two rounds"])
def test_an_open_loop_signed_for_others_is_refused_with_the_reason(
    loop: tuple[Message, ...], dialect: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        find(asked(ASKED, *loop), dialect)
    assert caught.value.code == "signature_not_portable"
    for said in ("signed for SIGNER", f"speaks {dialect}", "Finish the loop"):
        assert said in caught.value.message


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("loop", LOOP, ids=["thought", "call", "two rounds"])
def test_a_signature_outside_of_an_open_loop_is_dropped_harmlessly(
    loop: tuple[Message, ...], dialect: str
) -> None:
    for then in ((ASKED,), (Message("assistant", (Text("done"),)), ASKED)):
        assert treatments(asked(ASKED, *loop, *then), dialect)["signature.SIGNER"] == "drop"


@pytest.mark.parametrize("signer", [*DIALECTS, None])
def test_a_dialects_own_signatures_and_unsigned_ones_are_never_lost(signer: str | None) -> None:
    request = asked(ASKED, Message("assistant", (thought(signer), CALL)), RESULT)
    for dialect in DIALECTS if signer is None else [signer]:
        assert not [feature for feature in treatments(request, dialect) if feature.startswith("signature")]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("signer", DIALECTS)
def test_signatures_are_carried_to_every_client_where_a_tool_loop_needs_them(
    signer: str, dialect: str
) -> None:
    response = Response(candidates=(Candidate(parts=(thought(signer), CALL)),))
    assert not [loss for loss in find_in_answer(response, dialect) if "signature" in loss.feature]


@settings(max_examples=50)
@given(requests(opaque=DIALECTS, shuffled=True), st.sampled_from(DIALECTS))
def test_losses_are_sorted_said_once_and_follow_the_columns(request: Request, dialect: str) -> None:
    try:
        losses = find(request, dialect)
    except BadRequest as refusal:
        losses = []
        assert refusal.message.endswith(".")  # noqa: PT017 - either is right
    assert losses == sorted(set(losses))
    for loss in losses:
        assert loss == look_up(loss.feature, dialect, "asks")
        assert loss.treatment != "refuse"


@settings(max_examples=50)
@given(responses(opaque=DIALECTS, shuffled=True, candidates=2), st.sampled_from(DIALECTS))
def test_losses_of_answers_are_sorted_and_said_once(response: Response, dialect: str) -> None:
    losses = find_in_answer(response, dialect)
    assert losses == sorted(set(losses))
    assert all(loss == look_up(loss.feature, dialect, "answers") for loss in losses)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_column_may_name_a_feature_or_a_family_of_them(dialect: str) -> None:
    for side, column in (("asks", REQUESTS[dialect]), ("answers", ANSWERS[dialect])):
        for pattern, rule in column.items():
            feature = pattern.replace("*", "some")
            found = look_up(feature, dialect, side)
            assert found is not None, pattern
            assert found == Loss(feature, rule.treatment, rule.how) or "*" in pattern
        assert look_up("text", dialect, side) is None


def test_a_header_tells_losses_in_ascii_and_not_at_any_length() -> None:
    assert header([]) == ""
    assert header([Loss("seed", "drop", ""), Loss("tool_result.error", "emulate", "")]) == (
        "seed;drop, tool_result.error;emulate"
    )
    hostile = "field:openai_chat:서울\r\nset-cookie: a=b, c;d"
    told = header([Loss(hostile, "drop", "")])
    assert told.isascii()
    assert told.isprintable()
    assert told.count(";") == 1
    assert "," not in told
    many = header([Loss(f"field:gemini:{'x' * 999}{number}", "drop", "") for number in range(5000)])
    assert len(many) < 8000
    assert many.endswith("and 4950 more")


def test_a_header_tells_a_providers_own_bookkeeping_in_one_word() -> None:
    booked = [Loss(f"usage:gemini:{name}", "drop", "") for name in ("promptTokensDetails", "trafficType")]
    assert header([Loss("seed", "drop", "")], booked) == "seed;drop, usage:gemini:*;drop"
    asked = [Loss("field:gemini:labels", "drop", ""), Loss("field:gemini:safetySettings", "drop", "")]
    assert header(asked) == "field:gemini:labels;drop, field:gemini:safetySettings;drop"


PAGE = Path(__file__).parents[2] / "docs" / "dialects.md"


def test_the_page_prints_the_columns_as_they_are() -> None:
    said = "print docs/dialects.md anew: python -m madang.dialects.losses"
    assert table().strip() in PAGE.read_text(encoding="utf-8"), said


def test_the_table_has_a_row_for_every_rule() -> None:
    printed = table()
    for column in (*REQUESTS.values(), *ANSWERS.values(), FOREIGN):
        for feature, rule in column.items():
            assert f"| `{feature}` | {rule.treatment} | {rule.how} |" in printed
