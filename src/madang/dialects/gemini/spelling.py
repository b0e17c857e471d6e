"""Two spellings and one: the API takes `inlineData` and `inline_data`, and an object for a list of one.

Members are read under their camelCase names and as lists. How they came is noted (`$snake`,
`$single`), so that they go back as they came. What is read of one object, nested ones included,
shares its notes, and their names differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from madang.core.messages import Extra, Json
from madang.dialects.reading import Members, bad_value, note, wrong

NAME = "gemini"

_SPELT = (
    "allowedFunctionNames",
    "cachedContent",
    "candidateCount",
    "codeExecution",
    "codeExecutionResult",
    "displayName",
    "executableCode",
    "fileData",
    "fileUri",
    "frequencyPenalty",
    "functionCall",
    "functionCallingConfig",
    "functionDeclarations",
    "functionResponse",
    "generateContentRequest",
    "generationConfig",
    "googleMaps",
    "googleSearch",
    "googleSearchRetrieval",
    "imageConfig",
    "includeThoughts",
    "inlineData",
    "maxOutputTokens",
    "mediaResolution",
    "mimeType",
    "outputDimensionality",
    "parametersJsonSchema",
    "partialArgs",
    "presencePenalty",
    "responseFormat",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "safetySettings",
    "serviceTier",
    "speechConfig",
    "stopSequences",
    "systemInstruction",
    "taskType",
    "thinkingBudget",
    "thinkingConfig",
    "thinkingLevel",
    "thoughtSignature",
    "toolConfig",
    "topK",
    "topP",
    "urlContext",
    "videoMetadata",
    "willContinue",
)
_SNAKE = {name: re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in _SPELT}
_CAMEL = {snake: camel for camel, snake in _SNAKE.items()}


def camel(name: str) -> str:
    """A member's name as it is read."""
    return _CAMEL.get(name, name)


class Spelled(Members):
    """An object being read whose members may be spelt in two ways."""

    __slots__ = ("single", "snake")

    def __init__(self, value: Json, path: str = "", scope: Spelled | None = None) -> None:
        super().__init__(value, path)
        self.snake: list[str] = scope.snake if scope is not None else []
        self.single: list[str] = scope.single if scope is not None else []
        for name in value:
            if "_" in name and name in _CAMEL and _CAMEL[name] not in value:
                self.left[_CAMEL[name]] = self.left.pop(name)
                self.snake.append(_CAMEL[name])

    def at(self, name: str) -> str:
        """The path of a member, as the client spelt it."""
        return super().at(_SNAKE[name] if name in self.snake else name)

    def members(self, name: str) -> Spelled | None:
        """An object to be read in its turn, or `None`; its notes are this one's."""
        value = self.left.get(name)
        if value is None:
            return None
        found = Spelled(value, self.at(name), self)
        del self.left[name]
        return found

    def listed(self, name: str) -> list[Json] | None:
        """A list as it is, or `None`; the API takes an object for a list of it, as its docs once wrote."""
        value = self.left.get(name)
        if isinstance(value, dict):
            self.single.append(name)
            del self.left[name]
            return [value]
        return self.items(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an empty one is left over."""
        value = self.left.get(name)
        if not value and isinstance(value, list | None):
            return ()
        if not isinstance(value, list):
            raise wrong(self.at(name), value, "a list of strings")
        for number, one in enumerate(value):
            if not isinstance(one, str):
                raise wrong(f"{self.at(name)}.{number}", one, "a string")
        del self.left[name]
        return tuple(value)

    def keep(self, name: str, nested: Members) -> None:
        """Put what is left over of a nested object among what is left over here."""
        if nested.left:
            self.left[name] = nested.left

    def extra(self, dialect: str, **notes: Json) -> Extra:
        """What is left over, with the notes on spelling."""
        if self.snake:
            notes["snake"] = self.snake
        if self.single:
            notes["single"] = self.single
        return super().extra(dialect, **notes)


def leftover(extra: Extra, name: str) -> dict[str, Json]:
    """What was left over of a nested object."""
    found = extra.get(NAME, {}).get(name)
    return found if isinstance(found, dict) else {}


def respell(extra: Extra, *objects: dict[str, Json]) -> None:
    """Spell the members of rendered objects as they came."""
    if NAME not in extra:
        return
    for name in note(extra, NAME, "single") or ():
        for rendered in objects:
            if isinstance(rendered.get(name), list) and len(rendered[name]) == 1:
                rendered[name] = rendered[name][0]
    for name in note(extra, NAME, "snake") or ():
        for rendered in objects:
            if name in rendered:
                rendered[_SNAKE[name]] = rendered.pop(name)


def one_of(block: Members, name: str, known: Iterable[str]) -> str | None:
    """A word in capitals that may be written in small letters too; it is left in place."""
    word = block.left.get(name)
    if word is None:
        return None
    if not isinstance(word, str):
        raise wrong(block.at(name), word, "a string")
    if word.upper() not in known:
        raise bad_value(block.at(name), word, " or ".join(known))
    return word.upper()
