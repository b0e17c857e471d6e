"""The Responses API: every signature comes to its client in a form that it sends back."""

from __future__ import annotations

from madang.core.messages import (
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.responses import Stop
from madang.dialects.carry import unload, unwrap
from tests.dialects.openai_responses import NAME, back, parts_of, told

THOUGHT = Reasoning(text="hm", signature="sig", signer="anthropic")


def test_a_client_gets_a_foreign_signature_wrapped_and_sends_it_back() -> None:
    body = told(THOUGHT, ToolCall(id="call_1", name="f", arguments="{}"), stop=Stop.TOOL)
    thought, call = body["output"]
    assert unwrap(thought["encrypted_content"], NAME) == ("sig", "anthropic")
    assert thought["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert unload(call["call_id"]).thoughts == (THOUGHT,)
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}
    again = back(body, result)
    found = [part for part in parts_of(again) if isinstance(part, Reasoning)]
    assert [(one.text, one.signature, one.signer, one.id) for one in found] == [
        ("hm", "sig", "anthropic", None)
    ]
    calls = [part for part in parts_of(again) if isinstance(part, ToolCall | ToolResult)]
    assert [one.id if isinstance(one, ToolCall) else one.call_id for one in calls] == ["call_1", "call_1"]


def test_a_client_that_drops_reasoning_items_still_sends_the_signature_back() -> None:
    calls = [ToolCall(id=f"call_{number}", name="f", arguments="{}") for number in range(2)]
    body = told(THOUGHT, *calls, stop=Stop.TOOL)
    body["output"] = [item for item in body["output"] if item["type"] != "reasoning"]
    assert parts_of(back(body))[1:2] == [THOUGHT]
    assert [type(part) for part in parts_of(back(body))[2:]] == [ToolCall, ToolCall]


def test_a_signed_call_comes_back_with_its_signature() -> None:
    call = ToolCall(id="call_1", name="f", arguments="{}", signature="sig", signer="gemini")
    again = parts_of(back(told(call, stop=Stop.TOOL)))[1]
    assert isinstance(again, ToolCall)
    assert (again.id, again.signature, again.signer) == ("call_1", "sig", "gemini")


def test_a_redacted_thought_stays_one() -> None:
    hidden = Reasoning(signature="data", signer="anthropic", redacted=True)
    empty = Reasoning(signature="sig", signer="anthropic")
    again = parts_of(back(told(hidden, empty, Text("so"))))[1:3]
    assert [(one.signature, one.redacted) for one in again if isinstance(one, Reasoning)] == [
        ("data", True),
        ("sig", False),
    ]


def test_its_own_signatures_are_given_as_they_are() -> None:
    own = Reasoning(text="hm", signature="sig", signer=NAME, id="rs_1")
    body = told(own, ToolCall(id="call_1", name="f"))
    assert body["output"][0]["encrypted_content"] == "sig"
    assert (body["output"][0]["id"], body["output"][1]["call_id"]) == ("rs_1", "call_1")


def test_a_thought_that_nobody_signed_is_shown_and_not_taken_for_openais() -> None:
    body = told(Reasoning(text="hm"), Text("so"))
    assert "encrypted_content" not in body["output"][0]
    assert parts_of(back(body))[1] == Reasoning(text="hm")
