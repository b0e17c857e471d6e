"""Requests to the Messages API in every form: each comes out as it went in. `(name, body)`."""

from __future__ import annotations

from typing import Any

from tests.dialects.bad_anthropic import CALL, RESULT, TOOL, USER, asking, saying

PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
LINK = {
    "type": "web_search_result_location",
    "cited_text": "rain",
    "title": None,
    "url": "https://example.com/a",
    "encrypted_index": "Eo8B",
}
PLACE = {
    "type": "char_location",
    "cited_text": "rain",
    "document_index": 0,
    "document_title": "a.txt",
    "start_char_index": 3,
    "end_char_index": 7,
    "file_id": None,
}
SEARCHED = {
    "type": "search_result",
    "source": "https://example.com/a",
    "title": "Weather",
    "content": [{"type": "text", "text": "rain"}, {"type": "text", "text": "\n\nsun"}],
    "citations": {"enabled": True},
}


SAME: list[tuple[str, dict[str, Any]]] = [
    ("words", asking()),
    ("empty words", asking({"role": "user", "content": ""})),
    ("no blocks", asking({"role": "user", "content": []})),
    ("blocks of words", saying({"type": "text", "text": "a"}, {"type": "text", "text": ""})),
    ("a message with more to it", asking({**USER, "effort": "low", "id": None})),
    ("a system prompt", asking(system="be brief")),
    ("an empty system prompt", asking(system="")),
    ("a null system prompt", asking(system=None)),
    ("no system blocks", asking(system=[])),
    (
        "system blocks",
        asking(
            system=[
                {"type": "text", "text": "a"},
                {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
            ]
        ),
    ),
    ("a system message first", asking({"role": "system", "content": "be brief"}, USER)),
    (
        "a system message later",
        asking(USER, {"role": "system", "content": [{"type": "text", "text": "brief"}]}, system="s"),
    ),
    ("a mark", saying({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}})),
    ("a null mark", saying({"type": "text", "text": "a", "cache_control": None})),
    (
        "a mark of no time",
        saying({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": None}}),
    ),
    (
        "a mark with more",
        saying({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "scope": "global"}}),
    ),
    ("another kind of mark", saying({"type": "text", "text": "a", "cache_control": {"type": "lasting"}})),
    ("no citations", saying({"type": "text", "text": "a", "citations": []}, role="assistant")),
    ("null citations", saying({"type": "text", "text": "a", "citations": None}, role="assistant")),
    (
        "citations",
        saying(
            {
                "type": "text",
                "text": "a",
                "citations": [
                    LINK,
                    PLACE,
                    {**PLACE, "type": "page_location"},
                    {**PLACE, "type": "content_block_location", "document_title": None},
                    {
                        "type": "search_result_location",
                        "source": "https://a.example",
                        "title": None,
                        "cited_text": "x",
                        "search_result_index": 0,
                        "start_block_index": 0,
                        "end_block_index": 1,
                    },
                    {
                        "type": "search_result_location",
                        "source": "shelf 4",
                        "title": "t",
                        "cited_text": "x",
                        "search_result_index": 0,
                    },
                    {"type": "hearsay", "cited_text": 5},
                ],
            },
            role="assistant",
        ),
    ),
    ("an image", saying({"type": "image", "source": PNG})),
    (
        "an image elsewhere",
        saying({"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}),
    ),
    ("an uploaded image", saying({"type": "image", "source": {"type": "file", "file_id": "file_1"}})),
    (
        "an image with more",
        saying({"type": "image", "source": {**PNG, "detail": None}, "cache_control": {"type": "ephemeral"}}),
    ),
    ("an image of another kind", saying({"type": "image", "source": {"type": "painted", "colour": "blue"}})),
    (
        "a document",
        saying(
            {
                "type": "document",
                "source": {**PNG, "media_type": "application/pdf"},
                "title": "a.pdf",
                "context": "c",
                "citations": {"enabled": True},
            }
        ),
    ),
    (
        "a document of words",
        saying(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a"},
                "citations": {"enabled": False},
            }
        ),
    ),
    (
        "an uploaded document",
        saying(
            {
                "type": "document",
                "source": {"type": "file", "file_id": "file_1"},
                "title": None,
                "citations": None,
            }
        ),
    ),
    (
        "a document elsewhere",
        saying({"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}}),
    ),
    ("a document with a text", saying({"type": "document", "source": {"type": "content", "content": "a"}})),
    (
        "a document in pieces",
        saying(
            {
                "type": "document",
                "source": {
                    "type": "content",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b\n\n"}],
                },
            }
        ),
    ),
    ("a document of no pieces", saying({"type": "document", "source": {"type": "content", "content": []}})),
    (
        "a document with an image",
        saying(
            {"type": "document", "source": {"type": "content", "content": [{"type": "image", "source": PNG}]}}
        ),
    ),
    ("a search result", saying(SEARCHED)),
    ("a thought", saying({"type": "thinking", "thinking": "hm", "signature": "EqQB"}, role="assistant")),
    ("a hidden thought", saying({"type": "redacted_thinking", "data": "Emwk"}, role="assistant")),
    (
        "a call",
        saying({**CALL, "caller": {"type": "direct"}, "input": {"a": [1, 2.5, None]}}, role="assistant"),
    ),
    ("a result", saying(RESULT)),
    ("a result of nothing", saying({"type": "tool_result", "tool_use_id": "toolu_1"})),
    ("a null result", saying({**RESULT, "content": None})),
    ("an empty result", saying({**RESULT, "content": []})),
    ("a good result", saying({**RESULT, "is_error": False})),
    ("a bad result", saying({**RESULT, "is_error": True, "cache_control": {"type": "ephemeral"}})),
    (
        "a result of all kinds",
        saying(
            {
                **RESULT,
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image", "source": PNG},
                    SEARCHED,
                    {"type": "tool_reference", "tool_name": "g"},
                ],
            }
        ),
    ),
    (
        "what ran at Anthropic",
        saying(
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "a"}},
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_1",
                "content": [{"type": "web_search_result", "page_age": None}],
            },
            {"type": "container_upload", "file_id": "file_1"},
            {"type": "compaction", "content": None},
            role="assistant",
        ),
    ),
    ("a tool", asking(tools=[TOOL])),
    ("no tools", asking(tools=[])),
    (
        "tools of all kinds",
        asking(
            tools=[
                {**TOOL, "type": "custom", "description": "", "strict": True, "eager_input_streaming": None},
                {
                    "name": "g",
                    "input_schema": {"type": "object", "properties": {}},
                    "cache_control": {"type": "ephemeral", "ttl": "5m"},
                },
                {**TOOL, "type": None, "strict": False, "defer_loading": True},
                {"type": "web_search_20260318", "name": "web_search", "allowed_callers": ["direct"]},
            ]
        ),
    ),
    *[
        (f"the choice {choice}", asking(tools=[TOOL], tool_choice=choice))
        for choice in (
            {"type": "auto"},
            {"type": "auto", "disable_parallel_tool_use": True},
            {"type": "any", "disable_parallel_tool_use": False},
            {"type": "tool", "name": "f"},
            {"type": "none"},
            {"type": "any", "reason": "x"},
        )
    ],
    *[
        (f"the thinking {thinking}", asking(thinking=thinking))
        for thinking in (
            {"type": "enabled", "budget_tokens": 1024},
            {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
            {"type": "disabled"},
            {"type": "between_tools"},
            {"type": "adaptive"},
            {"type": "adaptive", "display": "summarized"},
            {"type": "adaptive", "display": None, "depth": 3},
            {"type": "adaptive", "display": "painted"},
            {"type": "dreaming", "of": "sheep"},
        )
    ],
    ("null thinking", asking(thinking=None)),
    ("an effort", asking(output_config={"effort": "max"})),
    ("an effort and thinking", asking(output_config={"effort": "low"}, thinking={"type": "adaptive"})),
    ("an empty configuration", asking(output_config={})),
    (
        "more configuration",
        asking(
            output_config={
                "effort": None,
                "task_budget": {"total": 5},
                "format": {"type": "json_schema", "schema": SCHEMA},
            }
        ),
    ),
    ("the older format", asking(output_format={"type": "json_schema", "schema": SCHEMA, "name": "n"})),
    (
        "both formats",
        asking(
            output_format={"type": "x"}, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}
        ),
    ),
    (
        "settings",
        asking(
            temperature=0.5, top_p=0.9, top_k=5, stop_sequences=["a", " "], stream=True, service_tier="auto"
        ),
    ),
    ("no settings", asking(temperature=None, stop_sequences=[], stream=False, service_tier=None)),
    ("a null stop", asking(stop_sequences=None, stream=None, tools=None, tool_choice=None)),
    ("a user", asking(metadata={"user_id": "u"})),
    ("a null user", asking(metadata={"user_id": None})),
    ("no metadata", asking(metadata={})),
    ("more metadata", asking(metadata={"user_id": "u", "team": 1})),
    (
        "what we have no word for",
        asking(
            container="c",
            mcp_servers=[{"type": "url"}],
            context_management={"edits": []},
            inference_geo="us",
            speed=None,
        ),
    ),
    ("nothing to be said", asking(max_tokens=0)),
]
