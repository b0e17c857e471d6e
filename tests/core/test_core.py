"""The vocabulary: secrets that do not print, ids that do not meet, errors as a tree."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from typing import Any

import msgspec
import pytest

from madang.core import errors
from madang.core.clock import Ids, monotonic, now_us
from madang.core.secret import Secret


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        "{}".format,
        "{!r:>40}".format,
        lambda secret: f"{secret}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old way must not print it either
        lambda secret: str([secret]),
        lambda secret: str({"key": secret}),
        lambda secret: logging.LogRecord("n", 20, "p", 1, "%s", (secret,), None).getMessage(),
    ],
)
def test_a_secret_does_not_print(show: Any) -> None:
    assert "hunter2hunter2" not in show(Secret("hunter2hunter2"))


def test_a_secret_does_not_leave_by_serialising() -> None:
    secret = Secret("hunter2hunter2")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
    assert Secret("a").reveal() == "a"


def test_ids_sort_by_their_making_and_differ_between_processes() -> None:
    ids = Ids("call")
    made = [ids() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(one.startswith("call_") and one.isascii() and len(one) < 40 for one in made)
    assert made[0][:-8] != Ids("call")()[:-8]


def test_clocks_go_forward() -> None:
    assert now_us() > 1_700_000_000_000_000
    assert monotonic() <= monotonic()


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = errors.__doc__ or ""
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    for one in classes:
        assert one.__name__ in drawn
    for status in (400, 401, 403, 404, 405, 408, 413, 415, 431):
        kinds = [one for one in classes if issubclass(one, errors.ClientError) and one.status == status]
        assert kinds


def test_an_outage_of_ours_and_a_mistake_of_theirs_share_no_class() -> None:
    assert not issubclass(errors.ClientError, errors.UpstreamError)
    assert not issubclass(errors.UpstreamError, errors.ClientError)


def test_a_fault_of_the_configuration_says_where_what_and_what_to_write() -> None:
    fault = errors.ConfigError("limits.rpm", got="60/min", want="a whole number", hint="write rpm = 60")
    assert str(fault) == "limits.rpm: found 60/min, wanted a whole number; write rpm = 60"
