"""The response object: what was asked, repeated, around what was answered."""

from __future__ import annotations

from typing import Final

from madang.simulator.openai.responses_items import Output
from madang.simulator.openai.responses_requests import ResponsesRequest
from madang.simulator.openai.responses_shelf import Item
from madang.simulator.openai.sealed import response_id
from madang.simulator.vocabulary import ApiError, Stamp, Tokens

_NO_IMAGES: Final = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}
_ORDER: Final = (
    *("id", "object", "created_at", "status", "background", "billing", "completed_at", "error"),
    *("frequency_penalty", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls"),
    *("model", "moderation", "output", "parallel_tool_calls", "presence_penalty", "previous_response_id"),
    *("prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier"),
    *("store", "temperature", "text", "tool_choice", "tool_usage", "tools", "top_logprobs", "top_p"),
    *("truncation", "usage", "user", "metadata"),
)
"""The members in the order they were recorded in, August 2026."""


def begun(request: ResponsesRequest, stamp: Stamp) -> Item:
    """The response before anything is answered."""
    fields: Item = {
        **request.echo,
        "id": response_id(stamp),
        "object": "response",
        "created_at": stamp.created,
        "status": "queued" if request.background else "in_progress",
        "background": request.background,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": request.chat.model,
        "moderation": None,
        "output": [],
        "service_tier": "auto",
        "tool_usage": {"image_gen": _NO_IMAGES, "web_search": {"num_requests": 0}},
        "usage": None,
    }
    return {name: fields[name] for name in _ORDER if name in fields}


def finished(request: ResponsesRequest, answered: Output, stamp: Stamp, error: ApiError) -> Item:
    """The response when all is answered; `error` is what it says if it was asked to fail."""
    failed = answered.status == "failed"
    return {
        **begun(request, stamp),
        "status": answered.status,
        "completed_at": stamp.created if answered.status == "completed" else None,
        "error": shown_error(error) if failed else None,
        "incomplete_details": None if answered.reason is None else {"reason": answered.reason},
        "output": [] if failed else answered.items,
        "service_tier": request.chat.service_tier,
        "tool_usage": {"image_gen": _NO_IMAGES, "web_search": {"num_requests": answered.searches}},
        "usage": None if failed else usage(answered.tokens),
    }


def whole(response: Item) -> Item:
    """The response as it is when it is not streamed: it says who pays."""
    return {
        name: {"payer": "developer"} if name == "billing" else response[name]
        for name in _ORDER
        if name in response or name == "billing"
    }


def shown_error(error: ApiError) -> Item:
    """An error as a response holds it."""
    return {"code": error.code or error.kind, "message": error.message}


def usage(tokens: Tokens) -> Item:
    """The `usage` object."""
    return {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": tokens.cached},
        "output_tokens": tokens.completion,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.prompt + tokens.completion,
    }
