"""What a configuration means, in words and as values."""

from __future__ import annotations

import pytest

from madang.config.explain import TargetView, explain, explain_providers, in_words
from madang.config.schema import Config, Route
from madang.config.schema import Provider as Section
from madang.providers.base import Provider, Row
from madang.providers.discover import discover


def on(config: Config, **environ: str) -> list[Provider]:
    return discover(config, environ, probe_ollama=lambda _: False)


def test_each_target_of_a_route_says_where_it_leads_and_what_happens_on_the_way() -> None:
    config = Config(
        providers={"mine": Section(base_url="http://h/v1/")},
        routes={
            "fast": Route(
                targets=["openai/gpt-4o", "mistral/mistral-small-latest", "mine/a/b", "offline/extractive"]
            )
        },
    )
    [route] = explain(config, on(config, OPENAI_API_KEY="k", MISTRAL_API_KEY="k"))
    assert route.name == "fast"
    assert route.targets == [
        TargetView("openai", "gpt-4o", "https://api.openai.com/v1/chat/completions", True, True, True),
        TargetView(
            "mistral", "mistral-small-latest", "https://api.mistral.ai/v1/chat/completions", True, True, False
        ),
        TargetView("mine", "a/b", "http://h/v1/chat/completions", True, True, True),
        TargetView("offline", "extractive", None, False, False, False),
    ]


def test_an_alias_that_is_the_models_own_name_needs_no_splice() -> None:
    config = Config(routes={"gpt-4o": "openai/gpt-4o"})
    [route] = explain(config, on(config, OPENAI_API_KEY="k"))
    assert route.targets[0].model_spliced is False


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            TargetView("p", "m", "http://h", True, True, True),
            "bytes pass, model name is spliced, usage is asked for in streams",
        ),
        (TargetView("p", "m", "http://h", True, False, False), "bytes pass, usage is not asked for"),
        (TargetView("offline", "m", None, False, False, False), "answered here, nothing leaves"),
    ],
)
def test_a_target_in_words(target: TargetView, words: str) -> None:
    assert in_words(target) == words


def test_a_provider_says_why_it_is_on_and_whose_bare_names_it_takes() -> None:
    config = Config(providers={"mine": Section(base_url="http://h/v1", models=["m"], include_usage=False)})
    anthropic, mine = explain_providers(on(config, ANTHROPIC_API_KEY="k"))
    assert (anthropic.reason, anthropic.url, anthropic.models) == (
        "ANTHROPIC_API_KEY is set",
        "https://api.anthropic.com/v1/chat/completions",
        ["claude-*"],
    )
    assert (mine.reason, mine.models, mine.usage_asked) == ("madang.yaml names it", ["m"], False)


def test_a_provider_without_an_address_is_answered_here() -> None:
    here = Provider(row=Row(name="offline", title="Offline", base_url=""), base_url="")
    assert explain_providers([here]) == []
    [route] = explain(Config(routes={"a": "offline/extractive"}), [here])
    assert route.targets == [TargetView("offline", "extractive", None, False, False, False)]
