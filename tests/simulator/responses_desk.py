"""What the tests of the Responses API have in common: requests, and what came back."""

from __future__ import annotations

import json
from typing import Any

from tests.simulator.desk import Desk, answer_of, sent, unchunked

WEATHER: dict[str, object] = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CLOCK = {**WEATHER, "name": "clock", "description": "Tells the time of a city"}
SEALED = ["reasoning.encrypted_content"]


def asked(said: object = "Hello", /, **fields: object) -> dict[str, object]:
    """A request with one question."""
    return {"model": "gpt-4.1-nano", "input": said, **fields}


def respond(desk: Desk, said: object = "Hello", /, **fields: object) -> Any:
    """The JSON answer to a question."""
    plan = desk.plan(asked(said, **fields), "/v1/responses")
    answer = answer_of(plan)
    assert plan.status == 200, answer
    return answer


def refused(desk: Desk, said: object = "Hello", /, **fields: object) -> tuple[int, Any]:
    """Status and error of a request that is wrong."""
    plan = desk.plan(asked(said, **fields), "/v1/responses")
    return plan.status, answer_of(plan)["error"]


def stream(desk: Desk, said: object = "Hello", /, **fields: object) -> list[Any]:
    """The events of the answer to a question; each says by two names what it is."""
    return events_in(sent(desk.plan(asked(said, stream=True, **fields), "/v1/responses")))


def events_in(data: bytes) -> list[Any]:
    """The events of a response as it was sent."""
    body = unchunked(data.partition(b"\r\n\r\n")[2]).decode()
    events = []
    for block in body.split("\n\n"):
        if block:
            name, _, line = block.partition("\n")
            event = json.loads(line.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            events.append(event)
    return events


def text_of(response: Any) -> str:
    """What was said, over all messages."""
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text", "") for part in parts)


def kinds(response: Any) -> list[str]:
    """The kinds of the items of a response."""
    return [item["type"] for item in response["output"]]


def question(text: str) -> dict[str, object]:
    """A user's message."""
    return {"role": "user", "content": text}


def result(call: Any, output: object = "21 degrees") -> dict[str, object]:
    """What a function gave."""
    return {"type": "function_call_output", "call_id": call["call_id"], "output": output}
