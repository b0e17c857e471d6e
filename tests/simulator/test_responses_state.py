"""What the Responses API remembers, what it does in the background, and thoughts that travel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.simulator.openai import responses_shelf
from madang.simulator.openai.sealed import needed_thought, seal, unseal
from madang.simulator.plan import Plan
from madang.simulator.request import Request
from tests.simulator.desk import Desk, answer_of, sent
from tests.simulator.responses_desk import (
    SEALED,
    WEATHER,
    asked,
    events_in,
    kinds,
    question,
    refused,
    respond,
    result,
    text_of,
)


def _visit(desk: Desk, path: str, method: str = "GET", query: str = "") -> Plan:
    request = Request(method, f"/v1/responses/{path}", query, {"authorization": "Bearer k"}, b"")
    return desk.service.plan(request)


def _called(desk: Desk, **fields: object) -> tuple[Any, Any]:
    """A thinking model's thoughts and the call they came to."""
    first = respond(desk, "weather", model="gpt-5-nano", tools=[WEATHER], **fields)
    thought, call = first["output"]
    return thought, call


def _without(item: Any, *names: str) -> Any:
    return {name: value for name, value in item.items() if name not in names}


# Remembered responses.


def test_a_response_is_there_until_it_is_deleted(desk: Desk) -> None:
    answer = respond(desk)
    assert answer_of(_visit(desk, answer["id"])) == _without(answer, "billing")
    assert answer_of(_visit(desk, answer["id"], "DELETE")) == {
        "id": answer["id"],
        "object": "response",
        "deleted": True,
    }
    gone = _visit(desk, answer["id"])
    assert gone.status == 404
    assert answer_of(gone)["error"] == {
        "message": f"Response with id '{answer['id']}' not found.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_what_is_not_stored_is_not_there(desk: Desk) -> None:
    answer = respond(desk, store=False)
    assert _visit(desk, answer["id"]).status == 404
    status, error = refused(desk, previous_response_id=answer["id"])
    assert (status, error["code"]) == (400, "previous_response_not_found")
    assert error["message"] == f"Previous response with id '{answer['id']}' not found."


def test_a_response_goes_on_where_another_ended(desk: Desk) -> None:
    first = respond(desk, "weather in Seoul", tools=[WEATHER])
    output = [result(first["output"][0])]
    second = respond(desk, output, tools=[WEATHER], previous_response_id=first["id"])
    assert text_of(second) == "The result of weather is: 21 degrees"
    assert second["previous_response_id"] == first["id"]
    third = respond(desk, "And now?", previous_response_id=second["id"])
    assert third["usage"]["input_tokens"] > respond(desk, "And now?")["usage"]["input_tokens"]


def test_instructions_are_not_carried_over(desk: Desk) -> None:
    first = respond(desk, instructions="Be brief and kind to everyone you meet.")
    second = respond(desk, previous_response_id=first["id"])
    assert second["instructions"] is None
    assert second["usage"]["input_tokens"] < first["usage"]["input_tokens"] + 100


def test_the_input_can_be_listed_page_by_page(desk: Desk) -> None:
    answer = respond(desk, [question("One"), question("Two"), question("Three")])
    page = answer_of(_visit(desk, f"{answer['id']}/input_items", query="limit=2"))
    texts = [item["content"][0]["text"] for item in page["data"]]
    assert (texts, page["has_more"]) == (["Three", "Two"], True)
    rest = answer_of(_visit(desk, f"{answer['id']}/input_items", query=f"after={page['last_id']}"))
    assert [item["content"][0]["text"] for item in rest["data"]] == ["One"]
    turned = answer_of(_visit(desk, f"{answer['id']}/input_items", query="order=asc"))
    assert [item["id"] for item in turned["data"]][::-1] == [
        item["id"] for item in (*page["data"], *rest["data"])
    ]
    assert _visit(desk, f"{answer['id']}/input_items", query="limit=0").status == 400


def test_items_can_be_referred_to(desk: Desk) -> None:
    message = respond(desk, "One")["output"][0]
    again = respond(desk, [{"type": "item_reference", "id": message["id"]}, question("Two")])
    assert text_of(again)
    missing = {"type": "item_reference", "id": "msg_0"}
    assert refused(desk, [missing])[1]["message"] == "Item with id 'msg_0' not found."


def test_the_oldest_is_forgotten_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_shelf, "_MOST", 2)
    first, *others = [respond(desk)["id"] for _ in range(3)]
    assert _visit(desk, first).status == 404
    assert [_visit(desk, other).status for other in others] == [200, 200]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "resp_1", 405),
        ("GET", "resp_1", 404),
        ("POST", "resp_1/cancel", 404),
        ("GET", "resp_1/x", 404),
    ],
)
def test_other_ways_lead_nowhere(desk: Desk, method: str, path: str, status: int) -> None:
    assert _visit(desk, path, method).status == status


