"""A value that follows a JSON schema: for tool arguments and structured answers.

Covers what OpenAI's strict mode takes: objects, arrays, strings (format, pattern, length), numbers
(bounds, multiples), enum, const, anyOf/oneOf/allOf, `$ref` into the schema itself, recursion.
Not here: `not`, `if`/`then`, `patternProperties`, `dependentSchemas`; they are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from madang.simulator.dice import Dice
from madang.simulator.pattern_fill import fill_pattern

Schema = Mapping[str, object]

_DEEP = 4
"""Below this many levels only what is required is filled, so that recursive schemas end."""
_DEEPEST = 40
_WORDS = ("river", "amber", "north", "willow", "copper", "harbor", "meadow", "lantern")
_FORMATS = {
    "date-time": "2026-03-14T09:26:53Z",
    "date": "2026-03-14",
    "time": "09:26:53Z",
    "duration": "PT1H30M",
    "email": "ada@example.com",
    "hostname": "api.example.com",
    "ipv4": "192.0.2.17",
    "ipv6": "2001:db8::17",
    "uuid": "6f1c2b9a-3d4e-4f5a-8b6c-7d8e9f0a1b2c",
    "uri": "https://example.com/item/17",
    "url": "https://example.com/item/17",
}


class SchemaTooDeep(ValueError):
    """The schema has no finite value: everything it requires requires itself again."""


def fill(schema: Schema, dice: Dice, words: Sequence[str] = ()) -> object:
    """A value the schema accepts; free strings are taken from `words`. Raises SchemaTooDeep."""
    return _Filler(schema, dice, words or _WORDS).value(schema, 0)


class _Filler:
    def __init__(self, root: Schema, dice: Dice, words: Sequence[str]) -> None:
        self._root, self._dice, self._words = root, dice, words

    def value(self, schema: object, depth: int) -> object:
        if depth > _DEEPEST:
            raise SchemaTooDeep("the schema requires itself without end")
        if not isinstance(schema, Mapping):
            return self._dice.pick(self._words)
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        options = schema.get("enum")
        if isinstance(options, list) and options:
            return self._dice.pick(options)
        return self._typed(_kind(schema, depth), schema, depth)

    def _typed(self, kind: str, schema: Schema, depth: int) -> object:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number":
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return self._dice.below(2) == 1
            case "null":
                return None
            case _:
                return self._string(schema)

    def _resolved(self, schema: Schema, depth: int) -> Schema:
        """The schema with its `$ref`, `allOf` and one branch of `anyOf` or `oneOf` put into it."""
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = _merged(_without(schema, "$ref"), self._look_up(reference))
            elif isinstance(parts := schema.get("allOf"), list):
                schema = _without(schema, "allOf")
                for part in parts:
                    schema = _merged(schema, part)
            elif branches := _branches(schema):
                branch = self._branch(branches, depth)
                schema = _merged(_without(schema, "anyOf", "oneOf"), branch)
            else:
                return schema
        raise SchemaTooDeep("the schema refers to itself and to nothing else")

    def _branch(self, branches: Sequence[object], depth: int) -> object:
        if depth >= _DEEP:
            return min(branches, key=_weight)
        return self._dice.pick(branches)

    def _look_up(self, reference: str) -> object:
        found: object = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _object(self, schema: Schema, depth: int) -> dict[str, object]:
        properties = _mapping(schema.get("properties"))
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        wanted = [name for name in properties if depth < _DEEP or name in required]
        wanted += [name for name in required if name not in properties]
        value = {name: self.value(properties.get(name, {}), depth + 1) for name in wanted}
        extra = schema.get("additionalProperties")
        if not properties and isinstance(extra, Mapping) and depth < _DEEP:
            value[self._dice.pick(self._words)] = self.value(extra, depth + 1)
        return value

    def _array(self, schema: Schema, depth: int) -> list[object]:
        low = int(_number_of(schema, "minItems", 0))
        high = int(_number_of(schema, "maxItems", max(low, 3)))
        count = low if depth >= _DEEP else min(max(low, 1 + self._dice.below(2)), high)
        first = _list(schema.get("prefixItems"))
        items = [self.value(part, depth + 1) for part in first]
        return items + self._items(schema, count - len(items), depth)

    def _items(self, schema: Schema, count: int, depth: int) -> list[object]:
        items: list[object] = []
        for _ in range(max(count, 0) * 20):
            if len(items) == count:
                break
            item = self.value(schema.get("items", {}), depth + 1)
            if not schema.get("uniqueItems") or item not in items:
                items.append(item)
        return items

    def _number(self, schema: Schema, *, whole: bool) -> int | float:
        step = _number_of(schema, "multipleOf", 1.0 if whole else 0.0)
        low, high = _bounds(schema, 1e-6 if not (whole or step) else step)
        if not step:
            value = low + (high - low) * self._dice.unit()
            short = round(value, 1)
            return short if low <= short <= high else value
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        multiple = first + self._dice.below(max(1, min(last - first + 1, 1 << 30)))
        return int(multiple * step) if whole or step == int(step) else round(multiple * step, 9)

    def _string(self, schema: Schema) -> str:
        if isinstance(pattern := schema.get("pattern"), str):
            return fill_pattern(pattern, self._dice)
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS:
            return _FORMATS[form]
        return self._long_enough(schema)

    def _long_enough(self, schema: Schema) -> str:
        low = int(_number_of(schema, "minLength", 0))
        high = int(_number_of(schema, "maxLength", max(low, 200)))
        text = self._dice.pick(self._words)
        while len(text) < low:
            text += " " + self._dice.pick(self._words)
        return text[:high]


def _branches(schema: Schema) -> list[object]:
    return _list(schema.get("anyOf")) or _list(schema.get("oneOf"))


def _merged(schema: Schema, more: object) -> Schema:
    if not isinstance(more, Mapping):
        return schema
    merged = {**schema, **more}
    if "properties" in schema and "properties" in more:
        merged["properties"] = {**_mapping(schema["properties"]), **_mapping(more["properties"])}
    if "required" in schema and "required" in more:
        merged["required"] = [*_list(schema["required"]), *_list(more["required"])]
    return merged


def _without(schema: Schema, *names: str) -> Schema:
    return {name: value for name, value in schema.items() if name not in names}


def _kind(schema: Schema, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [name for name in kind if isinstance(name, str)]
        if depth >= _DEEP and "null" in kinds:
            return "null"
        kind = next((name for name in kinds if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    return next((implied for mark, implied in _IMPLIED if mark in schema), "string")


_IMPLIED = (
    ("properties", "object"),
    ("additionalProperties", "object"),
    ("required", "object"),
    ("items", "array"),
    ("prefixItems", "array"),
    ("minimum", "number"),
    ("maximum", "number"),
)
"""What an untyped schema means, told by a word only one type has."""


def _weight(branch: object) -> int:
    """How deep a branch is likely to lead: nothing, a plain value, a list, an object, a reference."""
    if not isinstance(branch, Mapping):
        return 1
    if "$ref" in branch:
        return 4
    return {"null": 0, "array": 2, "object": 3}.get(_kind(branch, 0), 1)


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    low, high = _maybe(schema, "minimum"), _maybe(schema, "maximum")
    above, below = _maybe(schema, "exclusiveMinimum"), _maybe(schema, "exclusiveMaximum")
    if above is not None:
        low = max(above + step, low if low is not None else -math.inf)
    if below is not None:
        high = min(below - step, high if high is not None else math.inf)
    if low is None:
        low = 1.0 if high is None else min(1.0, high - step)
    # The span is a few steps wide even if one step is a thousand.
    return low, (low + max(99.0, 9 * step) if high is None else high)


def _maybe(schema: Schema, name: str) -> float | None:
    value = schema.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number_of(schema: Schema, name: str, default: float) -> float:
    value = _maybe(schema, name)
    return default if value is None else value


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
