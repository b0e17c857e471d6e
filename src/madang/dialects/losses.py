"""What each dialect cannot express, and what then happens. Nothing else is lost, and nothing in silence.

A column is one dialect's: a pattern of feature names (`features.py`) → what happens to it there.
`drop`: it is left out, which changes no answer's meaning. `emulate`: it is said in another way.
`refuse`: leaving it out would change the meaning, so the call is refused with the reason.

Leftovers (`field:…`, `part:…`, …: members of one dialect that our form has no word for) are
dropped in every other dialect, unless the column of `FOREIGN` says that they matter.
The table in `docs/dialects.md` is printed from here: `python -m madang.dialects.losses`.
"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

import msgspec

from madang.core.errors import BadRequest
from madang.core.messages import Reasoning, ToolCall
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects.anthropic import limits as anthropic
from madang.dialects.features import KEPT, Fact, of_request, of_response, open_loop
from madang.dialects.gemini import limits as gemini
from madang.dialects.names import odd
from madang.dialects.openai_chat import limits as openai_chat
from madang.dialects.openai_responses import limits as openai_responses

Treatment = Literal["drop", "emulate", "refuse"]


class Rule(msgspec.Struct, frozen=True):
    """What happens to a feature in a dialect that cannot express it."""

    treatment: Treatment
    how: str
    """A sentence's second half: '`seed` is dropped: …'."""


class Loss(msgspec.Struct, frozen=True, order=True):
    """A feature that a call uses and a target's dialect cannot express."""

    feature: str
    treatment: Treatment
    how: str


Column = Mapping[str, Rule]


def drop(how: str) -> Rule:
    """It is left out, harmlessly."""
    return Rule("drop", how)


def emulate(how: str) -> Rule:
    """It is said in another way."""
    return Rule("emulate", how)


def refuse(how: str) -> Rule:
    """The call is refused."""
    return Rule("refuse", how)


OPENAI_CHAT: Column = {
    "developer": emulate("a developer's message is a system message, but for OpenAI's own models"),
    "assistant.*.*": refuse("an assistant's message can only be text here"),
    "assistant.order": emulate("tool calls come after everything else that the assistant said"),
    "reasoning.text": drop("only thoughts that this dialect signed are sent again"),
    "citation*.*": drop("citations of earlier answers are not sent again"),
    "cache": drop("OpenAI caches prompts by itself, without marks"),
    "tool_result.error": emulate("the result's text begins with 'Error: '"),
    "*image.file_id": refuse("images must be sent as data or by address here"),
    "*audio.url": refuse("audio must be sent as data here"),
    "*audio.file_id": refuse("audio must be sent as data here"),
    "*document.url": refuse("documents must be sent as data or as an uploaded file here"),
    "*document.text": emulate("a document's plain text is sent as text, its name before it"),
    "*video.*": refuse("chat completions take no video"),
    "tool.image.*": emulate("images follow the results in a message of the user's"),
    "tool.document.*": emulate("documents follow the results in a message of the user's"),
    "media.name.text": emulate("it stands before the document's text"),
    "media.cite": drop("chat completions cite no documents"),
    "metadata": drop("chat completions keep metadata only of answers that are stored"),
    "user.long": emulate("a name of more than 64 characters is told as its fingerprint"),
    "top_k*": drop("OpenAI has no top_k"),
    "reasoning.on": emulate("medium reasoning_effort is asked for"),
    "reasoning.effort.minimal": emulate("low reasoning_effort is asked for, but of OpenAI's own models"),
    "reasoning.effort.xhigh": emulate("high reasoning_effort is asked for, but of OpenAI's own models"),
    "reasoning.effort.max": emulate("high reasoning_effort is asked for, but of OpenAI's own models"),
    "reasoning.budget": emulate("the reasoning_effort that comes nearest is asked for"),
    "reasoning.show*": drop("a chat completion cannot say how much reasoning to show"),
    "output.json.unasked": emulate("the user asks for JSON in words too: OpenAI insists on the word"),
    "output.schema.unnamed": emulate("a schema must have a name here: it is called 'answer'"),
    "output.schema.strict.*": emulate("OpenAI holds answers to closed schemas without optional members"),
    "tool.strict.optional": drop("OpenAI holds arguments to schemas without optional members"),
}
"""Requests to chat completions."""

