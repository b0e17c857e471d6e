"""A `Record` as a row of `calls`, and back. Usage lies flat, attempts are JSON text."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row

from madang.core.record import Attempt, Outcome, Record, Usage
from madang.store.tables import calls
from madang.store.text import storable

COLUMNS = tuple(column.name for column in calls.c if column.name != "seq")
USAGE = tuple(name for name in Usage.__struct_fields__ if name != "extra")

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_NO_USAGE = Usage()
_encode = msgspec.json.Encoder().encode
_attempts = msgspec.json.Decoder(list[Attempt])
_LARGEST = 2**63 - 1


def row_of(record: Record) -> tuple[object, ...]:
    """The values of `COLUMNS`. Written out in full: this runs for every call."""
    usage = record.usage or _NO_USAGE
    return (
        record.id,
        record.started_at,
        record.operation,
        record.dialect,
        record.key_id,
        record.key_name,
        record.owner,
        record.route,
        record.provider,
        record.model,
        _encode(record.attempts).decode(),
        1 if record.passed else 0,
        1 if record.streamed else 0,
        record.status,
        record.outcome._value_,
        record.error,
        record.stop_reason,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        record.first_byte_us,
        record.duration_us,
        record.request_bytes,
        record.response_bytes,
        record.upstream_id,
        record.provider_dialect,
        record.losses,
        usage.cache_write_tokens,
        usage.audio_input_tokens,
        usage.audio_output_tokens,
    )


def record_of(row: Row[Any]) -> Record:
    """The record that `row_of` was given; a usage of which nothing is known comes back as None."""
    values = dict(row._mapping)
    del values["seq"]
    usage = Usage(**{name: values.pop(name) for name in USAGE})
    values["usage"] = None if usage == _NO_USAGE else usage
    values["attempts"] = _attempts.decode(values["attempts"])
    values["outcome"] = Outcome(values["outcome"])
    values["passed"], values["streamed"] = bool(values["passed"]), bool(values["streamed"])
    return Record(**values)


def storable_record(record: Record) -> Record:
    """A copy that every engine can keep: providers and clients decide what some fields hold."""
    return _storable_struct(record)


def _storable_struct(struct: _Struct) -> _Struct:
    fields = {name: _storable(value) for name, value in msgspec.structs.asdict(struct).items()}
    return type(struct)(**fields)


def _storable(value: object) -> object:
    match value:
        case Outcome() | bool():
            return value
        case str():
            return storable(value)
        case int():
            return max(-_LARGEST, min(value, _LARGEST))
        case list():
            return [_storable(item) for item in value]
        case Usage() | Attempt():
            return _storable_struct(value)
        case _:
            return value
