"""What the imitated model says: sentences around a topic, in Korean and in English.

They say nothing about the topic, only that it was asked for: nobody should take them for a model's.
"""

from __future__ import annotations

import re

import msgspec

_HANGUL = re.compile(r"[가-힣]")
_TOPIC = re.compile(r"[A-Za-z][A-Za-z'-]{3,30}|[가-힣]{2,12}")
# A topic is looked for where a question usually stands: at the end of what was said.
_TAIL = 200
_STOPWORDS = frozenset(
    (
        *(
            "what",
            "when",
            "where",
            "which",
            "whose",
            "that",
            "this",
            "these",
            "those",
            "with",
            "from",
            "have",
        ),
        *("does", "about", "would", "could", "should", "please", "tell", "give", "make", "write", "explain"),
        *("describe", "into", "your", "there", "their", "they", "them", "then", "than", "some"),
        *("무엇", "무엇인가요", "어떻게", "설명해", "설명해줘", "알려줘", "알려주세요", "해줘", "해주세요"),
        *("대해", "그리고", "있나요", "인가요"),
    )
)


class Phrases(msgspec.Struct, frozen=True):
    """One language's sentences; what is in braces is filled in."""

    topic: str
    """What the talk is about when nothing better was found."""
    sentences: tuple[str, ...]
    refusal: str
    attachments: str
    tool_result: str


ENGLISH = Phrases(
    topic="your question",
    sentences=(
        "Here is a simulated answer about {topic}.",
        "The first thing to look at in {topic} is what it is for and who depends on it.",
        "It helps to write down what is known about {topic} before deciding anything.",
        "A small example of {topic} says more than a long definition.",
        "Two points matter: how {topic} starts, and how it ends.",
        "If {topic} changes later, check the assumptions above again.",
        "Most questions about {topic} come down to time, cost and care.",
        "There are other views of {topic}, and each has its reasons.",
        "In short, take {topic} one step at a time and measure as you go.",
    ),
    refusal="I'm sorry, but I can't help with that.",
    attachments="Attachments received: {count}{kinds}.",
    tool_result="The result of {name} is: {result}",
)

KOREAN = Phrases(
    topic="질문",
    sentences=(
        "'{topic}'에 대한 모의 답변입니다.",
        "먼저 '{topic}'의 목적과 누가 그것에 기대는지 살펴보는 것이 좋습니다.",
        "무엇을 정하기 전에 '{topic}'에 대해 아는 것을 적어 두면 도움이 됩니다.",
        "'{topic}'의 작은 예 하나가 긴 정의보다 많은 것을 말해 줍니다.",
        "중요한 점은 두 가지입니다. '{topic}'의 시작과 끝입니다.",
        "나중에 '{topic}'의 조건이 바뀌면 위의 가정을 다시 확인하세요.",
        "'{topic}'에 관한 물음은 대개 시간, 비용, 정성의 문제입니다.",
        "'{topic}'을(를) 보는 다른 관점도 있으며 저마다 이유가 있습니다.",
        "요컨대 '{topic}'은(는) 한 걸음씩, 재어 보면서 나아가면 됩니다.",
    ),
    refusal="죄송하지만 그 요청은 도와드릴 수 없습니다.",
    attachments="받은 첨부: {count}개{kinds}.",
    tool_result="{name}의 결과는 다음과 같습니다: {result}",
)


def phrases_for(text: str) -> Phrases:
    """Korean if there is Hangul in the text, else English."""
    return KOREAN if not text.isascii() and _HANGUL.search(text) else ENGLISH


def topic_words(text: str) -> list[str]:
    """Words that could be a topic, in the order they were said."""
    return [word for word in _TOPIC.findall(text[-_TAIL:]) if word.lower() not in _STOPWORDS]