OPENAI_RESPONSES: Column = {
    "reasoning.budget": emulate("the nearest effort is asked for"),
    "reasoning.on": emulate("medium effort is asked for"),
    "reasoning.text": drop("only thoughts that its own provider has signed are sent back to it"),
    "max_tokens.below_16": emulate("an answer has 16 tokens at least here"),
    "user.long": emulate("a name of more than 64 characters is told as its fingerprint"),
    "top_k": drop("OpenAI has no top_k"),
    "top_k.with_reasoning": drop("OpenAI has no top_k"),
    "seed": drop("the Responses API has no seed"),
    "presence_penalty": drop("the Responses API has no penalties"),
    "frequency_penalty": drop("the Responses API has no penalties"),
    "stop": refuse("the Responses API has no stop sequences"),
    "stop.blank": refuse("the Responses API has no stop sequences"),
    "n": refuse("the Responses API gives one answer at a time"),
    "cache": drop("OpenAI caches prompts by itself, without marks"),
    "message.name": drop("speakers have no names here"),
    "tool_result.error": emulate("the result's text begins with 'Error: '"),
    "*video.*": refuse("the Responses API takes no films"),
    "*audio.*": refuse("the Responses API takes no sounds, as chat completions do"),
    "media.cite": drop("the Responses API cites no documents that are sent along"),
    "citation*.*": drop("citations of earlier answers are not sent again"),
    "output.json.unasked": emulate("the user asks for JSON in words too: OpenAI insists on the word"),
    "output.schema.unnamed": emulate("the schema is called 'response'"),
    "output.schema.strict.*": emulate("OpenAI holds answers to closed schemas without optional members"),
    "tool.strict.optional": drop("OpenAI holds arguments to schemas without optional members"),
}
"""Requests to the Responses API."""

ANTHROPIC: Column = {
    "system.position": emulate("system messages are put together before the conversation"),
    "developer": emulate("a developer's message is a system message here"),
    "message.name": drop("speakers have no names here"),
    "refusal": emulate("what a model said in refusing is sent as its words"),
    "citation*.*": drop("citations of earlier answers are sent again to whoever made them only"),
    "reasoning.text": drop("Anthropic takes back only thoughts that it has signed"),
    "media.detail": drop("images are always looked at closely"),
    "*audio.*": refuse("Anthropic takes no sounds"),
    "*video.*": refuse("Anthropic takes no films"),
    "assistant.*.*": refuse("an assistant's message can hold no images or documents here"),
    "max_tokens.unsaid": emulate("Anthropic must be told: 64,000, or what the model can say at most"),
    "temperature.above_one": emulate("the highest temperature is 1 here"),
    "temperature.with_reasoning": drop("Anthropic takes no temperature but 1 with thinking"),
    "top_p.with_reasoning": drop("Anthropic takes no top_p with thinking"),
    "top_k.with_reasoning": drop("Anthropic takes no top_k with thinking"),
    "stop.blank": drop("Anthropic refuses stop sequences that are only white space"),
    "seed": drop("Anthropic has no seed"),
    "presence_penalty": drop("Anthropic has no penalties"),
    "frequency_penalty": drop("Anthropic has no penalties"),
    "logprobs": drop("Anthropic tells no log probabilities"),
    "top_logprobs": drop("Anthropic tells no log probabilities"),
    "n": refuse("Anthropic gives one answer at a time"),
    "service_tier": drop("Anthropic's tiers are not those of others"),
    "user.long": emulate("a name of more than 64 characters is told as its fingerprint"),
    "user.personal": emulate("what may be an address or a number is told as its fingerprint"),
    "metadata": drop("Anthropic keeps nothing with a request but the user's name"),
    "tool_choice.some": emulate("only the tools named are offered, and one of them must be called"),
    "tool.strict.open": drop("Anthropic holds arguments to closed schemas only"),
    "reasoning.budget": emulate("the effort that comes nearest is asked for"),
    "reasoning.effort.minimal": emulate("low effort is asked for"),
    "reasoning.show.detail": emulate("a summary is asked for"),
    "output.json*": emulate("the system prompt asks for a JSON object"),
    "output.schema.open": emulate("objects are closed, and what cannot be enforced is told in descriptions"),
    "output.schema.name": drop("Anthropic's schemas have no names"),
    "output.schema.description": drop("Anthropic's schemas have no description beside them"),
    "output.schema.loose": emulate("Anthropic always holds answers to the schema"),
    "output.schema.strict.open": emulate("objects are closed"),
}
"""Requests to Anthropic's Messages API."""

