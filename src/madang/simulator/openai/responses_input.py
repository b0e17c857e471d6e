"""The `input` of the Responses API: items checked as OpenAI checks them, read as turns.

Which items belong together is checked here: calls and their results, thoughts and what came of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from madang.simulator.openai.chat_tools import read_name
from madang.simulator.openai.fields import Fields, invalid, listed, wrong_type
from madang.simulator.openai.responses_parts import Content, read_content
from madang.simulator.openai.responses_shelf import Item, Shelf
from madang.simulator.openai.sealed import needed_thought, unseal
from madang.simulator.tokens import PER_MESSAGE, estimate
from madang.simulator.vocabulary import ApiError, Turn

_ROLES: Final = ("assistant", "system", "developer", "user")
_KINDS: Final = (
    *("message", "file_search_call", "computer_call", "computer_call_output", "web_search_call"),
    *("function_call", "function_call_output", "tool_search_call", "tool_search_output", "additional_tools"),
    *("reasoning", "compaction", "image_generation_call", "code_interpreter_call", "local_shell_call"),
    *("local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call"),
    *("apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response"),
    *("mcp_call", "custom_tool_call_output", "custom_tool_call", "compaction_trigger", "item_reference"),
)
_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "message": frozenset(("id", "type", "role", "content", "status")),
    "assistant": frozenset(("id", "type", "role", "content", "status", "phase")),
    "function_call": frozenset(("id", "type", "call_id", "name", "arguments", "status", "namespace")),
    "function_call_output": frozenset(("id", "type", "call_id", "output", "status", "name", "namespace")),
    "reasoning": frozenset(("id", "type", "summary", "content", "encrypted_content", "status")),
    "web_search_call": frozenset(("id", "type", "status", "action")),
    "item_reference": frozenset(("id", "type")),
}
"""What an item may have, where the simulator is strict."""
_STARTS: Final = {"message": "msg", "function_call": "fc", "reasoning": "rs", "web_search_call": "ws"}
"""What an item's id begins with."""
_OF_THE_MODEL: Final = frozenset(("function_call", "reasoning", "web_search_call"))
"""What may follow a reasoning item, besides a message of the model."""
_LONGEST_ID = 64
_NOT_STORED = (
    " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove "
    "this item from your input."
)
_UNVERIFIED = "could not be verified. Reason:"


class Heard(msgspec.Struct, frozen=True):
    """The conversation, as turns and as items."""

    turns: tuple[Turn, ...]
    items: list[Item]


