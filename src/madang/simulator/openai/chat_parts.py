"""Pieces that whole answers and streams of chat completions have in common."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from madang.simulator.dice import Dice
from madang.simulator.vocabulary import ChatRequest, Stamp, Tokens, ToolCall


def usage(tokens: Tokens) -> dict[str, object]:
    """The `usage` object."""
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


@lru_cache(256)
def fingerprint(model: str, seed: int) -> str:
    """The `system_fingerprint`: the same for the same model and the simulator's seed."""
    return "fp_" + blake2b(f"{model}\x1f{seed}".encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def call_id(stamp: Stamp, choice: int, index: int) -> str:
    """The id of a tool call: `call_` and 24 characters."""
    return f"call_{stamp.token[-18:]}{choice:03d}{index:03d}"


def call_head(call: ToolCall, stamp: Stamp, choice: int, index: int, arguments: str) -> dict[str, object]:
    """A tool call with the arguments given."""
    function = {"name": call.name, "arguments": arguments}
    return {"id": call_id(stamp, choice, index), "type": "function", "function": function}


def logprob(request: ChatRequest, piece: str, at: int) -> dict[str, object]:
    """The log probability of a piece and of its alternatives, which are less likely and no real words."""
    dice = Dice(piece, at)
    value = -round(dice.unit() ** 4, 6)
    tops = [_top(piece, value)] if request.top_logprobs else []
    tops += [
        _top(f"{piece}~{rank}", round(value - rank - dice.unit(), 6))
        for rank in range(1, request.top_logprobs or 0)
    ]
    return {**_top(piece, value), "top_logprobs": tops}


def _top(piece: str, value: float) -> dict[str, object]:
    return {"token": piece, "logprob": value, "bytes": list(piece.encode("utf-8", "surrogatepass"))}