GEMINI: Column = {
    "system.position": emulate("system messages are put together, before the conversation"),
    "developer": emulate("a developer's message is a system instruction here"),
    "message.name": drop("speakers have no names here"),
    "refusal": emulate("what a model said in refusing is sent as its words"),
    "citation*.*": drop("citations of earlier answers are not sent again"),
    "reasoning.text": drop("Gemini takes back only its own thoughts"),
    "cache": drop("Gemini caches prompts by itself, without marks"),
    "media.name.*": drop("files have no names here"),
    "media.detail": drop("how closely images are looked at is a setting for all of them here"),
    "media.cite": drop("Gemini cites no documents"),
    "tool_call.broken": emulate("arguments that are no JSON object are sent as a member of one"),
    "tool.bare": emulate("lists of which it is not said what they hold are of strings"),
    "tool.strict*": drop("functions cannot be held to their schemas one by one here"),
    "parallel_tools": drop("Gemini decides itself how many functions it calls at once"),
    "reasoning.budget": emulate(
        "the thinking level that comes nearest is asked for, of models that have levels"
    ),
    "reasoning.on": emulate("the thinking level high is asked for"),
    "reasoning.effort.xhigh": emulate("the thinking level high is asked for"),
    "reasoning.effort.max": emulate("the thinking level high is asked for"),
    "reasoning.show.detail": emulate("summaries of the thoughts are asked for"),
    "output.schema.name": emulate("Gemini's schemas have no names"),
    "output.schema.description": drop("Gemini's schemas have no description beside them"),
    "output.schema.loose": emulate("Gemini always holds answers to the schema"),
    "service_tier": drop("Gemini's tiers are not those of others"),
    "user*": drop("Gemini is not told the name of a client's user"),
    "metadata": drop("Gemini keeps nothing with a request"),
}
"""Requests to Gemini's generateContent."""

REQUESTS: Mapping[str, Column] = {
    "openai_chat": OPENAI_CHAT,
    "openai_responses": OPENAI_RESPONSES,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
}
"""By the provider's dialect: what of a request it cannot be asked."""

Limits = Mapping[str, tuple[Literal["drop", "emulate"], str] | None]
LIMITS: Mapping[str, Callable[[Request, str, frozenset[str]], Limits]] = {
    "anthropic": anthropic.limits,
    "gemini": gemini.limits,
    "openai_chat": openai_chat.limits,
    "openai_responses": openai_responses.limits,
}
"""By dialect: what a column cannot say, as it depends on the model: feature → its treatment, or `None`."""

