"""What the SDKs do besides asking for answers: counting, embedding, listing, and looking at what is kept."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.journey.live import KEY
from tests.sdks.conftest import PROVIDERS, Provider
from tests.sdks.talk import WEATHER, Client, Wishes

QUESTION = "What do birds eat in winter?"


@pytest.fixture(scope="module")
def chatty(root: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(root: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def google(root: str) -> Iterator[genai.Client]:
    with genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=root)) as client:
        yield client


# Counting.


def test_anthropics_sdk_counts_tokens_at_every_provider(
    claude: anthropic.Anthropic, provider: Provider
) -> None:
    raw = claude.messages.with_raw_response.count_tokens(
        model=provider.model(provider.plain),
        system="You are a gardener.",
        messages=[{"role": "user", "content": QUESTION}],
    )
    assert 10 <= raw.parse().input_tokens <= 30
    estimated = provider.dialect == "openai_chat"
    assert ("count;emulate" in (raw.headers.get("x-madang-losses") or "")) is estimated


def test_a_conversation_that_another_model_has_signed_is_counted_too(
    claude: anthropic.Anthropic, clients: dict[str, Client], provider: Provider
) -> None:
    client, wishes = clients["anthropic"], Wishes(tools=(WEATHER,), think=True)
    talk = client.user("How is the weather in Seoul?")
    called = client.ask("gemini/gemini-3.5-flash", talk, wishes)
    talk += [*called.turn, *client.results((called.calls[0], "Snow."))]
    for said in (talk, [*talk, {"role": "assistant", "content": "It snows."}, *client.user("Thanks.")]):
        counted = claude.messages.count_tokens(model=provider.model(provider.plain), messages=said)
        assert counted.input_tokens > 10


def test_googles_sdk_counts_tokens_at_every_provider(google: genai.Client, provider: Provider) -> None:
    counted = google.models.count_tokens(model=provider.model(provider.plain), contents=QUESTION)
    assert 5 <= (counted.total_tokens or 0) <= 20


def test_openais_sdk_counts_tokens_at_every_provider(chatty: openai.OpenAI, provider: Provider) -> None:
    raw = chatty.responses.input_tokens.with_raw_response.count(
        model=provider.model(provider.plain), instructions="You are a gardener.", input=QUESTION
    )
    assert 10 <= raw.parse().input_tokens <= 30
    estimated = provider.dialect == "openai_chat"
    assert ("count;emulate" in (raw.headers.get("x-madang-losses") or "")) is estimated


# Embedding.

EMBEDDING = {
    "openai_chat": "text-embedding-3-small",
    "openai_responses": "text-embedding-3-small",
    "gemini": "gemini-embedding-001",
}


@pytest.mark.parametrize("dialect", EMBEDDING)
def test_texts_are_embedded_by_both_sdks_alike(
    chatty: openai.OpenAI, google: genai.Client, dialect: str
) -> None:
    model, texts = PROVIDERS[dialect].model(EMBEDDING[dialect]), ["a yard", "a house"]
    one = chatty.embeddings.create(model=model, input=texts)
    other = google.models.embed_content(model=model, contents=list(texts))
    assert other.embeddings is not None
    for left, right in zip(one.data, other.embeddings, strict=True):
        assert right.values == pytest.approx(left.embedding)
    assert one.data[0].embedding != one.data[1].embedding


def test_texts_are_embedded_in_the_length_asked_for(chatty: openai.OpenAI, google: genai.Client) -> None:
    for dialect, name in EMBEDDING.items():
        model = PROVIDERS[dialect].model(name)
        one = chatty.embeddings.create(model=model, input="a yard", dimensions=256)
        config = types.EmbedContentConfig(output_dimensionality=256)
        other = google.models.embed_content(model=model, contents="a yard", config=config)
        assert other.embeddings is not None
        assert (len(one.data[0].embedding), len(other.embeddings[0].values or ())) == (256, 256)


def test_a_provider_that_embeds_nothing_says_so(chatty: openai.OpenAI, google: genai.Client) -> None:
    model = PROVIDERS["anthropic"].model("claude-haiku-4-5")
    with pytest.raises(openai.BadRequestError, match="embeds no texts"):
        chatty.embeddings.create(model=model, input="a yard")
    with pytest.raises(errors.ClientError, match="embeds no texts"):
        google.models.embed_content(model=model, contents="a yard")


# Models.


def test_every_sdk_lists_the_same_models(client: Client, clients: dict[str, Client]) -> None:
    listed = client.models()
    assert listed == clients["openai_chat"].models()
    for provider in PROVIDERS.values():
        assert any(name.startswith(f"{provider.name}/") for name in listed), provider.name


def test_every_sdk_finds_a_model_by_its_name(
    chatty: openai.OpenAI, claude: anthropic.Anthropic, google: genai.Client, provider: Provider
) -> None:
    name = provider.model(provider.plain)
    assert chatty.models.retrieve(name).id == name
    assert claude.models.retrieve(name).id == name
    assert google.models.get(model=name).name == f"models/{name}"


def test_a_model_that_is_not_there_is_not_found_by_any_sdk(
    chatty: openai.OpenAI, claude: anthropic.Anthropic, google: genai.Client
) -> None:
    with pytest.raises(openai.NotFoundError):
        chatty.models.retrieve("nobody/nothing")
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("nobody/nothing")
    with pytest.raises(errors.ClientError, match="404"):
        google.models.get(model="nobody/nothing")


# What the Responses API keeps.


def test_a_kept_response_is_looked_at_and_deleted(chatty: openai.OpenAI) -> None:
    model = PROVIDERS["openai_responses"].model("gpt-5")
    made = chatty.responses.create(model=model, input=QUESTION)
    assert chatty.responses.retrieve(made.id).output_text == made.output_text
    items = chatty.responses.input_items.list(made.id).data
    assert [item.type for item in items] == ["message"]
    again = chatty.responses.create(model=model, input="And in spring?", previous_response_id=made.id)
    assert again.previous_response_id == made.id
    chatty.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        chatty.responses.retrieve(made.id)


def test_a_response_in_the_background_is_cancelled(chatty: openai.OpenAI) -> None:
    model = PROVIDERS["openai_responses"].model("gpt-5")
    made = chatty.responses.create(model=model, input=QUESTION, background=True)
    assert made.status == "queued"
    assert chatty.responses.cancel(made.id).status == "cancelled"


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
def test_nothing_is_kept_elsewhere_and_that_is_said(chatty: openai.OpenAI, dialect: str) -> None:
    provider = PROVIDERS[dialect]
    model = provider.model(provider.plain)
    with pytest.raises(openai.BadRequestError, match="it uses 'field:openai_responses:background'"):
        chatty.responses.create(model=model, input=QUESTION, background=True)
    with pytest.raises(openai.BadRequestError, match="it uses 'field:openai_responses:previous_response_id'"):
        chatty.responses.create(model=model, input=QUESTION, previous_response_id="resp_0")
    made = chatty.responses.create(model=model, input=QUESTION)
    with pytest.raises(openai.NotFoundError):
        chatty.responses.retrieve(made.id)
    here = {"x-madang-provider": provider.name}
    with pytest.raises(openai.NotFoundError, match="is for providers that speak openai_responses"):
        chatty.responses.retrieve(made.id, extra_headers=here)


def test_a_thread_at_anthropic_is_refused_elsewhere(claude: anthropic.Anthropic, provider: Provider) -> None:
    """With `error` its SDK does not go on without a thread by itself."""
    thread = claude.beta.messages.thread(
        model=provider.model(provider.plain), max_tokens=100, unsupported_request_behavior="error"
    )
    sentence = "thread: Extra inputs" if provider.dialect == "anthropic" else "is kept at Anthropic"
    with pytest.raises(anthropic.BadRequestError, match=sentence):
        thread.send({"role": "user", "content": QUESTION})
