"""The body of a chat completion that is not streamed."""

from __future__ import annotations

import msgspec

from madang.simulator.openai.chat_parts import call_head, fingerprint, logprob, usage
from madang.simulator.vocabulary import Answer, ChatRequest, Choice, Stamp


def chat_body(request: ChatRequest, answer: Answer, stamp: Stamp, seed: int) -> bytes:
    """The completion, indented as OpenAI's are."""
    body = {
        "id": "chatcmpl-" + stamp.token,
        "object": "chat.completion",
        "created": stamp.created,
        "model": request.model,
        "choices": [_choice(request, choice, stamp, index) for index, choice in enumerate(answer.choices)],
        "usage": usage(answer.tokens),
        "service_tier": request.service_tier,
        "system_fingerprint": fingerprint(request.model, seed),
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


def _choice(request: ChatRequest, choice: Choice, stamp: Stamp, index: int) -> dict[str, object]:
    return {
        "index": index,
        "message": _message(choice, stamp, index),
        "logprobs": _logprobs(request, choice),
        "finish_reason": choice.finish,
    }


def _message(choice: Choice, stamp: Stamp, index: int) -> dict[str, object]:
    text = choice.text
    spoken = text if not choice.refused and (text or not choice.calls) else None
    message: dict[str, object] = {"role": "assistant", "content": spoken}
    if choice.calls:
        message["tool_calls"] = [
            call_head(call, stamp, index, at, call.arguments) for at, call in enumerate(choice.calls)
        ]
    message["refusal"] = text if choice.refused else None
    message["annotations"] = []
    return message


def _logprobs(request: ChatRequest, choice: Choice) -> dict[str, object] | None:
    if request.top_logprobs is None:
        return None
    listed = [logprob(request, piece, at) for at, piece in enumerate(choice.pieces)]
    return {"content": None, "refusal": listed} if choice.refused else {"content": listed, "refusal": None}
