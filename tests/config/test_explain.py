"""What a configuration means, in words and as values."""

from __future__ import annotations

import pytest

from madang.config.explain import TargetView, explain, explain_providers, how_usage_comes, in_words
from madang.config.schema import Config, Route
from madang.config.schema import Provider as Section
from madang.providers.base import Provider, Row
from madang.providers.discover import discover

CHAT = ["openai_chat"]
HERE = TargetView("offline", "extractive", None, [], model_spliced=False, usage_asked=False)


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
        TargetView(
            "openai",
            "gpt-4o",
            "https://api.openai.com/v1",
            ["openai_responses", "openai_chat"],
            model_spliced=True,
            usage_asked=True,
        ),
        TargetView(
            "mistral",
            "mistral-small-latest",
            "https://api.mistral.ai/v1",
            ["openai_chat"],
            model_spliced=True,
            usage_asked=False,
        ),
        TargetView("mine", "a/b", "http://h/v1", ["openai_chat"], model_spliced=True, usage_asked=True),
        HERE,
    ]


def test_an_alias_that_is_the_models_own_name_needs_no_splice() -> None:
    config = Config(routes={"gpt-4o": "openai/gpt-4o"})
    [route] = explain(config, on(config, OPENAI_API_KEY="k"))
    assert route.targets[0].model_spliced is False


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            TargetView("p", "m", "http://h", CHAT, model_spliced=True, usage_asked=True),
            [
                "bytes pass in openai_chat, others are translated",
                "model name is spliced, usage is asked for in streams",
            ],
        ),
        (
            TargetView("p", "m", "http://h", CHAT, model_spliced=False, usage_asked=False),
            ["bytes pass in openai_chat, others are translated", "usage is not asked for"],
        ),
        (
            TargetView("p", "m", "http://h", ["anthropic", "gemini"], model_spliced=False, usage_asked=False),
            ["bytes pass in anthropic and gemini, others are translated"],
        ),
        (HERE, ["answered here, nothing leaves"]),
    ],
)
def test_a_target_in_words(target: TargetView, words: list[str]) -> None:
    assert in_words(target) == words


def test_a_provider_says_why_it_is_on_and_whose_bare_names_it_takes() -> None:
    config = Config(providers={"mine": Section(base_url="http://h/v1", models=["m"], include_usage=False)})
    anthropic, mine = explain_providers(on(config, ANTHROPIC_API_KEY="k"))
    assert (anthropic.reason, anthropic.base_url, anthropic.models) == (
        "ANTHROPIC_API_KEY is set",
        "https://api.anthropic.com/v1",
        ["claude-*"],
    )
    assert (anthropic.dialects, anthropic.usage_asked) == (["anthropic"], False)
    assert (mine.reason, mine.models, mine.usage_asked) == ("madang.yaml names it", ["m"], False)


@pytest.mark.parametrize(
    ("key", "base_url"),
    [
        ("OPENAI_API_KEY", "https://api.openai.com/v1"),
        ("ANTHROPIC_API_KEY", "https://api.anthropic.com/v1"),
        ("GEMINI_API_KEY", "https://generativelanguage.googleapis.com"),
        ("PERPLEXITY_API_KEY", "https://api.perplexity.ai"),
    ],
)
def test_the_address_shown_is_what_stands_before_the_paths_of_the_first_dialect(
    key: str, base_url: str
) -> None:
    [view] = explain_providers(on(Config(), **{key: "k"}))
    assert view.base_url == base_url


def test_usage_is_no_question_where_chat_completions_are_not_spoken() -> None:
    [gemini] = explain_providers(on(Config(), GEMINI_API_KEY="k"))
    assert how_usage_comes(gemini.dialects, asked=gemini.usage_asked) == []


def test_a_provider_without_an_address_is_answered_here() -> None:
    here = Provider(row=Row(name="offline", title="Offline", base_url=""), base_url="")
    assert explain_providers([here]) == []
    [route] = explain(Config(routes={"a": "offline/extractive"}), [here])
    assert route.targets == [HERE]
