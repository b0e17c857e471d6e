"""POST /v1/moderations: flags by a short list of words, in Korean and English."""

from __future__ import annotations

import msgspec

from madang.simulator.dialect import Reply, Wishes
from madang.simulator.dice import Dice
from madang.simulator.openai.fields import Fields, invalid, read_object, wrong_type
from madang.simulator.request import Request
from madang.simulator.tokens import estimate

_CATEGORIES = (
    *("harassment", "harassment/threatening", "sexual", "hate", "hate/threatening", "illicit"),
    *("illicit/violent", "self-harm/intent", "self-harm/instructions", "self-harm", "sexual/minors"),
    *("violence", "violence/graphic"),
)
_WORDS = {
    "violence": ("kill", "murder", "stab", "죽이", "살인", "폭행"),
    "harassment": ("idiot", "loser", "shut up", "멍청이", "닥쳐"),
    "hate": ("subhuman", "vermin", "인간쓰레기"),
    "self-harm": ("suicide", "hurt myself", "자살", "자해"),
    "sexual": ("porn", "explicit sex", "포르노"),
    "illicit": ("build a bomb", "buy drugs", "폭탄 만드", "마약 구"),
}
_IMAGE_CATEGORIES = frozenset(
    ("sexual", "self-harm", "self-harm/intent", "self-harm/instructions", "violence", "violence/graphic")
)
"""Those OpenAI looks for in pictures; every category is looked for in text."""
_DEFAULT_MODEL = "omni-moderation-latest"


class _Item(msgspec.Struct, frozen=True):
    text: str
    kinds: tuple[str, ...]


class Moderation(msgspec.Struct, frozen=True):
    """A request to look texts through."""

    model: str
    items: tuple[_Item, ...]

    @property
    def text(self) -> str:
        """All inputs."""
        return "\n".join(item.text for item in self.items)

    @property
    def cost(self) -> int:
        """The input's tokens."""
        return estimate(self.text)

    @property
    def streamed(self) -> bool:
        """Never."""
        return False

    def reply(self, wishes: Wishes) -> Reply:
        """A verdict per input."""
        results = [_verdict(item, wishes.seed) for item in self.items]
        body = {"id": "modr-" + wishes.stamp.token, "model": self.model, "results": results}
        return Reply(msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n")


def _verdict(item: _Item, seed: int) -> dict[str, object]:
    lower, dice = item.text.lower(), Dice(seed, item.text)
    found = {name for name, words in _WORDS.items() if any(word in lower for word in words)}
    scores = {
        name: round(0.8 + 0.19 * dice.unit() if name in found else 0.0005 * dice.unit(), 9)
        for name in _CATEGORIES
    }
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in _CATEGORIES},
        "category_scores": scores,
        "category_applied_input_types": {name: _applied(name, item.kinds) for name in _CATEGORIES},
    }


def _applied(category: str, kinds: tuple[str, ...]) -> list[str]:
    return [kind for kind in kinds if kind == "text" or category in _IMAGE_CATEGORIES]


def read_moderation(request: Request, strict: bool) -> Moderation:
    """A body as a moderation request. Raises ApiError."""
    fields = read_object(request.body)
    if strict:
        fields.refuse_unknown(("model", "input"))
    fields.required("input")
    return Moderation(fields.text("model") or _DEFAULT_MODEL, _items(fields))


def _items(fields: Fields) -> tuple[_Item, ...]:
    value = fields.raw("input")
    if isinstance(value, str):
        return (_Item(value, ("text",)),)
    entries = fields.array("input", "one of a string, array of strings or array of objects", least=1)
    if entries is None:
        wrong_type("input", "a string or an array", None)
    if all(isinstance(entry, str) for entry in entries):
        return tuple(_Item(str(entry), ("text",)) for entry in entries)
    return (_mixed(list(fields.objects("input"))),)


def _mixed(parts: list[Fields]) -> _Item:
    """Texts and pictures that are judged together."""
    texts: list[str] = []
    kinds: list[str] = []
    for part in parts:
        part.required("type")
        kind = part.one_of("type", ("text", "image_url"))
        if kind == "text":
            part.required("text")
            texts.append(part.text("text") or "")
            kinds.append("text")
        elif part.section("image_url") is None:
            invalid(
                f"Missing required parameter: '{part.path('image_url')}'.",
                part.path("image_url"),
                "missing_required_parameter",
            )
        else:
            kinds.append("image")
    return _Item("\n".join(texts), tuple(dict.fromkeys(kinds)))
