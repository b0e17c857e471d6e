"""What the tests of Anthropic's and Gemini's simulators have in common: asking without sockets, and shapes.

A shape is the set of places a value has: `.content[]<text>.text`. Members of a union are told apart by
their `type`, so that a field is looked for where it belongs.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madang.simulator.plan import Plan
from madang.simulator.request import Request
from tests.simulator.desk import Desk, answer_of, sent, unchunked

FOLDER = Path(os.environ.get("MADANG_RECORDINGS") or Path(__file__).parents[3] / "shared" / "recordings")

needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings beside the project")

ASKED = [{"role": "user", "content": "What is the weather in Seoul?"}]
WEATHER = {
    "name": "weather",
    "description": "Tells the weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CLOCK = {"name": "clock", "input_schema": {"type": "object", "properties": {"zone": {"enum": ["UTC"]}}}}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


class AnthropicDesk(Desk):
    """Asks the simulator in Anthropic's dialect."""

    def messages(self, asked: Any = None, path: str = "/v1/messages", **fields: Any) -> Plan:
        """The plan of an answer; a text is what the user says."""
        messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked or ASKED
        body = {"model": "claude-haiku-4-5", "max_tokens": 4096, "messages": messages, **fields}
        return self.post({name: value for name, value in body.items() if value is not None}, path)

    def post(self, body: object, path: str = "/v1/messages", **headers: str) -> Plan:
        """The plan of the answer to a POST."""
        named = {"authorization": "", "x_api_key": "k", "anthropic_version": "2023-06-01", **headers}
        return self.plan(body, path, **named)

    def message(self, asked: Any = None, **fields: Any) -> Any:
        """The answer, which has to be a good one."""
        plan = self.messages(asked, **fields)
        assert plan.status == 200, answer_of(plan)
        return answer_of(plan)

    def refusal(self, asked: Any = None, **fields: Any) -> str:
        """The sentence of a 400."""
        plan = self.messages(asked, **fields)
        assert plan.status == 400, answer_of(plan)
        answer = answer_of(plan)
        assert answer["error"]["type"] == "invalid_request_error"
        return str(answer["error"]["message"])


class GeminiDesk(Desk):
    """Asks the simulator in Gemini's dialect."""

    def generate(
        self,
        asked: Any = "What is the weather in Seoul?",
        model: str = "gemini-2.5-flash",
        method: str = "generateContent",
        query: str = "",
        **fields: Any,
    ) -> Plan:
        """The plan of an answer; a text is what the user says."""
        contents = [{"role": "user", "parts": [{"text": asked}]}] if isinstance(asked, str) else asked
        body = {"contents": contents, **fields}
        return self.post(body, f"/v1beta/models/{model}:{method}", query)

    def post(self, body: object, path: str, query: str = "", **headers: str) -> Plan:
        """The plan of the answer to a POST."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"x-goog-api-key": "k", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.service.plan(Request("POST", path, query, named, data))

    def content(self, asked: Any = "What is the weather in Seoul?", **fields: Any) -> Any:
        """The answer, which has to be a good one."""
        plan = self.generate(asked, **fields)
        assert plan.status == 200, answer_of(plan)
        return answer_of(plan)

    def chunks(self, asked: Any = "What is the weather in Seoul?", **fields: Any) -> list[Any]:
        """The events of a stream."""
        plan = self.generate(asked, method="streamGenerateContent", query="alt=sse", **fields)
        assert plan.status == 200, answer_of(plan)
        return [json.loads(data) for _, data in events(plan)]

    def refusal(self, asked: Any = "Hello", **fields: Any) -> str:
        """The sentence of a 400."""
        plan = self.generate(asked, **fields)
        assert plan.status == 400, answer_of(plan)
        answer = answer_of(plan)
        assert answer["error"]["status"] == "INVALID_ARGUMENT"
        return str(answer["error"]["message"])


def events(plan: Plan) -> list[tuple[str, str]]:
    """The events of a stream: their names and their data."""
    return parse_events(unchunked(sent(plan).partition(b"\r\n\r\n")[2]).decode())


def parse_events(text: str) -> list[tuple[str, str]]:
    """Names and data of server-sent events; comments are passed over."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in lines:
            found.append((lines.get("event", ""), lines["data"]))
    return found


def places(value: Any, at: str = "") -> Iterator[str]:
    """The places a value has."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{at}.{name}"
            yield from places(below, f"{at}.{name}")
    for item in value if isinstance(value, list) else ():
        tag = f"<{item['type']}>" if isinstance(item, dict) and isinstance(item.get("type"), str) else ""
        yield from places(item, f"{at}[]{tag}")


def recorded(*names: str) -> Iterator[dict[str, Any]]:
    """The interactions of recordings, such as `ruby_llm/anthropic`."""
    for name in names:
        with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
