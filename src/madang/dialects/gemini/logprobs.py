"""Log probabilities: `logprobsResult`, whose two lists go side by side, token for token."""

from __future__ import annotations

from collections.abc import Sequence

from madang.core.messages import Extra, Json
from madang.core.responses import TokenLogprob
from madang.dialects.gemini.spelling import NAME, leftover
from madang.dialects.reading import note

FIELD = "logprobsResult"
_LISTS = ("chosenCandidates", "topCandidates")


def parse_logprobs(left: dict[str, Json]) -> tuple[TokenLogprob, ...]:
    """The tokens. What is left over of the result stays in `left`; all of it, where it is not as usual."""
    result = left.get(FIELD)
    if not isinstance(result, dict):
        return ()
    tops = result.get("topCandidates")
    found = []
    for place, one in enumerate(result.get("chosenCandidates") or ()):
        some = tops[place].get("candidates") if tops else None
        found.append(_parse_token(one, some))
    rest = {name: value for name, value in result.items() if name not in _LISTS}
    if not found or {**render_logprobs(found, {}), **rest} != result:
        return tuple(found)
    del left[FIELD]
    if rest:
        left[FIELD] = rest
    return tuple(found)


def render_logprobs(logprobs: Sequence[TokenLogprob], extra: Extra) -> dict[str, Json]:
    """The reverse."""
    out: dict[str, Json] = dict(leftover(extra, FIELD))
    out["chosenCandidates"] = [
        {"token": one.token, "logProbability": one.logprob, **leftover(one.extra, "chosen")}
        for one in logprobs
    ]
    if any(one.top for one in logprobs):
        out["topCandidates"] = [{"candidates": _render_top(one)} for one in logprobs]
    return out


def _parse_token(value: Json, top: Json) -> TokenLogprob:
    rest = value.copy()
    best = []
    ids = []
    for other in top or ():
        best.append((other["token"], other["logProbability"]))
        ids.append(other.get("tokenId"))
    token, logprob = rest.pop("token", ""), rest.pop("logProbability", 0.0)
    notes: dict[str, Json] = {"chosen": rest} if rest else {}
    if any(one is not None for one in ids):
        notes["$ids"] = ids
    return TokenLogprob(token, logprob, tuple(best), {NAME: notes} if notes else {})


def _render_token(one: TokenLogprob) -> dict[str, Json]:
    return {"token": one.token, "logProbability": one.logprob, **leftover(one.extra, "chosen")}


def _render_top(one: TokenLogprob) -> list[Json]:
    ids = note(one.extra, NAME, "ids") or ()
    out = []
    for place, (token, logprob) in enumerate(one.top):
        written: dict[str, Json] = {"token": token, "logProbability": logprob}
        if place < len(ids) and ids[place] is not None:
            written["tokenId"] = ids[place]
        out.append(written)
    return out
