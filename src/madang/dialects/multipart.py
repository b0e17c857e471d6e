"""A form with files, as bytes: one field found, one field replaced, nothing else looked at.

Source: RFC 7578 and RFC 2046, section 5.1. A whole parser would copy the files of a form that
only passes; the model's name is all that is needed of it.
"""

from __future__ import annotations

import re

from madang.core.errors import BadRequest

_NAME = re.compile(rb';\s*name="([^"\r\n]*)"', re.IGNORECASE)
_DISPOSITION = re.compile(rb"^content-disposition:\s*form-data\b([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_MOST_PARTS = 1000


def find_field(body: bytes, boundary: bytes, name: bytes) -> bytes | None:
    """The value of a field, or `None`. Raises `BadRequest` where it is no form or names the field twice."""
    span = _span(body, boundary, name)
    return None if span is None else body[span[0] : span[1]]


def replace_field(body: bytes, boundary: bytes, name: bytes, value: bytes) -> bytes:
    """The form with another value in a field it has. Raises `BadRequest` as `find_field`."""
    span = _span(body, boundary, name)
    if span is None:
        return body
    return body[: span[0]] + value + body[span[1] :]


def _span(body: bytes, boundary: bytes, name: bytes) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    delimiter = b"\r\n--" + boundary
    # The first delimiter may stand at the very beginning, without a line end before it.
    start = 0 if body.startswith(delimiter[2:]) else body.find(delimiter)
    if start < 0:
        raise BadRequest(
            "The form does not begin with the boundary its Content-Type names.", code="invalid_form"
        )
    at = body.index(boundary, start) + len(boundary)
    for _ in range(_MOST_PARTS):
        if body.startswith(b"--", at):
            return found
        end = body.find(delimiter, at)
        head_end = body.find(b"\r\n\r\n", at)
        if end < 0 or head_end < 0 or head_end > end:
            raise BadRequest("The form ends too early or has a part without a head.", code="invalid_form")
        if _field_name(body[at:head_end]) == name:
            if found is not None:
                raise BadRequest(f"The form names '{name.decode()}' twice.", code="invalid_form")
            found = (head_end + 4, end)
        at = end + len(delimiter)
    raise BadRequest(f"The form has more than {_MOST_PARTS} parts.", code="invalid_form")


def _field_name(head: bytes) -> bytes | None:
    disposition = _DISPOSITION.search(head)
    named = _NAME.search(disposition[1]) if disposition else None
    return named[1] if named else None
