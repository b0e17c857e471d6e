"""POST …:embedContent and …:batchEmbedContents."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from madang.simulator.dialect import Reply, Wishes
from madang.simulator.gemini.contents import Part, read_contents
from madang.simulator.gemini.errors import invalid
from madang.simulator.gemini.fields import Fields
from madang.simulator.gemini.requests import Target
from madang.simulator.vectors import vector

_KNOWN = ("model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig")
_USUAL, _MOST = 3072, 3072


class _Input(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...]
    size: int

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)


class Embedding(msgspec.Struct, frozen=True):
    """A request for vectors."""

    target: Target
    inputs: tuple[_Input, ...]
    batch: bool

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.target.model

    @property
    def text(self) -> str:
        """All inputs."""
        return "\n".join(entry.text for entry in self.inputs)

    @property
    def cost(self) -> int:
        """The input's tokens."""
        return sum(part.tokens for entry in self.inputs for part in entry.parts)

    @property
    def streamed(self) -> bool:
        """Never."""
        return False

    def reply(self, wishes: Wishes) -> Reply:
        """The vectors."""
        vectors = [{"values": vector(entry.text, entry.size, wishes.seed)} for entry in self.inputs]
        body: dict[str, object] = {"embeddings": vectors} if self.batch else {"embedding": vectors[0]}
        if self.model.startswith("gemini-embedding-2"):
            body["usageMetadata"] = self._usage()
        return Reply(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")

    def _usage(self) -> dict[str, object]:
        counted: dict[str, int] = {}
        for entry in self.inputs:
            for part in entry.parts:
                counted[part.modality] = counted.get(part.modality, 0) + part.tokens
        details = [{"modality": modality, "tokenCount": count} for modality, count in counted.items()]
        return {"promptTokenCount": self.cost, "promptTokenDetails": details}


def read_embeddings(fields: Fields, target: Target) -> Embedding:
    """A body as a request for vectors. Raises ApiError."""
    if target.method == "embedContent":
        return Embedding(target, (_input(fields),), batch=False)
    fields.refuse_unknown(("requests",))
    inputs = tuple(_inputs(fields))
    if not inputs:
        invalid("* BatchEmbedContentsRequest.requests: requests must not be empty\n")
    return Embedding(target, inputs, batch=True)


def _inputs(fields: Fields) -> Iterator[_Input]:
    for entry in fields.objects("requests"):
        yield _input(entry)


def _input(entry: Fields) -> _Input:
    entry.refuse_unknown(_KNOWN)
    if entry.section("content") is None:
        invalid("* EmbedContentRequest.content: contents is not specified\n")
    size = entry.integer("outputDimensionality")
    if size is not None and not 1 <= size <= _MOST:
        invalid(f"* EmbedContentRequest.output_dimensionality: must be in the range [1, {_MOST}].\n")
    contents = read_contents(Fields({"contents": entry.raw("content")}))
    return _Input(contents[0].parts, _USUAL if size is None else size)