def test_a_key_is_needed_to_look(desk: Desk) -> None:
    answer = respond(desk)
    plan = desk.service.plan(Request("GET", f"/v1/responses/{answer['id']}", "", {}, b""))
    assert plan.status == 401


# In the background.


def test_a_background_response_shows_all_its_states(desk: Desk) -> None:
    begun = respond(desk, background=True)
    seen = [begun, *(answer_of(_visit(desk, begun["id"])) for _ in range(3))]
    assert [one["status"] for one in seen] == ["queued", "in_progress", "completed", "completed"]
    assert [bool(one["output"]) for one in seen] == [False, False, True, True]
    assert [one["usage"] is None for one in seen] == [True, True, False, False]


def test_a_background_response_can_be_cancelled(desk: Desk) -> None:
    begun = respond(desk, background=True)
    for _ in range(2):
        assert answer_of(_visit(desk, f"{begun['id']}/cancel", "POST"))["status"] == "cancelled"
    assert answer_of(_visit(desk, begun["id"]))["status"] == "cancelled"


def test_what_is_done_is_not_cancelled(desk: Desk) -> None:
    begun = respond(desk, background=True)
    for _ in range(2):
        _visit(desk, begun["id"])
    assert answer_of(_visit(desk, f"{begun['id']}/cancel", "POST"))["status"] == "completed"


def test_a_response_in_the_foreground_cannot_be_cancelled(desk: Desk) -> None:
    plan = _visit(desk, f"{respond(desk)['id']}/cancel", "POST")
    assert plan.status == 400
    assert answer_of(plan)["error"]["message"] == "Cannot cancel a synchronous response."


def test_background_wants_to_be_stored(desk: Desk) -> None:
    assert refused(desk, background=True, store=False)[1]["param"] == "background"


