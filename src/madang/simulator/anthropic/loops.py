"""What has to hold between messages: calls are answered, ids are told apart, thoughts come back unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from madang.simulator.anthropic.content import SERVER_RESULTS, Block
from madang.simulator.anthropic.fields import refuse
from madang.simulator.anthropic.messages import Message

_THOUGHTS: Final = ("thinking", "redacted_thinking")
_UNANSWERED = (
    "`tool_use` ids were found without `tool_result` blocks immediately after: {ids}. Each `tool_use` block "
    "must have a corresponding `tool_result` block in the next message."
)
_ORPHAN = (
    "unexpected `tool_use_id` found in `{kind}` blocks: {id}. Each `{kind}` block must have a corresponding "
    "`{use}` block {where}."
)
_TWICE = "each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
_MODIFIED = (
    "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These "
    "blocks must remain as they were in the original response."
)
_THOUGHTLESS = (
    "Expected `thinking` or `redacted_thinking`, but found `{kind}`. When `thinking` is enabled, a final "
    "`assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and "
    "`tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this "
    "requirement, disable `thinking`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)


def check_tool_calls(messages: Sequence[Message]) -> None:
    """Raises ApiError unless every call has its result right after it, and every result its call."""
    seen: set[str] = set()
    turns = _merged(messages)
    for at, turn in enumerate(turns):
        before = turns[at - 1] if at else []
        after = turns[at + 1] if at + 1 < len(turns) else []
        _check_ids(turn, seen)
        _check_answered(turn, after)
        _check_asked(turn, before)
        _check_server_tools(turn, last=at + 1 == len(turns))


def _merged(messages: Sequence[Message]) -> list[list[Block]]:
    """The blocks of each turn: messages of one role in a row are one, and what the system says is none."""
    turns: list[list[Block]] = []
    role = ""
    for message in messages:
        if message.role == "system":
            continue
        if message.role != role:
            turns.append([])
            role = message.role
        turns[-1] += message.blocks
    return turns


def _check_ids(turn: list[Block], seen: set[str]) -> None:
    for block in turn:
        if block.kind in ("tool_use", "server_tool_use"):
            if block.id in seen:
                refuse(block.where, "`tool_use` ids must be unique")
            seen.add(block.id)


def _check_answered(turn: list[Block], after: list[Block]) -> None:
    asked = [block for block in turn if block.kind == "tool_use"]
    if not asked:
        return
    # Results that follow a text come too late: Anthropic's page on tool use, "results first".
    first = next((at for at, block in enumerate(after) if block.kind != "tool_result"), len(after))
    answered = {block.id for block in after[:first]}
    if missing := [block.id for block in asked if block.id not in answered]:
        message = asked[0].where.rpartition(".content.")[0]
        refuse(message, _UNANSWERED.format(ids=", ".join(missing)))


def _check_asked(turn: list[Block], before: list[Block]) -> None:
    asked = {block.id for block in before if block.kind == "tool_use"}
    answered: set[str] = set()
    for block in turn:
        if block.kind != "tool_result":
            continue
        if block.id not in asked:
            where = "in the previous message"
            refuse(block.where, _ORPHAN.format(kind=block.kind, id=block.id, use="tool_use", where=where))
        if block.id in answered:
            refuse(block.where, _TWICE.format(id=block.id))
        answered.add(block.id)


def _check_server_tools(turn: list[Block], *, last: bool) -> None:
    asked: dict[str, Block] = {}
    for block in turn:
        if block.kind == "server_tool_use":
            asked[block.id] = block
        elif block.kind in SERVER_RESULTS and asked.pop(block.id, None) is None:
            orphan = _ORPHAN.format(kind=block.kind, id=block.id, use="server_tool_use", where="before it")
            refuse(block.where, orphan)
    if asked and not last:
        use = next(iter(asked.values()))
        refuse(
            use.where.rpartition(".content.")[0],
            f"`{use.name}` tool use with id `{use.id}` was found without a corresponding "
            f"`{use.name}_tool_result` block",
        )


def check_thoughts(messages: Sequence[Message], *, required: bool) -> None:
    """Raises ApiError for thoughts that were changed, or left out of a turn that is not over.

    A turn is what the model says between two things the user says, tools' results not counted.
    """
    spoken = [message for message in messages if message.role == "assistant"]
    for message in spoken:
        for block in message.blocks:
            if block.kind in _THOUGHTS and block.name == "changed":
                if message is spoken[-1]:
                    refuse(block.where, _MODIFIED)
                refuse(block.where, f"Invalid `signature` in `{block.kind}` block")
    first = _first_of_open_turn(messages) if required else None
    if first is not None and first.kind not in _THOUGHTS:
        refuse(first.where + ".type", _THOUGHTLESS.format(kind=first.kind))


def in_tool_loop(messages: Sequence[Message]) -> bool:
    """Whether the model is to go on with a turn in which it called tools."""
    return _is_results(messages[-1])


def _first_of_open_turn(messages: Sequence[Message]) -> Block | None:
    """The first block the model said in the turn it is to go on with, if it is in the middle of one."""
    first = None
    for message in reversed(messages):
        if message.role == "assistant" and message.blocks:
            first = message.blocks[0]
        elif message.role == "user" and not _is_results(message):
            break
    return first


def _is_results(message: Message) -> bool:
    return any(block.kind == "tool_result" for block in message.blocks)
