"""A response on the wire: as one body, as the events of a stream, or as an array that comes in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from madang.simulator.dialect import StreamParts
from madang.simulator.gemini.bits import Bit, Json
from madang.simulator.gemini.candidates import Answered, Candidate
from madang.simulator.gemini.requests import GenerateRequest
from madang.simulator.vocabulary import Stamp

_encode = msgspec.json.encode
EVENTS: Final = "text/event-stream"
ARRAY: Final = "application/json; charset=UTF-8"
_COMMA = b",\r\n"


class Response(msgspec.Struct, frozen=True):
    """What is known when a response is rendered."""

    request: GenerateRequest
    answered: Answered
    stamp: Stamp


def response_body(response: Response) -> bytes:
    """The response, whole, indented as Google's are."""
    answered = response.answered
    candidates = [_whole(response, candidate, at) for at, candidate in enumerate(answered.candidates)]
    said = sum(
        bit.tokens for candidate in answered.candidates for bit in (*candidate.prelude, *candidate.spoken)
    )
    shown = _shown(response, candidates, _usage(response, said))
    return msgspec.json.format(_encode(shown), indent=2) + b"\n"


def _whole(response: Response, candidate: Candidate, index: int) -> Json:
    bits = (*candidate.prelude, *candidate.spoken)
    parts = _joined([bit.part for bit in bits])
    if candidate.signature is not None and parts:
        parts[-1] = {**parts[-1], "thoughtSignature": candidate.signature}
    return _candidate(response, parts, index, {**candidate.closing, **_all_logprobs(bits)})


def _joined(parts: Sequence[Json]) -> list[Json]:
    """Texts in a row are one part; thoughts and words are told apart."""
    joined: list[Json] = []
    for part in parts:
        last = joined[-1] if joined else {}
        if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
            joined[-1] = {**last, "text": f"{last['text']}{part['text']}"}
        else:
            joined.append(part)
    return joined


def _all_logprobs(bits: Sequence[Bit]) -> Json:
    found = [bit.about["logprobsResult"] for bit in bits if "logprobsResult" in bit.about]
    results = [result for result in found if isinstance(result, dict)]
    if not results:
        return {}
    values = [float(str(bit.about["avgLogprobs"])) for bit in bits if "avgLogprobs" in bit.about]
    merged = {name: [entry for result in results for entry in result[name]] for name in results[0]}
    return {"avgLogprobs": sum(values) / len(values), "logprobsResult": merged}


def _candidate(response: Response, parts: Sequence[Json], index: int, about: Json) -> Json:
    vertex = response.request.target.vertex
    if "safetyRatings" in about:
        shown: dict[str, object] = dict(about)
    else:
        content: dict[str, object] = {"parts": list(parts), "role": "model"} if parts else {"role": "model"}
        shown = {"content": content, **about}
    if vertex:
        shown.pop("finishMessage", None)
        return shown
    return {**shown, "index": index}


def _shown(response: Response, candidates: Sequence[Json], usage: Json) -> Json:
    blocked: dict[str, object] = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    shown: dict[str, object] = blocked if response.answered.blocked else {"candidates": candidates}
    shown |= {"usageMetadata": usage, "modelVersion": response.request.target.model}
    if response.request.target.vertex:
        created = datetime.fromtimestamp(response.stamp.created, UTC)
        shown["createTime"] = created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return {**shown, "responseId": response.stamp.token[-22:]}


def _usage(response: Response, said: int) -> Json:
    request, answered = response.request, response.answered
    said = said if answered.said is None else answered.said
    tokens, thought = answered.tokens, answered.tokens.reasoning
    tools = answered.tool_tokens
    usage: dict[str, object] = {"promptTokenCount": tokens.prompt}
    if not answered.blocked:
        usage["candidatesTokenCount"] = said
    usage["totalTokenCount"] = tokens.prompt + said + thought + tools
    if tokens.cached:
        usage["cachedContentTokenCount"] = tokens.cached
    if request.target.vertex:
        usage["trafficType"] = "ON_DEMAND"
    usage["promptTokensDetails"] = _details(_matching(request.details, tokens.prompt))
    if request.target.vertex and not answered.blocked:
        usage["candidatesTokensDetails"] = _details({"TEXT": said})
    if tokens.cached:
        usage["cacheTokensDetails"] = _details({"TEXT": tokens.cached})
    if tools:
        usage["toolUsePromptTokenCount"] = tools
        usage["toolUsePromptTokensDetails"] = _details({"TEXT": tools})
    if thought:
        usage["thoughtsTokenCount"] = thought
    return usage if request.target.vertex else {**usage, "serviceTier": "standard"}


