"""What the clients of each dialect do with an answer: put a stream together, and send the turn back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from madang.dialects.sse import Splitter, data_of

Back = Callable[[dict[str, Any]], dict[str, Any]]
"""From an answer to what an SDK asks next: the assistant's turn as it came, and the tools' results."""


def rebuilt_chat_back(answer: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    message = answer["choices"][0]["message"]
    kept = {name: message[name] for name in ("role", "content", "tool_calls") if name in message}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
        for call in message.get("tool_calls") or ()
    ]
    asked = {"role": "user", "content": "hi"}
    return {"model": "m", "messages": [asked, message if whole else kept, *results]}


def whole_chat_back(answer: dict[str, Any]) -> dict[str, Any]:
    return rebuilt_chat_back(answer, whole=True)


def _responses_back(answer: dict[str, Any]) -> dict[str, Any]:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "ok"}
        for item in answer["output"]
        if item["type"] == "function_call"
    ]
    return {"model": "m", "input": [{"role": "user", "content": "hi"}, *answer["output"], *results]}


def _anthropic_back(answer: dict[str, Any]) -> dict[str, Any]:
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    turns = [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": results}]
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}, *turns]}


def _named_gemini_back(answer: dict[str, Any]) -> dict[str, Any]:
    return _gemini_back(answer, ids=True)


def _gemini_back(answer: dict[str, Any], *, ids: bool = False) -> dict[str, Any]:
    content = answer["candidates"][0]["content"]
    results = []
    for part in content["parts"]:
        if "functionCall" in part:
            call = part["functionCall"]
            named = {"id": call["id"]} if ids and "id" in call else {}
            results.append(
                {"functionResponse": {**named, "name": call["name"], "response": {"output": "ok"}}}
            )
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            content,
            {"role": "user", "parts": results},
        ]
    }


BACK: dict[str, tuple[Back, ...]] = {
    # Frameworks rebuild the message from what they know; others send all of it.
    "openai_chat": (whole_chat_back, rebuilt_chat_back),
    "openai_responses": (_responses_back,),
    "anthropic": (_anthropic_back,),
    # `types.Part.from_function_response` of Google's SDK gives no id.
    "gemini": (_named_gemini_back, _gemini_back),
}


def gathered(dialect: str, stream: bytes) -> dict[str, Any]:
    """A stream as the whole answer that an SDK makes of it, as far as it is sent back."""
    events = [
        json.loads(data) for data in map(data_of, Splitter().feed(stream)) if data not in (b"", b"[DONE]")
    ]
    match dialect:
        case "openai_chat":
            return {"choices": [{"message": _chat_message(events)}]}
        case "openai_responses":
            response: dict[str, Any] = events[-1]["response"]
            return response
        case "anthropic":
            return {"content": _anthropic_content(events)}
        case "gemini":
            contents = [event["candidates"][0]["content"] for event in events if "candidates" in event]
            return {
                "candidates": [
                    {"content": {"role": "model", "parts": [p for c in contents for p in c["parts"]]}}
                ]
            }
    raise ValueError(dialect)


def _chat_message(events: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, Any]] = {}
    for delta in [event["choices"][0]["delta"] for event in events if event["choices"]]:
        for name in ("content", "reasoning_content"):
            if delta.get(name):
                message[name] = message.get(name, "") + delta[name]
        for detail in delta.get("reasoning_details") or ():
            _merge(message.setdefault("reasoning_details", []), detail)
        for call in delta.get("tool_calls") or ():
            known = calls.setdefault(call["index"], {"type": "function", "function": {"arguments": ""}})
            known.update({name: call[name] for name in ("id", "extra_content") if name in call})
            function = call.get("function") or {}
            known["function"]["arguments"] += function.get("arguments") or ""
            if function.get("name"):
                known["function"]["name"] = function["name"]
    message["tool_calls"] = list(calls.values())
    return message


def _merge(details: list[dict[str, Any]], more: dict[str, Any]) -> None:
    """OpenRouter's pieces of a thought: those of one index are one."""
    known = next((one for one in details if one.get("index") == more.get("index")), None)
    if known is None:
        details.append(more)
    else:
        text = known.get("text", "") + more.get("text", "")
        known.update(more)
        known["text"] = text


def _anthropic_content(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for event in events:
        if event["type"] == "content_block_start":
            content.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], content[event["index"]]
            match delta["type"]:
                case "input_json_delta":
                    block["json"] = block.get("json", "") + delta["partial_json"]
                case "citations_delta":
                    block.setdefault("citations", []).append(delta["citation"])
                case kind:
                    name = kind.removesuffix("_delta")
                    block[name] = block.get(name, "") + delta[name]
    for block in content:
        if (arguments := block.pop("json", None)) is not None:
            block["input"] = json.loads(arguments)
    return content