def test_a_background_stream_can_be_taken_up_again(desk: Desk) -> None:
    plan = desk.plan(asked(stream=True, background=True), "/v1/responses")
    events = events_in(sent(plan))
    assert [event["type"] for event in events[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    identifier = events[0]["response"]["id"]
    again = events_in(sent(_visit(desk, identifier, query="stream=true&starting_after=4")))
    assert again == events[5:]
    assert _visit(desk, respond(desk)["id"], query="stream=true").status == 400
    assert _visit(desk, identifier, query="stream=true&starting_after=x").status == 400


# Thoughts.


@pytest.mark.parametrize("model", ["o3", "o4-mini", "gpt-5", "gpt-5-nano", "gpt-5.6-luna", "gpt-5.1-codex"])
def test_models_that_think_say_so(desk: Desk, model: str) -> None:
    answer = respond(desk, model=model)
    assert kinds(answer) == ["reasoning", "message"]
    assert answer["usage"]["output_tokens_details"]["reasoning_tokens"] == 192
    assert answer["reasoning"]["effort"] == "medium"


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-4o", "gpt-5.2", "gpt-5.4", "gpt-5-chat-latest", "m"])
def test_models_that_do_not_think_unasked_just_answer(desk: Desk, model: str) -> None:
    assert kinds(respond(desk, model=model)) == ["message"]


def test_effort_decides_how_long_it_thinks(desk: Desk) -> None:
    spent = [
        respond(desk, model="gpt-5.4", reasoning={"effort": word})["usage"]["output_tokens_details"]
        for word in ("none", "low", "high", "max")
    ]
    counts = [one["reasoning_tokens"] for one in spent]
    assert counts == sorted(set(counts))
    assert counts[0] == 0


def test_a_summary_comes_when_asked_for(desk: Desk) -> None:
    assert respond(desk, model="gpt-5")["output"][0]["summary"] == []
    detailed = respond(desk, "lantern?", model="gpt-5", reasoning={"summary": "detailed"})["output"][0]
    assert [part["type"] for part in detailed["summary"]] == ["summary_text", "summary_text"]
    assert "lantern" in detailed["summary"][0]["text"]


def test_a_summary_is_streamed_part_by_part(desk: Desk) -> None:
    wishes = {"model": "gpt-5", "reasoning": {"summary": "detailed"}, "stream": True}
    events = events_in(sent(desk.plan(asked(**wishes), "/v1/responses")))
    deltas = [event for event in events if event["type"] == "response.reasoning_summary_text.delta"]
    parts = events[-1]["response"]["output"][0]["summary"]
    for at, part in enumerate(parts):
        assert "".join(event["delta"] for event in deltas if event["summary_index"] == at) == part["text"]


def test_thoughts_come_back_and_are_taken(desk: Desk) -> None:
    thought, call = _called(desk, include=SEALED, store=False)
    assert thought["encrypted_content"].startswith("gAAAAA")
    said = [question("weather"), thought, call, result(call)]
    last = respond(desk, said, model="gpt-5-nano", tools=[WEATHER], store=False)
    assert text_of(last) == "The result of weather is: 21 degrees"
    elsewhere = [question("weather"), _without(thought, "id"), _without(call, "id"), result(call)]
    assert respond(Desk(), elsewhere, model="gpt-5-nano", store=False)["status"] == "completed"


def test_changed_thoughts_are_noticed(desk: Desk) -> None:
    thought, call = _called(desk, include=SEALED)
    sealed = thought["encrypted_content"]
    changed = {
        **thought,
        "encrypted_content": sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:],
    }
    status, error = refused(desk, [question("w"), changed, call, result(call)], model="gpt-5-nano")
    assert (status, error["code"], error["param"]) == (400, "invalid_encrypted_content", None)
    assert error["message"] == (
        f"The encrypted content for item {thought['id']} could not be verified. Reason: Encrypted content "
        "could not be decrypted or parsed."
    )
    nameless = [question("w"), _without(changed, "id"), _without(call, "id"), result(call)]
    message = refused(desk, nameless, model="gpt-5-nano")[1]["message"]
    assert message.startswith(
        f"The encrypted content gAAA...{changed['encrypted_content'][-4:]} could not be"
    )


def test_thoughts_belong_to_their_item(desk: Desk) -> None:
    thought, call = _called(desk, include=SEALED)
    other, _ = _called(desk, include=SEALED)
    said = [question("w"), {**thought, "encrypted_content": other["encrypted_content"]}, call, result(call)]
    error = refused(desk, said, model="gpt-5-nano")[1]
    assert error["message"].endswith("Encrypted content item_id did not match the target item id.")


def test_every_character_of_sealed_thoughts_counts() -> None:
    envelope = seal("rs_1", 1_800_000_000, 0)
    assert unseal(envelope) == "rs_1"
    for at, letter in enumerate(envelope):
        assert unseal(envelope[:at] + ("A" if letter != "A" else "B") + envelope[at + 1 :]) is None
    assert unseal(envelope[:-4]) is None
    assert unseal("") is None
    assert unseal("né") is None


def test_a_call_by_its_id_needs_its_thoughts(desk: Desk) -> None:
    thought, call = _called(desk, include=SEALED, store=False)
    status, error = refused(desk, [question("w"), call, result(call)], model="gpt-5-nano", store=False)
    assert (status, error["param"], error["code"]) == (400, "input", None)
    assert error["message"] == (
        f"Item '{call['id']}' of type 'function_call' was provided without its required 'reasoning' item: "
        f"'{thought['id']}'."
    )
    nameless = [question("w"), _without(call, "id"), result(call)]
    assert respond(desk, nameless, model="gpt-5-nano", store=False)["status"] == "completed"


def test_ids_of_others_need_nothing() -> None:
    assert needed_thought("fc_689f74af8dd081909f20d78dfb8a27400a33650d0eca9a46") is None
    assert needed_thought("fc_1") is None
    assert needed_thought("") is None


def test_thoughts_by_their_id_need_what_came_of_them(desk: Desk) -> None:
    thought, _ = _called(desk, include=SEALED)
    for said in ([question("w"), thought], [thought, question("w")]):
        error = refused(desk, said, model="gpt-5-nano")[1]
        assert error["message"] == (
            f"Item '{thought['id']}' of type 'reasoning' was provided without its required following item."
        )


def test_thoughts_without_their_content_have_to_be_stored(desk: Desk) -> None:
    thought, call = _called(desk)
    said = [question("w"), thought, call, result(call)]
    assert respond(desk, said, model="gpt-5-nano")["status"] == "completed"
    thought, call = _called(desk, store=False)
    said = [question("w"), thought, call, result(call)]
    status, error = refused(desk, said, model="gpt-5-nano", store=False)
    assert (status, error["param"]) == (404, "input")
    assert error["message"] == (
        f"Item with id '{thought['id']}' not found. Items are not persisted when `store` is set to false. "
        "Try again with `store` set to true, or remove this item from your input."
    )


def test_an_item_comes_only_once(desk: Desk) -> None:
    first = respond(desk)
    error = refused(desk, [first["output"][0], question("x")], previous_response_id=first["id"])[1]
    assert error["message"].startswith(f"Duplicate item found with id {first['output'][0]['id']}.")


def test_a_message_says_its_phase_in_newer_models(desk: Desk) -> None:
    assert respond(desk, model="gpt-5.4")["output"][0]["phase"] == "final_answer"
    assert "phase" not in respond(desk, model="gpt-5.2")["output"][0]


def test_an_answer_can_be_sent_back_as_it_came(desk: Desk) -> None:
    first = respond(desk, model="gpt-5.6-luna", include=SEALED, reasoning={"summary": "auto"})
    said = [question("One"), *json.loads(json.dumps(first["output"])), question("Two")]
    assert respond(desk, said, model="gpt-5.6-luna")["status"] == "completed"