def _matching(details: dict[str, int], prompt: int) -> dict[str, int]:
    """A scripted prompt's size falls to its text."""
    others = sum(details.values()) - details["TEXT"]
    return {**details, "TEXT": max(0, prompt - others)}


def _details(counted: dict[str, int]) -> list[Json]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counted.items()]


# Streams.


def response_events(response: Response, *, array: bool, scripted: bool) -> StreamParts:
    """The stream: every bit is an event; the last carries why it finished."""
    opening, deltas, closing = _chunks(response, scripted=scripted)
    if not array:
        first, second, third = ([_event(chunk) for chunk in run] for run in (opening, deltas, closing))
        return StreamParts(first, second, third, kind=EVENTS, verbatim=True)
    first, second, third = ([_COMMA + _encode(chunk) for chunk in run] for run in (opening, deltas, closing))
    begin = first or second or third
    begin[0] = b"[" + begin[0].removeprefix(_COMMA)
    return StreamParts(first, second, third, done=b"\n]", kind=ARRAY, verbatim=True)


def _event(chunk: Json) -> bytes:
    return b"data: " + _encode(chunk) + b"\r\n\r\n"


def _chunks(response: Response, *, scripted: bool) -> tuple[list[Json], list[Json], list[Json]]:
    counter = _Counter(response)
    candidates = list(enumerate(response.answered.candidates))
    if not candidates:
        return [], [], [_shown(response, [], _usage(response, 0))]
    opening = [counter.chunk(bit, index) for index, one in candidates for bit in one.prelude]
    runs = [list(_spoken(one, index, held=scripted)) for index, one in candidates]
    deltas = [counter.chunk(bit, index, closing) for index, bit, closing in _in_turns(runs)]
    left = [
        (index, one) for index, one in candidates if scripted or one.signature is not None or not one.spoken
    ]
    closing = [counter.finish(one, index, last=one is left[-1][1]) for index, one in left]
    return opening, deltas, closing


def _spoken(candidate: Candidate, index: int, *, held: bool) -> Iterator[tuple[int, Bit, Json]]:
    """The words; the last of them says why it finished, unless that is held back for an event of its own."""
    last = len(candidate.spoken) - 1
    for at, bit in enumerate(candidate.spoken):
        ends = at == last and not held and candidate.signature is None
        yield index, bit, candidate.closing if ends else {}


class _Counter:
    """Counts what was said so far: every event carries the usage up to it."""

    def __init__(self, response: Response) -> None:
        self._response, self._said = response, 0
        self._silent = _usage(response, 0)
        answered = response.answered
        self._unsaid = answered.tokens.prompt + answered.tokens.reasoning + answered.tool_tokens

    def chunk(self, bit: Bit, index: int, closing: Json | None = None) -> Json:
        """An event with a bit of a candidate."""
        self._said += bit.tokens
        candidate = _candidate(self._response, [bit.part], index, {**(closing or {}), **bit.about})
        return _shown(self._response, [candidate], self._usage(last=bool(closing)))

    def finish(self, candidate: Candidate, index: int, *, last: bool) -> Json:
        """The event that ends a candidate: with its signature, or with nothing more to say."""
        parts: list[Json] = []
        if candidate.signature is not None:
            parts = [{"text": "", "thoughtSignature": candidate.signature}]
        shown = _candidate(self._response, parts, index, candidate.closing)
        return _shown(self._response, [shown], self._usage(last=last))

    def _usage(self, *, last: bool) -> Json:
        """Vertex AI tells the usage in the last event only."""
        if self._response.request.target.vertex and not last:
            return {"trafficType": "ON_DEMAND"}
        if last:
            return _usage(self._response, self._said)
        return {
            **self._silent,
            "candidatesTokenCount": self._said,
            "totalTokenCount": self._unsaid + self._said,
        }


def _in_turns(runs: list[list[tuple[int, Bit, Json]]]) -> Iterator[tuple[int, Bit, Json]]:
    """One bit of each candidate, again and again, until all are empty."""
    for at in range(max(map(len, runs))):
        for run in runs:
            if at < len(run):
                yield run[at]
