"""Tools that Google runs: a search that always finds the same, and code that always says the same."""

from __future__ import annotations

from madang.simulator.gemini.bits import Bit
from madang.simulator.phrases import phrases_for, topic_words
from madang.simulator.signing import sign
from madang.simulator.vocabulary import Stamp

_SEARCHES = frozenset(("googleSearch", "googleSearchRetrieval"))
_CODE = "print(6 * 7)\n"
_OUTPUT = "42\n"
_PER_TOOL = 60


def tool_tokens_of(tools: frozenset[str]) -> int:
    """What the tools' results add to the prompt."""
    return _PER_TOOL * len(tools & (_SEARCHES | {"codeExecution"}))


def code_bits(tools: frozenset[str], stamp: Stamp, *, signed: bool, ids: bool) -> list[Bit]:
    """The code that was run, and what came out."""
    if "codeExecution" not in tools:
        return []
    name: dict[str, object] = {"id": f"call_{stamp.token[-5:]}"} if ids else {}
    code: dict[str, object] = {"executableCode": {"language": "PYTHON", "code": _CODE, **name}}
    if signed:
        code["thoughtSignature"] = sign("", _CODE, stamp.token)
    result: dict[str, object] = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": _OUTPUT, **name}}
    return [Bit(code, 4), Bit(result, 2)]


def grounded(tools: frozenset[str], asked: str, text: str) -> dict[str, object]:
    """What a search has found, and which words rest on it."""
    if not tools & _SEARCHES or not text:
        return {}
    topic = (topic_words(asked) or [phrases_for(asked).topic])[0]
    first = text.partition(". ")[0]
    end = len(first.encode("utf-8", "surrogatepass"))
    chunks = [
        {"web": {"uri": f"https://example.com/{number}", "title": f"example.com/{number}"}}
        for number in (1, 2)
    ]
    support = {
        "segment": {"startIndex": 0, "endIndex": end, "text": first},
        "groundingChunkIndices": [0, 1],
    }
    chip = f'<div class="container"><a class="chip" href="https://example.com/search">{topic}</a></div>'
    metadata = {
        "searchEntryPoint": {"renderedContent": chip},
        "groundingChunks": chunks,
        "groundingSupports": [support],
        "webSearchQueries": [topic],
    }
    return {"groundingMetadata": metadata}
