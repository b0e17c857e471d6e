"""How likely each token of an answer was: `logprobs.content`.

`bytes` are those of the token in UTF-8, unless it is a piece of a character. The note `$bytes` says
where they were not written (`absent`); other bytes stay among the leftovers, those of the likely
tokens in the note `$top_bytes`.
"""

from __future__ import annotations

from collections.abc import Iterable

from madang.core.messages import Json
from madang.core.responses import TokenLogprob
from madang.dialects.openai_chat.form import NAME, absent, noted, restore
from madang.dialects.reading import Members


def read_logprobs(tokens: Iterable[Json], path: str = "logprobs.content") -> tuple[TokenLogprob, ...]:
    """The entries of `logprobs.content`."""
    return tuple([_read_token(Members(token, f"{path}.{number}")) for number, token in enumerate(tokens)])


def _read_token(members: Members) -> TokenLogprob:
    token = members.need_text("token")
    unsaid = absent(members, ("logprob", "top_logprobs"))
    form = _bytes_form(members.left, token)
    if form == "utf-8":
        del members.left["bytes"]
    top: list[tuple[str, float]] = []
    forms: list[Json] = []
    for one in members.each("top_logprobs"):
        likely = one.need_text("token")
        top.append((likely, one.number("logprob") or 0.0))
        how = _bytes_form(one.left, likely)
        forms.append(one.left["bytes"] if how is None else how)
    odd = forms if any(how != "utf-8" for how in forms) else None
    logprob = members.number("logprob") or 0.0
    unsaid_bytes = form if form == "absent" else None
    extra = members.extra(NAME, bytes=unsaid_bytes, top_bytes=odd, absent=unsaid)
    return TokenLogprob(token, logprob, tuple(top), extra)


def _bytes_form(left: dict[str, Json], token: str) -> str | None:
    if "bytes" not in left:
        return "absent"
    return "utf-8" if left["bytes"] == list(token.encode()) else None


def write_logprobs(tokens: Iterable[TokenLogprob]) -> list[Json]:
    """`logprobs.content`."""
    return [_write_token(token) for token in tokens]


def _write_token(token: TokenLogprob) -> Json:
    out: dict[str, Json] = {"token": token.token, "logprob": token.logprob}
    if noted(token.extra, "bytes") != "absent" and "bytes" not in token.extra.get(NAME, ()):
        out["bytes"] = list(token.token.encode())
    forms = noted(token.extra, "top_bytes") or ["utf-8"] * len(token.top)
    out["top_logprobs"] = [
        _write_top(likely, logprob, form) for (likely, logprob), form in zip(token.top, forms, strict=False)
    ]
    return restore(out, token.extra)


def _write_top(likely: str, logprob: float, form: Json) -> Json:
    out: dict[str, Json] = {"token": likely, "logprob": logprob}
    if form != "absent":
        out["bytes"] = list(likely.encode()) if form == "utf-8" else form
    return out