TO_OPENAI_CHAT: Column = {
    "assistant.order": emulate("tool calls come after everything else that was said"),
    "citation_of_document.document": drop("sources are told by address, file, title and words"),
    "assistant.video.*": drop("an answer holds no films here"),
    "assistant.document.*": drop("an answer holds no documents here"),
    "stop.context": emulate("the finish_reason is length"),
    "stop.sequence": emulate("the finish_reason is stop, as of every finished answer"),
    "stop.sequence.text": drop("the stop sequence that was met is not told"),
    "stop.pause": emulate("the finish_reason is stop, as of every finished answer"),
    "stop.other": emulate("the finish_reason is stop, as of every finished answer"),
}
TO_OPENAI_RESPONSES: Column = {
    "candidates": drop("only the first answer is told"),
    "assistant.audio.*": drop("an answer holds no sounds here"),
    "stop.refusal.wordless": emulate("it is told as stopped by the content filter"),
    "stop.pause": emulate("the answer is told as incomplete"),
    "stop.other": emulate("the answer is told as completed"),
    "assistant.video.*": drop("an answer holds no films here"),
    "assistant.document.*": drop("an answer holds no documents here"),
    "stop.context": emulate("it is told as having reached max_output_tokens"),
    "stop.sequence": emulate("the answer is told as completed"),
    "stop.sequence.text": drop("there are no stop sequences here"),
    "citation*.quote": drop("a citation tells where its words stand, and not which they are"),
    "citation_of_document.document": drop("a document is told by its title"),
    "citation*.unplaced": emulate("a citation without a place is one of the whole text"),
    "usage.audio_input_tokens": drop("sounds are not counted apart"),
    "usage.audio_output_tokens": drop("sounds are not counted apart"),
}
TO_ANTHROPIC: Column = {
    "refusal": emulate("the words are the answer's text, and its stop reason is refusal"),
    "stop.refusal": emulate("the words are the answer's text, and its stop reason is refusal"),
    "assistant.*.*": drop("an answer can hold no images or documents here"),
    "citation_of_document.*": drop("only links are told; a place in a document says Anthropic itself only"),
    "citation.place": emulate("a citation is of a whole block of text here"),
    "candidates": drop("only the first answer is told"),
    "logprobs": drop("there are no log probabilities here"),
    "stop.filter": emulate("what a filter stopped is a refusal here"),
    "stop.other": emulate("the answer is told as finished"),
    "usage.audio_input_tokens": drop("sounds are not counted apart"),
    "usage.audio_output_tokens": drop("sounds are not counted apart"),
}
TO_GEMINI: Column = {
    "tool_call.broken": emulate("arguments that are no JSON object are told as a member of one"),
    "refusal": emulate("the words are the answer's text, and its stop reason is SAFETY"),
    "citation_of_document.file_id": drop("sources are told by address, title and words"),
    "citation_of_document.document": drop("sources are told by address, title and words"),
    "stop.sequence": emulate("the answer is told as finished"),
    "stop.sequence.text": drop("the stop sequence that was met is not told"),
    "stop.context": emulate("the answer is told to have reached its limit of tokens"),
    "stop.refusal*": emulate("a refusal is told as what a safety filter stopped"),
    "stop.pause": emulate("the answer is told to have stopped for another reason"),
    "usage.cache_write_tokens": drop("what was put into a cache is not counted here"),
}

ANSWERS: Mapping[str, Column] = {
    "openai_chat": TO_OPENAI_CHAT,
    "openai_responses": TO_OPENAI_RESPONSES,
    "anthropic": TO_ANTHROPIC,
    "gemini": TO_GEMINI,
}
"""By the client's dialect: what of an answer it cannot be told."""

FOREIGN: Column = {
    # Codex offers one with every request; alone, it is what the request is for.
    "server_tool.search.*": drop("a search at a provider that is offered beside other tools is left out"),
    "server_tool.*": refuse("the tool runs at that dialect's provider and nowhere else"),
    "opaque.item_reference.*": refuse("the item it refers to is kept at OpenAI"),
    "opaque.compaction*": refuse("the conversation it stands for can be read by its provider alone"),
    "opaque.*": drop("what that dialect's own tools did and found is known to it alone"),
    "field:openai_chat:audio": refuse("spoken answers are not translated"),
    "field:openai_chat:modalities": refuse("spoken answers are not translated"),
    "field:openai_chat:web_search_options": refuse("the search runs at OpenAI"),
    "field:openai_responses:background": refuse("the target keeps no answers to be fetched later"),
    "field:openai_responses:conversation": refuse("the conversation is kept at OpenAI"),
    "field:openai_responses:previous_response_id": refuse("the earlier answer is kept at OpenAI"),
    "field:openai_responses:prompt": refuse("the prompt is kept at OpenAI"),
    "field:openai_responses:tool_choice": refuse("this choice among tools is OpenAI's alone"),
    "field:openai_chat:tool_choice": refuse("this choice among tools is OpenAI's alone"),
    "field:anthropic:container": refuse("the container runs at Anthropic"),
    "field:anthropic:mcp_servers": refuse("the servers are called by Anthropic"),
    # Claude Code sends it with every request; without it the conversation is only longer.
    "field:anthropic:context_management": drop("nothing is taken out of the conversation elsewhere"),
    "field:anthropic:compaction": refuse("the conversation is summed up by Anthropic"),
    "field:anthropic:thread": refuse("the conversation is kept at Anthropic"),
    "field:gemini:cachedContent": refuse("the content is kept at Google"),
    "field:gemini:responseMimeType": refuse("answers in that form are Gemini's alone"),
    "field:gemini:responseModalities": refuse("answers in images or sound are not translated"),
}
"""Leftovers, opaque parts and provider-side tools that matter; all others are dropped."""

