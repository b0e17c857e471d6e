"""What has to hold between messages: calls are answered, and signatures come back with them."""

from __future__ import annotations

from collections.abc import Sequence

from madang.simulator.gemini.contents import Content
from madang.simulator.gemini.errors import invalid

_UNEVEN = (
    "Please ensure that the number of function response parts is equal to the number of function call parts "
    "of the function call turn."
)
_TOO_LATE = "Please ensure that function response turn comes immediately after a function call turn."
_TOO_EARLY = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response "
    "turn."
)
_UNSIGNED = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
    "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
    "function call `default_api:{name}` , position {position}. Please refer to "
    "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
)


def check_calls(contents: Sequence[Content]) -> None:
    """Raises ApiError unless calls follow a user, and as many responses follow the calls."""
    for at, content in enumerate(contents):
        calls, responses = len(content.calls()), len(content.responses())
        before = contents[at - 1] if at else None
        after = contents[at + 1] if at + 1 < len(contents) else None
        if calls and (before is None or before.role != "user"):
            invalid(_TOO_EARLY)
        if calls and (after is None or len(after.responses()) != calls):
            invalid(_UNEVEN)
        if responses and (before is None or not before.calls()):
            invalid(_TOO_LATE)


def check_signatures(contents: Sequence[Content]) -> None:
    """Raises ApiError if the first call of a step of the turn under way lacks its signature.

    A turn begins with what the user says, and a step is one message with calls. Earlier turns are not
    looked at: Google's page on thought signatures.
    """
    begin = next((at for at in range(len(contents) - 1, -1, -1) if _is_said(contents[at])), 0)
    for content in contents[begin:]:
        if (calls := content.calls()) and not calls[0].signed:
            invalid(_UNSIGNED.format(name=calls[0].name, position=content.at + 1))


def _is_said(content: Content) -> bool:
    return content.role == "user" and not content.responses()