class InputReader:
    """Reads items one by one, and remembers what later ones have to fit."""

    def __init__(self, shelf: Shelf, *, store: bool, strict: bool) -> None:
        self._shelf, self._store, self._strict = shelf, store, strict
        self._calls: dict[str, str] = {}
        self._open: dict[str, None] = {}
        self._ids: set[str] = set()
        self._turns: list[Turn] = []
        self._items: list[Item] = []

    def heard(self, earlier: Sequence[Item], value: object) -> Heard:
        """Items of earlier responses, and the `input`. Raises ApiError."""
        for before in earlier:
            self._read(Fields(before))
        for item in _listed(value):
            self._read(item)
        self._expect_answered()
        self._expect_followed()
        return Heard(tuple(self._turns), self._items)

    def _read(self, item: Fields) -> None:
        kind = _kind(item)
        if kind == "item_reference":
            item = Fields(self._referred(item))
            kind = _kind(item)
        if kind not in _MEMBERS:
            invalid(f"The simulator does not imitate items of type '{kind}'.", item.path("type"))
        self._identify(item, kind)
        match kind:
            case "message":
                self._message(item)
            case "function_call":
                self._call(item)
            case "function_call_output":
                self._result(item)
            case "reasoning":
                self._reasoning(item)
            case _:
                self._check_members(item, kind)
        self._items.append(item.values)

    def _check_members(self, item: Fields, kind: str) -> None:
        if self._strict:
            item.refuse_unknown(_MEMBERS[kind])

    # Identity.

    def _identify(self, item: Fields, kind: str) -> None:
        identifier = item.text("id")
        if identifier is None:
            return
        start = _STARTS.get(kind, "")
        if not identifier.startswith(start):
            where = item.path("id")
            said = f"Invalid '{where}': '{identifier[:80]}'. Expected an ID that begins with '{start}'."
            invalid(said, where, "invalid_value")
        item.longest("id", _LONGEST_ID)
        if identifier in self._ids:
            said = f"Duplicate item found with id {identifier}."
            invalid(f"{said} Remove duplicate items from your input and try again.", "input")
        thought = needed_thought(identifier)
        if thought is not None and thought not in self._ids:
            invalid(
                f"Item '{identifier}' of type '{kind}' was provided without its required 'reasoning' item: "
                f"'{thought}'.",
                "input",
            )
        self._ids.add(identifier)

    def _referred(self, item: Fields) -> Item:
        item.required("id")
        self._check_members(item, "item_reference")
        return self._stored(item.text("id") or "")

    def _stored(self, identifier: str) -> Item:
        stored = self._shelf.item(identifier)
        if stored is None:
            more = "" if self._store else _NOT_STORED
            raise ApiError(404, f"Item with id '{identifier}' not found.{more}", param="input")
        return stored

    # One kind each.

    def _message(self, item: Fields) -> None:
        role = item.raw("role")
        if role not in _ROLES:
            shown = role if isinstance(role, str) else ""
            said = f"Invalid value: '{shown}'. Supported values are: {listed(_ROLES)}."
            invalid(said, item.path("role").removesuffix(".role"), "invalid_value")
        self._check_members(item, "assistant" if role == "assistant" else "message")
        item.required("content")
        content = self._content(item, "content", str(role))
        self._turns.append(_turn(str(role), content))

    def _content(self, item: Fields, name: str, role: str) -> Content:
        return read_content(item, name, role, strict=self._strict)

    def _call(self, item: Fields) -> None:
        self._check_members(item, "function_call")
        for name in ("call_id", "name", "arguments"):
            item.required(name)
        item.longest("call_id", _LONGEST_ID)
        name, arguments = read_name(item), item.text("arguments") or ""
        call_id = item.text("call_id") or ""
        self._calls[call_id] = name
        self._open[call_id] = None
        self._turns.append(Turn("assistant", "", tokens=PER_MESSAGE + estimate(name) + estimate(arguments)))

    def _result(self, item: Fields) -> None:
        self._check_members(item, "function_call_output")
        for name in ("call_id", "output"):
            item.required(name)
        item.longest("call_id", _LONGEST_ID)
        call_id = item.text("call_id") or ""
        if call_id not in self._calls:
            invalid(f"No tool call found for function call output with call_id {call_id}.", "input")
        self._open.pop(call_id, None)
        content = self._content(item, "output", "tool")
        self._turns.append(_turn("tool", content, self._calls[call_id]))

    def _reasoning(self, item: Fields) -> None:
        self._check_members(item, "reasoning")
        item.required("summary")
        for part in item.objects("summary"):
            part.required("text")
        identifier, envelope = item.text("id"), item.text("encrypted_content")
        if envelope is None:
            if identifier is not None:
                self._stored(identifier)
            return
        sealed = unseal(envelope)
        what = f"{envelope[:4]}...{envelope[-4:]}" if identifier is None else f"for item {identifier}"
        if sealed is None:
            reason = "Encrypted content could not be decrypted or parsed."
            invalid(f"The encrypted content {what} {_UNVERIFIED} {reason}", None, "invalid_encrypted_content")
        if identifier not in (None, sealed):
            reason = "Encrypted content item_id did not match the target item id."
            invalid(f"The encrypted content {what} {_UNVERIFIED} {reason}", None, "invalid_encrypted_content")
        self._ids.add(sealed)

    # What has to be there in the end.

    def _expect_answered(self) -> None:
        if self._open:
            invalid(f"No tool output found for function call {next(iter(self._open))}.", "input")

    def _expect_followed(self) -> None:
        """Thoughts that are called by their id need what came of them."""
        for item, following in zip(self._items, [*self._items[1:], {}], strict=False):
            if item.get("type") == "reasoning" and "id" in item and not _said_by_the_model(following):
                what = f"Item '{item['id']}' of type 'reasoning'"
                invalid(f"{what} was provided without its required following item.", "input")


def _said_by_the_model(item: Item) -> bool:
    kind = item.get("type", "message")
    return item.get("role") == "assistant" if kind == "message" else kind in _OF_THE_MODEL


def _listed(value: object) -> Sequence[Fields]:
    """The items of an `input`, each knowing where it stands."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Fields({"type": "message", "role": "user", "content": value}, "input[0]"),)
    if not isinstance(value, list):
        wrong_type("input", "one of a string or array of input items", value)
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            wrong_type(f"input[{at}]", "an input item", item)
    return [Fields(item, f"input[{at}]") for at, item in enumerate(value)]


def _kind(item: Fields) -> str:
    kind = item.raw("type")
    if kind is None:
        return "item_reference" if "id" in item and "role" not in item else "message"
    if not isinstance(kind, str) or kind not in _KINDS:
        shown = kind if isinstance(kind, str) else ""
        said = f"Invalid value: '{shown[:80]}'. Supported values are: {listed(_KINDS)}."
        invalid(said, item.path("type").removesuffix(".type"), "invalid_value")
    return kind


def _turn(role: str, content: Content, tool: str | None = None) -> Turn:
    attached = content.attached
    return Turn(role, content.text, len(attached), tool, PER_MESSAGE + content.tokens, attached)
