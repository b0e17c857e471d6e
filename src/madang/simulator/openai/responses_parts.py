"""The content of messages and results in the Responses API: text, images and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from madang.simulator.openai.fields import Fields, invalid, listed, wrong_type
from madang.simulator.tokens import PER_ATTACHMENT, estimate

_ALL: Final = (
    *("input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot"),
    "summary_text",
)
_BY_ROLE: Final[Mapping[str, tuple[str, ...]]] = {
    "assistant": ("output_text", "refusal"),
    "tool": ("input_text", "input_image", "input_file"),
}
_OTHERS: Final = ("input_text", "input_image", "input_file")
_MEMBERS: Final = {
    "input_text": frozenset(("type", "text", "prompt_cache_breakpoint")),
    "input_image": frozenset(("type", "detail", "file_id", "image_url", "prompt_cache_breakpoint")),
    "input_file": frozenset(
        ("type", "detail", "file_data", "file_id", "file_url", "filename", "prompt_cache_breakpoint")
    ),
    "output_text": frozenset(("type", "text", "annotations", "logprobs")),
    "refusal": frozenset(("type", "refusal")),
}
_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Content(msgspec.Struct, frozen=True):
    """What was said."""

    text: str
    attached: tuple[str, ...] = ()
    """What came with it: `image`, `file`."""

    @property
    def tokens(self) -> int:
        """What it costs in a prompt."""
        return estimate(self.text) + len(self.attached) * PER_ATTACHMENT


def read_content(item: Fields, name: str, role: str, *, strict: bool) -> Content:
    """A string, or a list of parts. Raises ApiError."""
    value = item.raw(name)
    if isinstance(value, str):
        return Content(value)
    if value is None:
        wrong_type(item.path(name), "one of an array of objects or string", None)
    texts: list[str] = []
    attached: list[str] = []
    for part in item.objects(name, "one of an array of objects or string"):
        kind = _kind(part, role)
        if strict:
            part.refuse_unknown(_MEMBERS[kind])
        match kind:
            case "input_image":
                _check_image(part)
                attached.append("image")
            case "input_file":
                _check_file(part)
                attached.append("file")
            case _:
                texts.append(_text(part, "refusal" if kind == "refusal" else "text"))
    return Content("\n".join(texts), tuple(attached))


def _kind(part: Fields, role: str) -> str:
    """The kind of a part: first whether there is such a kind, then whether this role may use it."""
    part.required("type")
    kind = part.one_of("type", _ALL) or wrong_type(part.path("type"), "a string", None)
    supported = _BY_ROLE.get(role, _OTHERS)
    if kind not in supported:
        said = f"Invalid value: '{kind}'. Supported values are: {listed(supported)}."
        invalid(said, part.path("type").removesuffix(".type"), "invalid_value")
    return kind


def _text(part: Fields, name: str) -> str:
    part.required(name)
    text = part.text(name)
    return wrong_type(part.path(name), "a string", None) if text is None else text


def _check_image(part: Fields) -> None:
    part.one_of("detail", ("low", "high", "auto", "original"))
    if part.text("file_id") is not None:
        return
    part.required("image_url")
    url = part.raw("image_url")
    where = part.path("image_url")
    if not isinstance(url, str):
        wrong_type(where, "an image URL", url)
    if url.startswith("data:"):
        kind = url[5:].partition(";")[0]
        if kind not in _IMAGES or ";base64," not in url:
            invalid(
                "You uploaded an unsupported image. Please make sure your image has of one the following "
                "formats: ['png', 'jpeg', 'gif', 'webp'].",
                where,
                "invalid_image_format",
            )
    elif not url.startswith(("http://", "https://")):
        said = f"Invalid '{where}'. Expected a valid URL, but got a value with an invalid format."
        invalid(said, where, "invalid_value")


def _check_file(part: Fields) -> None:
    if part.text("file_id") is not None or part.text("file_url") is not None:
        return
    part.required("file_data")
    data, where = _text(part, "file_data"), part.path("file_data")
    if not data.startswith("data:") or ";base64," not in data:
        invalid(
            f"Invalid '{where}'. Expected a base64-encoded data URL with a MIME type (e.g. 'data:"
            "application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.",
            where,
            "invalid_value",
        )
