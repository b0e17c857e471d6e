"""Which cells there are: what is asked of which class of which framework, in front of which provider.

Read by the tests and, in the other environment, by the programs: nothing but the standard library here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Models:
    """A provider's models, as clients call them."""

    plain: str
    """Does not think."""
    thinking: str
    """Thinks, and wants its signed thoughts back while a loop of tools is open."""
    embedding: str = ""
    """Makes vectors, if the provider has such models."""


PROVIDERS = {
    "openai_chat": Models("openai/gpt-4o", "openai/gpt-5", "openai/text-embedding-3-small"),
    "openai_responses": Models("stored/gpt-4o", "stored/gpt-5", "stored/text-embedding-3-small"),
    "anthropic": Models("anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-5", "anthropic/none"),
    "gemini": Models("gemini/gemini-2.0-flash", "gemini/gemini-3.5-flash", "gemini/gemini-embedding-001"),
}
"""By the one dialect that the provider speaks."""

KNOWN_CLAUDES = {
    "openai_chat": Models("claude-opus-4-1", "claude-opus-4-1-20250805"),
    "openai_responses": Models("claude-opus-4-5", "claude-opus-4-5-20251101"),
    "anthropic": Models("claude-haiku-4-5", "claude-sonnet-4-5"),
    "gemini": Models("claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"),
}
"""Routes to the same models, for LlamaIndex's Anthropic, which takes only names that it knows."""

ASKED = ("structured", "partial", "iterable", "asked_again", "image", "unknown_model")
"""What is asked of Instructor in every mode."""

CHAT = ("answer", "stream", "tools", "parallel", "thinking", "thinking_streamed", "image", "unknown_model")
"""What is asked of everything that calls itself a chat model."""

FRAMEWORKS: dict[str, dict[str, tuple[str, ...]]] = {
    "langchain": {
        **dict.fromkeys(
            ("ChatOpenAI", "ChatOpenAI.responses", "ChatAnthropic", "ChatGoogleGenerativeAI"),
            (*CHAT, "by_schema", "by_function"),
        ),
        **dict.fromkeys(("OpenAIEmbeddings", "GoogleGenerativeAIEmbeddings"), ("embeddings",)),
    },
    "instructor": {
        "from_openai.TOOLS": (*ASKED, "thinking"),
        "from_openai.JSON": ASKED,
        "from_openai.JSON_SCHEMA": ASKED,
        "from_openai.RESPONSES_TOOLS": (*ASKED, "thinking"),
        "from_anthropic.TOOLS": (*ASKED, "thinking"),
        "from_anthropic.JSON": ASKED,
        "from_genai.TOOLS": (*ASKED, "thinking"),
        "from_genai.JSON": ASKED,
        "from_provider.TOOLS": ASKED,
    },
    "llamaindex": dict.fromkeys(
        ("OpenAILike", "OpenAILikeResponses", "Anthropic", "GoogleGenAI"),
        (*CHAT, "agent", "predict_and_call", "structured_predict", "structured_llm"),
    ),
}
"""By framework and by its class, as its users name it: the scenarios."""


@dataclass(frozen=True)
class Cell:
    """One thing that is asked."""

    framework: str
    client: str
    provider: str
    scenario: str

    @property
    def models(self) -> Models:
        """The provider's, by names that the client takes."""
        known = self.framework == "llamaindex" and self.client == "Anthropic"
        return (KNOWN_CLAUDES if known else PROVIDERS)[self.provider]

    @property
    def nobody(self) -> str:
        """A model that nobody has, by a name that the client takes."""
        known = self.framework == "llamaindex" and self.client == "Anthropic"
        return "anthropic.claude-opus-4-6-v1:0" if known else "nobody/nothing"

    @property
    def name(self) -> str:
        """As it is said in every question, so that a provider's requests can be told apart."""
        return f"{self.framework}/{self.client}/{self.provider}/{self.scenario}"


def cells(framework: str) -> list[Cell]:
    """All that is asked of a framework."""
    return [
        Cell(framework, client, provider, scenario)
        for client, scenarios in FRAMEWORKS[framework].items()
        for provider in PROVIDERS
        for scenario in scenarios
    ]
