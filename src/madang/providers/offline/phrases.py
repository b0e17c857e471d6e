"""Every sentence we say ourselves, in both languages. All else in an answer is quoted."""

from __future__ import annotations

from dataclasses import dataclass

from madang.providers.offline.asks import Seeks
from madang.providers.offline.language import Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's sentences; `{}` takes numbers and our own words, never the user's."""

    hello: str
    welcome: str
    what_i_am: str
    how_to_use: str
    real_model: str
    cannot_know: str
    cannot_do: str
    cannot_do_but: str
    cannot_translate: str
    cannot_translate_quotes: str
    nothing_to_summarise: str
    nothing_to_count: str
    nothing_to_search: str
    nothing_to_change: str
    no_request: str
    summary: str
    summary_one: str
    summary_all: str
    summary_all_one: str
    fewer: str
    over: str
    shortest: str
    least: str
    says: str
    where: str
    where_several: str
    nearest: str
    nearest_plain: str
    silent: str
    looked_through_one: str
    looked_through: str
    foreign: str
    foreign_kind: str
    counts: str
    keywords: str
    no_keywords: str
    cut: str
    places: dict[str, str]
    sought: dict[Seeks, str]
    kinds: dict[Seeks, str]
    quoted: str
    counted: str
    searched: str
    unaided: str


_KEYS = "`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY`, `GROQ_API_KEY`"

ENGLISH = Phrases(
    hello="Hello!",
    welcome="You are welcome. Paste another text whenever you like.",
    what_i_am=(
        "I am Madang's built-in `offline` provider. There is no language model behind me: I"
        " work without a key"
        " and without a network, and all I can do is pick sentences out of a text you give me."
    ),
    how_to_use=(
        "What you can ask:\n\n"
        "- `Summarise this in two sentences: …`\n"
        "- a text, and then a question that the text answers\n"
        "- `List 5 keywords: …` or `How many words are in this text: …`"
    ),
    real_model=(
        f"For a real model, set one of {_KEYS} in the environment or in a `.env` file and start Madang again,"
        " or start Ollama."
    ),
    cannot_know=(
        "I cannot answer that: I know nothing but the text I am given, and here there is none to look in."
    ),
    cannot_do="That takes a language model, and I am none: I cannot write, explain or rewrite.",
    cannot_do_but=(
        "That takes a language model, and I am none. What I can do is show the most central sentences "
        "of the text:"
    ),
    cannot_translate="I cannot translate: I only quote a text in the words it was written in.",
    cannot_translate_quotes="I cannot translate, so the sentences stay in the language they were written in.",
    nothing_to_summarise="There is no text here to summarise. Paste it after your request, or send it first.",
    nothing_to_count="There is no text here to count. Paste it after your request.",
    nothing_to_search="There is no text here to take keywords from. Paste it after your request.",
    nothing_to_change=(
        "There is no earlier answer of mine to change. Give me a text, and say what you would like."
    ),
    no_request="You gave a text and no request, so here is what is most central in it:",
    summary="Of the {total} sentences in {place}, these {shown} are the most central:",
    summary_one="Of the {total} sentences in {place}, this one is the most central:",
    summary_all="There are only {total} sentences in {place}, so here they all are:",
    summary_all_one="There is only one sentence in {place}:",
    fewer="*You asked for {asked}; there are only {total}.*",
    over="*No sentence is that short; this is the shortest of the central ones.*",
    shortest="I cannot make a sentence shorter, only choose a shorter one:",
    least="One sentence is the least I can quote; I cannot shorten it.",
    says="{place} says{where}:",
    where=" (sentence {numbers} of {total})",
    where_several=" (sentences {numbers} of {total})",
    nearest="I found no sentence that says {sought}. The nearest one in {place}{where}:",
    nearest_plain="I found no sentence that clearly answers this. The nearest one in {place}{where}:",
    silent="The text does not say, as far as words can tell: {looked} too few of them with your question.",
    looked_through_one="its one sentence shares",
    looked_through="its {total} sentences share",
    foreign=(
        "Your question and the text are in different languages, and I cannot translate: their words cannot be"
        " compared. Please ask in the language of the text."
    ),
    foreign_kind=(
        "Your question and the text are in different languages, so their words cannot be compared."
        " In {place}, {kind} stands here:"
    ),
    counts=(
        "Counted in {place}:\n\n- words (parted by white space): {words}"
        "\n- characters: {characters}, without white space {letters}\n- sentences: {sentences}"
    ),
    keywords="The words that matter most in {place}, with how often they occur:",
    no_keywords="I found no word in {place} that would make a keyword.",
    cut=(
        "*There is more here than I read: a million characters (of a longer message its"
        " beginning and its end),"
        " and 20,000 sentences of one text.*"
    ),
    places={
        "message": "your text",
        "earlier": "the text you gave earlier",
        "system": "the system prompt",
        "tool": "the tool's result",
        "answer": "an earlier answer in this conversation",
    },
    sought={Seeks.WHEN: "when", Seeks.AMOUNT: "how much or how many", Seeks.WHY: "why"},
    kinds={Seeks.WHEN: "a date or a time", Seeks.AMOUNT: "a number", Seeks.WHY: "a reason"},
    quoted="*offline: quoted from your text, no language model was used*",
    counted="*offline: counted in your text, no language model was used*",
    searched="*offline: compared word by word with your text, no language model was used*",
    unaided="*offline: a fixed reply, no language model was used*",
)

KOREAN = Phrases(
    hello="안녕하세요!",
    welcome="천만에요. 다른 글도 언제든 붙여 넣어 주세요.",
    what_i_am=(
        "저는 마당에 내장된 `offline` 제공자입니다. 뒤에 언어 모델이 없습니다. 키도 네트워크도 없이 움직이고,"
        " 주신 글에서 문장을 골라 보여 드리는 일만 할 수 있습니다."
    ),
    how_to_use=(
        "이렇게 물어보실 수 있습니다.\n\n"
        "- `두 문장으로 요약해줘: …`\n"
        "- 글을 붙여 넣고, 그 글에 답이 있는 질문\n"
        "- `키워드 5개 뽑아줘: …` 또는 `이 글은 몇 글자야: …`"
    ),
    real_model=(
        f"실제 모델을 쓰려면 환경 변수나 `.env` 파일에 {_KEYS} 가운데 하나를 넣고 마당을 다시 시작하거나,"
        " Ollama를 켜 주세요."
    ),
    cannot_know="그 질문에는 답할 수 없습니다. 저는 주어진 글밖에 모르는데, 여기에는 찾아볼 글이 없습니다.",
    cannot_do="그 일에는 언어 모델이 필요한데 저는 아닙니다. 글을 쓰거나 설명하거나 고쳐 쓰지 못합니다.",
    cannot_do_but=(
        "그 일에는 언어 모델이 필요한데 저는 아닙니다. 대신 주신 글의 중심이 되는 문장은 보여 드릴 수 "
        "있습니다."
    ),
    cannot_translate="번역은 하지 못합니다. 글을 쓰인 그대로 옮길 수만 있습니다.",
    cannot_translate_quotes="번역은 하지 못해서 문장은 쓰인 언어 그대로 둡니다.",
    nothing_to_summarise="요약할 글이 없습니다. 요청 뒤에 글을 붙여 넣거나 글을 먼저 보내 주세요.",
    nothing_to_count="셀 글이 없습니다. 요청 뒤에 글을 붙여 넣어 주세요.",
    nothing_to_search="키워드를 뽑을 글이 없습니다. 요청 뒤에 글을 붙여 넣어 주세요.",
    nothing_to_change=(
        "앞서 드린 답이 없어서 바꿀 것이 없습니다. 글을 주시고 무엇을 원하시는지 말씀해 주세요."
    ),
    no_request="글만 있고 요청이 없어서, 중심이 되는 문장을 골랐습니다.",
    summary="{place}의 문장 {total}개 가운데 중심이 되는 {shown}개입니다.",
    summary_one="{place}의 문장 {total}개 가운데 중심이 되는 하나입니다.",
    summary_all="{place}에는 문장이 {total}개뿐이라 모두 옮깁니다.",
    summary_all_one="{place}에는 문장이 하나뿐입니다.",
    fewer="*{asked}개를 원하셨지만 문장이 {total}개뿐입니다.*",
    over="*그 길이에 맞는 문장이 없어 중심 문장 가운데 가장 짧은 것을 골랐습니다.*",
    shortest="문장을 줄이지는 못하고, 더 짧은 문장을 고를 수는 있습니다.",
    least="한 문장보다 짧게는 옮기지 못합니다. 문장을 줄여 쓸 수 없습니다.",
    says="{place}에 이렇게 나옵니다{where}.",
    where="(문장 {total}개 중 {numbers}번째)",
    where_several="(문장 {total}개 중 {numbers}번째)",
    nearest="{sought} 말하는 문장은 찾지 못했습니다. {place}에서 가장 가까운 문장입니다{where}.",
    nearest_plain="분명한 답은 찾지 못했습니다. {place}에서 가장 가까운 문장입니다{where}.",
    silent="글에 나오지 않습니다. {looked}를 살폈지만 질문의 낱말이 충분히 든 문장이 없습니다.",
    looked_through_one="문장 1개",
    looked_through="문장 {total}개",
    foreign=(
        "질문과 글의 언어가 달라 낱말을 맞춰 볼 수 없습니다. 번역은 하지 못하니 글의 언어로 물어봐 주세요."
    ),
    foreign_kind=(
        "질문과 글의 언어가 달라 낱말을 맞춰 볼 수 없습니다. {place}에서 {kind} 나오는 문장을 옮깁니다."
    ),
    counts=(
        "{place}에서 센 결과입니다.\n\n- 글자: {characters}자, 공백 제외 {letters}자"
        "\n- 단어(띄어쓰기 기준): {words}개\n- 문장: {sentences}개"
    ),
    keywords="{place}에서 무게 있는 낱말과 나온 횟수입니다.",
    no_keywords="{place}에서 키워드로 삼을 낱말을 찾지 못했습니다.",
    cut=(
        "*글이 제가 읽을 수 있는 것보다 깁니다. 모두 백만 자(더 긴 메시지는 처음과 끝)까지,"
        " 한 글에서 문장 20,000개까지만 살핍니다.*"
    ),
    places={
        "message": "주신 글",
        "earlier": "앞서 주신 글",
        "system": "시스템 프롬프트",
        "tool": "도구의 결과",
        "answer": "앞선 답변",
    },
    sought={Seeks.WHEN: "언제인지", Seeks.AMOUNT: "얼마나인지", Seeks.WHY: "왜인지"},
    kinds={Seeks.WHEN: "때가", Seeks.AMOUNT: "수가", Seeks.WHY: "까닭이"},
    quoted="*offline: 주신 글에서 그대로 옮겼습니다. 언어 모델은 쓰지 않았습니다*",
    counted="*offline: 주신 글에서 세었습니다. 언어 모델은 쓰지 않았습니다*",
    searched="*offline: 주신 글과 낱말을 맞춰 보았습니다. 언어 모델은 쓰지 않았습니다*",
    unaided="*offline: 정해진 답변입니다. 언어 모델은 쓰지 않았습니다*",
)

SIGNATURES = tuple(
    line
    for phrases in (ENGLISH, KOREAN)
    for line in (phrases.quoted, phrases.counted, phrases.searched, phrases.unaided)
)


def phrases_in(language: Language) -> Phrases:
    """The sentences of one language."""
    match language:
        case Language.KOREAN:
            return KOREAN
        case Language.ENGLISH:
            return ENGLISH
