"""Signatures travel in other dialects' fields and come out as they went in, whoever meddles on the way."""

from __future__ import annotations

import base64
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.messages import Reasoning, ToolCall
from madang.dialects.carry import Unloaded, load, plain_id, unload, unwrap, wrap
from tests.dialects.hub import DIALECTS, maybe, reasonings, words

PREFIX = base64.b64encode(b"madang").decode()
MARK = "_bWFkYW5n_"

dialects = st.sampled_from(DIALECTS)
signatures = st.one_of(
    words, st.sampled_from((PREFIX, PREFIX + "AAAA", wrap("inner", "gemini", "anthropic")))
)


@given(signatures, maybe(dialects), dialects)
def test_what_is_wrapped_comes_out_as_it_was(signature: str, signer: str | None, own: str) -> None:
    assert unwrap(wrap(signature, signer, own), own) == (signature, signer or own)


@pytest.mark.parametrize("signer", ["anthropic", None])
def test_a_dialects_own_signature_stays_as_it_is(signer: str | None) -> None:
    assert wrap("EqQBCkYIBxgC", signer, "anthropic") == "EqQBCkYIBxgC"


@given(signatures, dialects, dialects)
def test_a_foreign_signature_is_sound_base64(signature: str, signer: str, own: str) -> None:
    wrapped = wrap(signature, signer, own)
    if signer != own:
        assert base64.b64decode(wrapped, validate=True).startswith(b"madang")


@given(
    st.text("abc_-", min_size=1, max_size=8).filter(lambda name: MARK not in name),
    maybe(words),
    st.lists(reasonings(), max_size=3),
)
def test_what_is_loaded_into_an_id_comes_out_of_it(
    name: str, signature: str | None, thoughts: list[Reasoning]
) -> None:
    call = ToolCall(id=name, name="f", signature=signature, signer="gemini" if signature else None)
    signed = tuple(thought for thought in thoughts if thought.signature is not None)
    loaded = load(call, thoughts)
    assert unload(loaded) == Unloaded(name, signed, call.signature, call.signer)
    assert plain_id(loaded) == name
    assert (loaded == name) == (signature is None and not signed)


@pytest.mark.parametrize("text", ["음" * 300_000, "a" * 5_000_000, ""], ids=["korean", "long", "empty"])
def test_long_and_monotonous_thoughts_come_out_whole(text: str) -> None:
    thought = Reasoning(text=text, signature="s", signer="anthropic")
    assert unload(load(ToolCall(id="call_1", name="f"), [thought])).thoughts == (thought,)


def test_a_loaded_id_is_made_of_what_every_provider_takes_in_an_id() -> None:
    loaded = load(ToolCall(id="call_1", name="f", signature="+/=\x00서명", signer="gemini"))
    assert loaded.replace("_", "").replace("-", "").isalnum()
    assert loaded.isascii()


def pack(payload: object, level: int = 6) -> str:
    data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return "call_1" + MARK + base64.urlsafe_b64encode(zlib.compress(data, level)).decode().rstrip("=")


HOSTILE_IDS = {
    "nothing after the mark": "call_1" + MARK,
    "no base64": f"call_1{MARK}!!!",
    "half a base64": f"call_1{MARK}A",
    "no Unicode": f"call_1{MARK}서명",
    "half a surrogate pair": f"call_1{MARK}\ud800",
    "no zlib": f"call_1{MARK}AAAA",
    "cut short": load(ToolCall(id="call_1", name="f", signature="s" * 99, signer="gemini"))[:-9],
    "a bomb": pack(b"[[]," + b" " * 50_000_000 + b"null,null]", 9),
    "a bomb of nothing": pack(bytes(50_000_000), 9),
    "deeper than can be read": pack(b"[[],null,null," + b"[" * 200_000 + b"]" * 200_000 + b"]", 0),
    "no UTF-8": pack(b'[[],"\xff",null]'),
    "an object": pack({"thoughts": []}),
    "a number": pack(1),
    "wrong types": pack([[1, 2], 3, 4]),
    "a thought without a signature": pack([[["t", None, None, True]], None, None]),
    "a signer that breaks a header": pack([[], "s", "x\r\nSet-Cookie: a=b"]),
    "a thought's signer that breaks a header": pack([[["t", "s", "x\r\n"]], None, None]),
    "a signer in Korean": pack([[], "s", "서명"]),
    "too few": pack([[]]),
    "two marks": f"call_1{MARK}AAAA{MARK}AAAA",
    "no id before the mark": pack([[], "s", "gemini"]).removeprefix("call_1"),
}


@pytest.mark.parametrize("id", HOSTILE_IDS.values(), ids=list(HOSTILE_IDS))
def test_an_id_that_is_not_of_our_making_is_left_as_it_is(id: str) -> None:
    assert unload(id) == Unloaded(id)


@given(
    st.one_of(
        st.text(), st.text().map(lambda text: f"call_1{MARK}{text}"), st.binary().map(lambda b: pack(b))
    )
)
def test_no_id_raises_and_calls_and_results_agree_on_it(id: str) -> None:
    assert unload(id).id == plain_id(id)


HOSTILE_SIGNATURES = {
    "the prefix alone": PREFIX,
    "no base64": PREFIX + "!",
    "no Unicode": PREFIX + "서명",
    "half a surrogate pair": PREFIX + "\ud800",
    "no JSON": base64.b64encode(b"madang?").decode(),
    "one": base64.b64encode(b'madang["a"]').decode(),
    "three": base64.b64encode(b'madang["a","b","c"]').decode(),
    "numbers": base64.b64encode(b"madang[1,2]").decode(),
    "an object": base64.b64encode(b"madang{}").decode(),
    "deep": base64.b64encode(b"madang" + b"[" * 200_000).decode(),
    "no UTF-8": base64.b64encode(b'madang["a","\xff"]').decode(),
    "a signer that breaks a header": base64.b64encode(b'madang["a\\r\\nb: c","d"]').decode(),
    "an empty signer": base64.b64encode(b'madang["","d"]').decode(),
}


@pytest.mark.parametrize("text", HOSTILE_SIGNATURES.values(), ids=list(HOSTILE_SIGNATURES))
def test_a_signature_that_is_not_of_our_making_is_left_as_it_is(text: str) -> None:
    assert unwrap(text, "gemini") == (text, "gemini")


@given(st.one_of(st.text(), st.text().map(lambda text: PREFIX + text)))
def test_no_signature_raises(text: str) -> None:
    assert unwrap(text, "anthropic") == (text, "anthropic")
