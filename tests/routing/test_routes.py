"""Routes: from the name a client uses to the targets that are tried."""

from __future__ import annotations

from typing import cast

import pytest

from madang.core.errors import NotFound
from madang.providers.base import Provider, Row
from madang.providers.door import Door
from madang.routing.routes import Routes

DOOR = cast(Door, object())


def provider(name: str, *models: str) -> tuple[Provider, Door]:
    return Provider(row=Row(name=name, title=name, base_url=""), base_url="", models=models), DOOR


@pytest.fixture
def routes() -> Routes:
    return Routes(
        [provider("openai", "gpt-*"), provider("mine", "gpt-oss", "llama/3")],
        {"fast": ["openai/gpt-4o-mini"], "both": ["openai/gpt-4o", "mine/a/b"], "gpt-4o": ["mine/shadow"]},
        "openai",
    )


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("fast", ["openai/gpt-4o-mini"]),
        ("both", ["openai/gpt-4o", "mine/a/b"]),
        ("gpt-4o", ["mine/shadow"]),
        ("openai/gpt-4o", ["openai/gpt-4o"]),
        ("mine/a/b/c", ["mine/a/b/c"]),
        ("mine/fast", ["mine/fast"]),
        ("gpt-5", ["openai/gpt-5"]),
        ("gpt-oss", ["openai/gpt-oss"]),
        ("llama/3", ["mine/llama/3"]),
    ],
)
def test_an_alias_then_a_provider_then_whoever_is_known_to_have_it(
    routes: Routes, name: str, targets: list[str]
) -> None:
    route = routes.resolve(name)
    assert [target.label for target in route.targets] == targets
    assert routes.resolve(name) is route


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nonesuch", "Write provider/model"),
        ("fasst", "Did you mean 'fast'?"),
        ("opnai/gpt-4o", "No provider named 'opnai' is on; these are: openai, mine"),
        ("/x", "does not exist"),
        ("openai/", "does not exist"),
        ("", "does not exist"),
        ("x" * 10_000, "does not exist"),
    ],
)
def test_an_unknown_name_is_refused_with_a_hint(routes: Routes, name: str, says: str) -> None:
    with pytest.raises(NotFound) as refused:
        routes.resolve(name)
    assert says in refused.value.message
    assert len(refused.value.message) < 600
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_what_providers_say_they_have_is_found_by_its_bare_name(routes: Routes) -> None:
    routes.learn({"house": "mine"})
    assert routes.resolve("house").targets[0].label == "mine/house"


def test_unknown_names_are_not_remembered_without_end(routes: Routes) -> None:
    for number in range(25_000):
        routes.resolve(f"openai/m{number}")
    assert len(routes._found) <= 10_000


def test_a_path_without_a_model_goes_to_the_default_or_the_named_provider(routes: Routes) -> None:
    assert routes.without_model(None).targets[0].label == "openai"
    assert routes.without_model("mine").targets[0].model is None
    with pytest.raises(NotFound, match="Did you mean 'mine'"):
        routes.without_model("mina")
    with pytest.raises(NotFound, match="no provider is on"):
        Routes([], {}).without_model(None)


@pytest.mark.parametrize(
    ("model", "header"),
    [
        ("gpt-4o", b"openai/gpt-4o"),
        ("한글", b"openai/%ED%95%9C%EA%B8%80"),
        ("a\r\nx: y", b"openai/a%0D%0Ax: y"),
    ],
)
def test_a_target_names_itself_in_a_header_that_is_safe(routes: Routes, model: str, header: bytes) -> None:
    assert routes.resolve(f"openai/{model}").targets[0].header == header


def speaking(name: str, *dialects: str, signs: bool = True) -> tuple[Provider, Door]:
    row = Row(name=name, title=name, base_url="", signs=signs)
    return Provider(row=row, base_url="", dialects=dialects), DOOR


@pytest.mark.parametrize(
    ("providers", "beside"),
    [
        ([speaking("a", "openai_chat"), speaking("b", "openai_chat")], set()),
        ([speaking("a", "anthropic"), speaking("offline", "openai_chat", signs=False)], {"openai_chat"}),
        ([speaking("a", "openai_chat"), speaking("b", "anthropic")], {"openai_chat", "anthropic"}),
        ([speaking("a", "openai_responses", "openai_chat"), speaking("b", "openai_chat")],
         {"openai_responses"}),
    ],
)  # fmt: skip
def test_bodies_are_looked_into_only_where_another_dialects_provider_may_have_signed(
    providers: list[tuple[Provider, Door]], beside: set[str]
) -> None:
    assert Routes(providers, {}).resolve("a/m").targets[0].beside == beside


@pytest.mark.parametrize(
    ("edge", "wanted", "found"),
    [
        ("openai_chat", None, "a"),
        ("openai_responses", None, "b"),
        ("anthropic", None, "c"),
        ("gemini", None, "a"),
        ("anthropic", "a", "a"),
    ],
)
def test_a_path_without_a_model_goes_to_whoever_speaks_its_dialect(
    edge: str, wanted: str | None, found: str
) -> None:
    routes = Routes(
        [speaking("a", "openai_chat"), speaking("b", "openai_responses"), speaking("c", "anthropic")], {}, "a"
    )
    assert routes.without_model(wanted, edge).name == found
