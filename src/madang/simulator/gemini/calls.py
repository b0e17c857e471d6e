"""What a POST can ask of Gemini's API: content, or how many tokens a prompt has."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec

from madang.simulator.answers import last_said
from madang.simulator.dialect import Asked, Reply, Wishes
from madang.simulator.gemini.candidates import compose
from madang.simulator.gemini.embeddings import read_embeddings
from madang.simulator.gemini.errors import error_for, error_item, unknown_model
from madang.simulator.gemini.fields import Fields, read_object
from madang.simulator.gemini.rendering import Response, response_body, response_events
from madang.simulator.gemini.requests import GenerateRequest, Target, read_generate_request, read_target
from madang.simulator.request import Request


class Content(msgspec.Struct, frozen=True):
    """A request for content."""

    request: GenerateRequest
    as_array: bool = False

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.request.target.model

    @property
    def text(self) -> str:
        """The last user message."""
        return last_said(self.request.chat.turns)

    @property
    def cost(self) -> int:
        """What is taken from the token limit: Google limits what goes in."""
        return self.request.chat.prompt_tokens

    @property
    def streamed(self) -> bool:
        """Whether the answer is to be a stream."""
        return self.request.chat.stream

    def reply(self, wishes: Wishes) -> Reply:
        """The response, whole or in pieces."""
        answered = compose(self.request, wishes)
        response = Response(self.request, answered, wishes.stamp)
        if self.streamed:
            scripted = bool(wishes.script.stream)
            parts = response_events(response, array=self.as_array, scripted=scripted)
            if self.as_array and wishes.controls.error_after == 0:
                error = error_for(wishes.controls.error or 500, wishes.controls, self.model, "")
                parts = msgspec.structs.replace(parts, broken=[b"[" + error_item(error).removeprefix(b",")])
            return Reply(parts)
        return Reply(response_body(response), answered.tokens.completion)


class Count(msgspec.Struct, frozen=True):
    """A request to count tokens."""

    request: GenerateRequest

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.request.target.model

    @property
    def text(self) -> str:
        """The last user message."""
        return last_said(self.request.chat.turns)

    @property
    def cost(self) -> int:
        """Counting costs no tokens."""
        return 0

    @property
    def streamed(self) -> bool:
        """Never."""
        return False

    def reply(self, _: Wishes) -> Reply:
        """The number, and what it is made of."""
        details = self.request.details
        body = {
            "totalTokens": sum(details.values()),
            "promptTokensDetails": [
                {"modality": modality, "tokenCount": count} for modality, count in details.items()
            ],
        }
        return Reply(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")


def read_call(request: Request, _: bool) -> Asked:
    """A body as what its path says it is. Unknown fields are always refused. Raises ApiError."""
    target = read_target(request.path) or Target("", "", vertex=False)
    fields = read_object(request.body)
    match target.method:
        case "generateContent" | "streamGenerateContent":
            return Content(read_generate_request(fields, target), in_array(request))
        case "countTokens":
            return Count(read_generate_request(_to_count(fields), target))
        case "embedContent" | "batchEmbedContents":
            return read_embeddings(fields, target)
        case _:
            raise unknown_model(target.model, target.method)


def in_array(request: Request) -> bool:
    """Whether a stream is to come as a JSON array: unless events are asked for."""
    return parse_qs(request.query).get("alt") != ["sse"]


def _to_count(fields: Fields) -> Fields:
    return fields.section("generateContentRequest") or fields