_MOST, _LONGEST = 50, 100
"""How many losses a header tells, and how many characters of each."""
_PLAIN = ":.$*"
_KEPT = tuple(f"opaque.{kind}" for kind in KEPT)
_OWNED = ("opaque", *_KEPT, "server_tool", "server_tool.search", "signature", "reasoning.text")
"""Features whose last word is the dialect they belong to; answers carry foreign signatures (`carry.py`)."""
_ODD_NAMES = Loss("tool.name", "emulate", "names that it does not take are told in another way")
_DROPPED = drop("it has no counterpart in the target's dialect")


def find(request: Request, dialect: str, model: str | None = None) -> list[Loss]:
    """What a request loses on its way to a dialect, sorted. Raises `BadRequest` where it must be refused.

    `model` is the target's own name of it: some models take less than the newest, which a column is about.
    """
    asked = _features(of_request(request))
    losses = _find(asked, dialect, "asks")
    if model is not None and dialect in LIMITS:
        losses = _limited(losses, LIMITS[dialect](request, model, asked))
    if odd(request, dialect):
        losses = sorted([*losses, _ODD_NAMES])
    for loss in losses:
        if loss.treatment == "refuse":
            raise _refusal(loss, dialect, request)
    if (problem := unportable(request, dialect)) is not None:
        raise problem
    return losses


def foreign_signatures(request: Request, dialect: str) -> list[Loss]:
    """The signatures of other dialects in a request of this one, which its own provider is not sent."""
    losses = _find(_features(of_request(request)), dialect, "asks")
    return [loss for loss in losses if loss.feature.startswith("signature.")]


def _limited(losses: list[Loss], limits: Limits) -> list[Loss]:
    """The losses, with what one model makes of some features in the place of what the column says."""
    if not limits:
        return losses
    exact = [Loss(name, *limit) for name, limit in limits.items() if limit is not None]
    return sorted([loss for loss in losses if loss.feature not in limits] + exact)


def find_in_answer(response: Response, dialect: str) -> list[Loss]:
    """What an answer loses on its way to a client's dialect, sorted; an answer is never refused."""
    several = look_up("candidates", dialect, "answers") is None
    return _find(_features(of_response(response, several=several)), dialect, "answers")


def table() -> str:
    """The columns as Markdown tables."""
    parts = []
    for title, columns in (("Requests", REQUESTS), ("Answers", ANSWERS)):
        for dialect, column in columns.items():
            rows = [f"| `{feature}` | {rule.treatment} | {rule.how} |" for feature, rule in column.items()]
            head = f"### {title} to `{dialect}`\n\n| feature | what happens | how |\n| --- | --- | --- |\n"
            parts.append(head + "\n".join(rows) + "\n")
    rows = [f"| `{feature}` | {rule.treatment} | {rule.how} |" for feature, rule in FOREIGN.items()]
    head = "### What belongs to one dialect\n\n| feature | what happens | how |\n| --- | --- | --- |\n"
    parts.append(head + "\n".join(rows) + "\n")
    return "\n".join(parts)


