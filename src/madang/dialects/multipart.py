"""A form with files, as bytes: one field found, one field replaced, nothing else looked at.

Source: RFC 7578 and RFC 2046, section 5.1. A whole parser would copy the files of a form that
only passes; the model's name is all that is needed of it.
"""

from __future__ import annotations

import re

from madang.core.errors import BadRequest

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_PARAMETER = rb';[ \t]*([\w*-]+)=("(?:[^"\\]|\\.)*"|[^\s"\\;]+)[ \t]*'
_DISPOSITION = re.compile(rb"form-data[ \t]*(?:%b)*;?" % _PARAMETER, re.IGNORECASE)
_NAME = re.compile(rb"(?<![\w-])name[*0-9]*[ \t]*=", re.IGNORECASE)
_VALUE = re.compile(rb';[ \t]*name=(?:"([^"\\]*)"|([^\s"\\;]+))', re.IGNORECASE)
_PLAIN = {b"7bit", b"8bit", b"binary"}
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
    dash = b"--" + boundary
    delimiter = b"\r\n" + dash
    # The first delimiter may stand at the very beginning, without a line end before it.
    if not body.startswith((dash, delimiter)):
        raise _malformed("does not begin with the boundary its Content-Type names")
    at = body.index(dash) + len(dash)
    for number in range(1, _MOST_PARTS):
        if body.startswith(b"--", at):
            if body[at + 2 :].strip() or body.count(dash) != number:
                raise _malformed("has its boundary where no part begins, or goes on behind its end")
            return found
        end = body.find(delimiter, at)
        head_end = body.find(b"\r\n\r\n", at)
        if end < 0 or head_end < 0 or head_end > end:
            raise _malformed("ends too early or has a part without a head")
        if _field_name(body[at:head_end], name) == name:
            if found is not None:
                raise _malformed(f"names '{name.decode()}' twice")
            found = (head_end + 4, end)
        at = end + len(delimiter)
    raise _malformed(f"has more than {_MOST_PARTS} parts")


def _field_name(head: bytes, wanted: bytes) -> bytes:
    """The name of a part, where every reader finds the same one.

    Readers differ on folded lines, bare line feeds, escapes, names in charsets or in pieces, and on
    what looks like a name within a file's; a form with such a part is refused.
    """
    rest, *lines = head.split(b"\r\n")
    headers = [_HEADER.fullmatch(line) for line in lines]
    told = [header[2] for header in headers if header and header[1].lower() == b"content-disposition"]
    if rest or not all(headers) or len(told) != 1 or not _DISPOSITION.fullmatch(told[0]):
        raise _malformed("has a part whose head cannot be read surely")
    value = _VALUE.search(told[0])
    if value is None or len(_NAME.findall(told[0])) != 1 or b"=?" in value[0]:
        raise _malformed("has a part whose name cannot be read surely")
    name = bytes(value[1] or value[2] or b"")
    codings = [h[2].strip().lower() for h in headers if h and h[1].lower() == b"content-transfer-encoding"]
    if name == wanted and not set(codings) <= _PLAIN:
        raise _malformed(f"has an encoded '{name.decode()}'; send it as it is")
    return name


def _malformed(what: str) -> BadRequest:
    return BadRequest(f"The form {what}.", code="invalid_form")
