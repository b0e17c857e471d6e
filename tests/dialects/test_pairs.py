"""From every dialect to every other and back: what is missing then is exactly what was declared.

The laws are in `translation.py`; what a dialect cannot express is declared in `dialects/losses.py`.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.core.errors import ProviderError
from madang.core.events import Event, Failure, explode
from madang.core.messages import Reasoning, ToolCall
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.features import of_request, of_response
from madang.dialects.losses import ANSWERS, FOREIGN, REQUESTS, find_in_answer
from tests.dialects import samples, translation
from tests.dialects.hub import DIALECTS, legal, requests, responses, streams
from tests.dialects.laws import events_of, guarded, parse, render, request_of, response_of
from tests.dialects.recorded import Recorded, of, recordings
from tests.dialects.translation import loop_fault, refusal


def is_signed_loop(response: Response) -> bool:
    parts = [part for candidate in response.candidates[:1] for part in candidate.parts]
    return any(isinstance(part, ToolCall) for part in parts) and any(
        isinstance(part, Reasoning | ToolCall) and part.signature is not None for part in parts
    )


LOOPS = {
    name: responses(signers=(name,), calls=True, media=False, logprobs=False, usage=False).filter(
        is_signed_loop
    )
    for name in DIALECTS
}
PAIRS = list(permutations(DIALECTS, 2))
recorded = pytest.mark.skipif(not recordings(), reason="the recordings are not there")

MADE_UP = requests(opaque=DIALECTS, shuffled=True, broken_arguments=True)
OWN_PARTS = ("openai_responses", "anthropic", "gemini")
"""Dialects that have parts in answers that nobody else knows."""
ANSWERED = responses(candidates=2, opaque=OWN_PARTS, shuffled=True, broken_arguments=True)


def told(faults: dict[str, str], asked: int) -> str:
    lines = [f"{name}\n    {fault[:1500]}" for name, fault in list(faults.items())[:8]]
    return f"{len(faults)} of {asked} do not:\n" + "\n".join(lines)


def name_of(one: Recorded) -> str:
    return f"{one.id} {one.provider} {one.case}"


@recorded
@pytest.mark.parametrize(("origin", "target"), PAIRS)
def test_a_recorded_request_loses_what_is_declared_and_nothing_else(origin: str, target: str) -> None:
    faults: dict[str, str] = {}
    refused: Counter[str] = Counter()
    there, back = CODECS[target], CODECS[origin]

    def fault(one: Recorded) -> str | None:
        request = request_of(one)
        if (problem := refusal(request, there)) is not None:
            refused[problem.message] += 1
            return None
        return translation.request_fault(request, there) or translation.return_fault(request, there, back)

    asked = of("request", origin)
    for one in asked:
        if found := guarded(fault)(one):
            faults[name_of(one)] = found
    assert not faults, told(faults, len(asked))
    assert sum(refused.values()) < len(asked) / 3, refused.most_common(5)


@recorded
@pytest.mark.parametrize(("origin", "target"), PAIRS)
def test_a_recorded_answer_loses_what_is_declared_and_nothing_else(origin: str, target: str) -> None:
    there = CODECS[target]

    def fault(one: Recorded) -> str | None:
        return translation.answer_fault(response_of(one), request_of(one), there)

    asked = of("answer", origin)
    faults = {name_of(one): found for one in asked if (found := guarded(fault)(one))}
    assert not faults, told(faults, len(asked))


@recorded
@pytest.mark.parametrize(("origin", "target"), PAIRS)
def test_a_recorded_stream_loses_what_is_declared_and_nothing_else(origin: str, target: str) -> None:
    there = CODECS[target]

    def fault(one: Recorded) -> str | None:
        return translation.stream_fault(list(events_of(one)), request_of(one), there)

    asked = of("stream", origin)
    faults = {name_of(one): found for one in asked if (found := guarded(fault)(one))}
    assert not faults, told(faults, len(asked))


@recorded
@pytest.mark.parametrize("client", DIALECTS)
def test_a_recorded_signed_loop_comes_back_from_any_client_and_goes_on(client: str) -> None:
    def fault(one: Recorded) -> str | None:
        there, back = CODECS[client], CODECS[one.dialect]
        return loop_fault(response_of(one), there, back, streamed=False) or loop_fault(
            response_of(one), there, back, streamed=True
        )

    asked = [one for one in of("answer") + of("stream") if is_signed_loop(response_of(one))]
    faults = {name_of(one): found for one in asked if (found := guarded(fault)(one))}
    assert len(asked) > 20
    assert not faults, told(faults, len(asked))


@pytest.mark.parametrize("target", DIALECTS)
def test_every_feature_alone_is_lost_as_declared_or_not_at_all(target: str) -> None:
    there = CODECS[target]
    faults = {}
    for name, request in samples.requests():
        if refusal(request, there) is None and (found := translation.request_fault(request, there)):
            faults[name] = found
    assert not faults, told(faults, len(list(samples.requests())))


@pytest.mark.parametrize("target", DIALECTS)
def test_every_feature_of_an_answer_alone_is_lost_as_declared_or_not_at_all(target: str) -> None:
    there, asked = CODECS[target], samples.asking()
    faults = {}
    for name, response in samples.answers():
        if found := translation.answer_fault(response, asked, there):
            faults[name] = found
        if found := translation.stream_fault(list(explode(response)), asked, there):
            faults[f"{name}, streamed"] = found
    assert not faults, told(faults, 2 * len(list(samples.answers())))


@pytest.mark.parametrize("target", DIALECTS)
def test_any_request_loses_what_is_declared_and_nothing_else(target: str) -> None:
    refused: Counter[bool] = Counter()

    @settings(max_examples=40)
    @given(MADE_UP)
    def hold(request: Request) -> None:
        problem = refusal(request, CODECS[target])
        refused[problem is not None] += 1
        if problem is None:
            found = translation.request_fault(request, CODECS[target])
            assert found is None, found
        else:
            translation.asked_through(CODECS[target], request)

    hold()
    assert refused[False] > 3


@pytest.mark.parametrize("target", DIALECTS)
@settings(max_examples=40)
@given(response=ANSWERED)
def test_any_answer_loses_what_is_declared_and_nothing_else(target: str, response: Response) -> None:
    asked = Request(model="m", messages=(), n=2)
    found = translation.answer_fault(response, asked, CODECS[target])
    assert found is None, found


@pytest.mark.parametrize("target", DIALECTS)
@settings(max_examples=40)
@given(events=streams(candidates=2))
def test_any_stream_loses_what_is_declared_and_nothing_else(target: str, events: list[Event]) -> None:
    asked = Request(model="m", messages=(), n=2, stream=True)
    found = translation.stream_fault(events, asked, CODECS[target])
    assert found is None, found


@pytest.mark.parametrize("target", DIALECTS)
@settings(max_examples=40)
@given(response=responses(opaque=OWN_PARTS, shuffled=True))
def test_a_streamed_answer_says_what_the_whole_one_says(target: str, response: Response) -> None:
    asked = Request(model="m", messages=())
    whole = translation.answered_through(CODECS[target], response, asked)
    streamed = translation.streamed_through(CODECS[target], explode(response), asked)
    # A stream may show what a whole answer cannot: in a chat completion, what was said after a call.
    lost = {loss.feature for loss in find_in_answer(response, target)}
    said, told_at_once = (
        translation.facts(fact for fact in of_response(one) if fact.feature not in lost)
        for one in (streamed, whole)
    )
    assert said == told_at_once


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("provider", DIALECTS)
def test_any_signed_loop_comes_back_from_any_client_and_goes_on(provider: str, client: str) -> None:
    @settings(max_examples=20)
    @given(LOOPS[provider], st.booleans())
    def hold(response: Response, streamed: bool) -> None:
        found = loop_fault(response, CODECS[client], CODECS[provider], streamed=streamed)
        assert found is None, found

    hold()


def test_no_declaration_is_never_true() -> None:
    """A rule that nothing can meet would promise a loss that does not exist."""
    asked = {fact.feature for _, request in samples.requests() for fact in of_request(request)}
    answered = {fact.feature for _, response in samples.answers() for fact in of_response(response)}
    asked |= {fact.feature for one in of("request") for fact in of_request(request_of(one))}
    empty = [
        f"{side} {dialect}: {pattern}"
        for side, columns, features in (("asks", REQUESTS, asked), ("answers", ANSWERS, answered))
        for dialect, column in columns.items()
        for pattern in column
        if not fnmatch.filter(features, pattern)
    ]
    assert "\n".join(empty) == ""
    assert all(pattern.endswith("*") or pattern.startswith("field:") for pattern in FOREIGN)


KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
ALIKE = {"conflict_error": "invalid_request_error", "overloaded_error": "api_error"}
"""Kinds that not every dialect tells apart from another."""


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize("origin", DIALECTS)
def test_an_error_is_told_with_its_sentence_and_kind_in_every_dialect(origin: str, target: str) -> None:
    there = CODECS[target]
    for status, kind in KINDS.items():
        sent = ProviderError("The sentence, 문장.", status=status, kind=kind)
        problem = CODECS[origin].parse_error(status, CODECS[origin].render_error(sent, "req_1"))
        assert (problem.status, problem.message, alike(problem)) == (status, sent.message, alike(sent)), (
            status
        )
        told = there.error_status(problem)
        found = there.parse_error(told, there.render_error(problem, "req_1"))
        assert (found.message, alike(found)) == (sent.message, alike(sent)), status
        assert told // 100 == status // 100


def alike(problem: ProviderError) -> str:
    return ALIKE.get(problem.kind, problem.kind)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"{", b"[]", b"null", b'{"error": null}', b"\xff"]
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_whatever_comes_with_an_error_becomes_a_sentence(dialect: str, body: bytes) -> None:
    problem = CODECS[dialect].parse_error(502, body)
    assert (problem.status, problem.message.endswith(".")) == (502, True)


@pytest.mark.parametrize("target", DIALECTS)
@settings(max_examples=40)
@given(events=streams(candidates=2), data=st.data())
def test_a_stream_that_breaks_is_told_as_broken_at_any_place(
    target: str, events: list[Event], data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(events) - 1))
    broken = [*events[:place], Failure(ProviderError("Too much to do.", status=529, kind="overloaded_error"))]
    asked = translation.answering(Request(model="m", messages=(), stream=True))
    found = legal(parse(CODECS[target], [render(CODECS[target], broken, asked)]))
    assert isinstance(found[-1], Failure)
    assert found[-1].error.message == "Too much to do."


MODELS = {
    "openai_chat": (
        "gpt-4o-mini",
        "gpt-5",
        "gpt-5.1",
        "gpt-5.6-terra",
        "o3",
        "mistral-large-latest",
        "deepseek-reasoner",
        "grok-4",
        "llama-3.3-70b",
    ),
    "openai_responses": (
        "gpt-4o-mini",
        "gpt-5",
        "gpt-5.1",
        "gpt-5.2-pro",
        "gpt-5.6",
        "o3",
        "gpt-5.2-chat-latest",
    ),
    "anthropic": (
        "claude-3-haiku-20240307",
        "claude-3-7-sonnet-latest",
        "claude-sonnet-4-5",
        "claude-opus-4-7",
    ),
    "gemini": (
        "gemini-3.1-pro-preview",
        "gemini-3-flash-preview",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "gemini-2.0-flash",
    ),
}


@pytest.mark.parametrize(
    ("target", "model"), [(name, model) for name, models in MODELS.items() for model in models]
)
def test_what_an_older_model_cannot_do_is_declared_for_it(target: str, model: str) -> None:
    there = CODECS[target]
    asked = [
        *samples.requests(),
        *[(name_of(one), request_of(one)) for one in of("request") if one.dialect != target],
    ]
    faults = {}
    for name, request in asked:
        if refusal(request, there) is None and (found := translation.request_fault(request, there, model)):
            faults[name] = found
    assert not faults, told(faults, len(asked))