def header(losses: Iterable[Loss], of_answer: Iterable[Loss] = ()) -> str:
    """Losses as the value of `x-madang-losses`: `seed;drop, tool_result.error;emulate`.

    Members of an answer that only its own dialect has are told in one word for all of them: every
    provider keeps books of its own (`usage:gemini:*;drop`).

    Names that a client made up are told in ASCII (percent-encoded) and not at any length.
    """
    named = [(loss.feature[:_LONGEST], loss.treatment) for loss in losses]
    named += dict.fromkeys((_of_all(loss.feature), loss.treatment) for loss in of_answer)
    told = [f"{quote(name, safe=_PLAIN)};{treatment}" for name, treatment in named[:_MOST]]
    if len(named) > _MOST:
        told.append(f"and {len(named) - _MOST} more")
    return ", ".join(told)


def _of_all(feature: str) -> str:
    where = feature.split(":", 2)
    return f"{where[0]}:{where[1]}:*" if len(where) == 3 else feature


def _features(facts: Iterable[Fact]) -> frozenset[str]:
    return frozenset([fact.feature for fact in facts])


def _find(features: frozenset[str], dialect: str, side: str) -> list[Loss]:
    return sorted(loss for feature in features if (loss := look_up(feature, dialect, side)) is not None)


def look_up(feature: str, dialect: str, side: str) -> Loss | None:
    """What happens to a feature in a dialect, on the way there (`asks`) or in answers (`answers`)."""
    if ":" in feature:
        return _look_up_leftover(feature, dialect)
    return _look_up(feature, dialect, side)


def _look_up_leftover(feature: str, dialect: str) -> Loss | None:
    # Named by whoever wrote it: not held against patterns, and not kept; there may be a million.
    if feature.split(":", 2)[1] == dialect:
        return None
    rule = FOREIGN.get(feature, _DROPPED)
    return Loss(feature, rule.treatment, rule.how)


@lru_cache(maxsize=4096)
def _look_up(feature: str, dialect: str, side: str) -> Loss | None:
    owner = _owner(feature)
    if owner == dialect:
        return None
    rule = _match(feature, (REQUESTS if side == "asks" else ANSWERS)[dialect])
    if rule is None and owner is not None and not (side == "answers" and feature.startswith("signature.")):
        rule = _match(feature, FOREIGN) or _DROPPED
    return Loss(feature, rule.treatment, rule.how) if rule is not None else None


def _match(feature: str, column: Column) -> Rule | None:
    rule = column.get(feature)
    if rule is not None:
        return rule
    for pattern, rule in column.items():
        if "*" in pattern and fnmatch.fnmatchcase(feature, pattern):
            return rule
    return None


def _owner(feature: str) -> str | None:
    """The dialect a feature belongs to, if it belongs to one."""
    where, _, owner = feature.rpartition(".")
    return owner if where in _OWNED and owner != "None" else None


def _refusal(loss: Loss, dialect: str, request: Request) -> BadRequest:
    named = ""
    if loss.feature.startswith("server_tool."):
        tools = {fact.value for fact in of_request(request) if fact.feature == loss.feature}
        named = f" ({', '.join(sorted(tools))[:_LONGEST]})"
    return BadRequest(
        f"This request cannot be sent to the target, whose dialect is {dialect}: "
        f"it uses '{loss.feature}'{named}, and {loss.how}.",
        code="not_expressible",
        param=loss.feature.rpartition(":")[2] if ":" in loss.feature else None,
    )


def unportable(request: Request, dialect: str) -> BadRequest | None:
    """Why a tool loop that is open cannot go on in a dialect: another one's provider has signed it."""
    for part in open_loop(request):
        if (
            isinstance(part, Reasoning | ToolCall)
            and part.signature is not None
            and part.signer not in (dialect, None)
        ):
            return BadRequest(
                f"A tool loop is open whose reasoning was signed for {part.signer}, and the target speaks "
                f"{dialect}, which cannot carry that signature. Finish the loop with the model that began "
                "it, or leave its reasoning and tool calls out.",
                code="signature_not_portable",
            )
    return None


if __name__ == "__main__":
    sys.stdout.write(table())
