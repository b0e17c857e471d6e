"""What the offline provider answers, in both languages, on little texts of our own."""

from __future__ import annotations

import time
import unicodedata

import pytest

from madang.providers.offline import Turn, answer
from madang.providers.offline.conversation import MOST_READ
from madang.providers.offline.phrases import ENGLISH, KOREAN

FERRY = (
    "The ferry to Sorak Island has run since 1962. At first it was a fishing boat with room for nine people."
    " The island had no doctor, so the village council bought a larger ship in 1978 in order to bring"
    " patients to the mainland. Captain Jiwon Han steered it for thirty years. Today the ferry makes four"
    " trips a day and carries 120 passengers. It does not sail when the waves are higher than two metres."
    " A ticket costs 6,500 won."
)
BAKERY = (
    "새벽빵집은 부산 영도에 있다. 2008년 가을에 김도윤 씨가 문을 열었다."
    " 그는 제빵을 배우려고 군산에서 5년을 보냈다. 빵은 하루에 300개만 굽는다."
    " 반죽을 열두 시간 동안 숙성하기 때문에 더 많이 만들 수 없다."
    " 손님들은 아침 일곱 시부터 줄을 선다. 가장 인기 있는 빵은 쑥 단팥빵이고 값은 2,500원이다."
    " 수요일에는 쉰다."
)


def said(*user: str) -> str:
    """The answer to the last of several user turns, with our own answers in between."""
    turns: list[Turn] = []
    for text in user:
        turns.append(Turn("user", text))
        turns.append(Turn("assistant", answer(turns).text))
    return turns[-1].text


def quoted(text: str) -> list[str]:
    return [line[2:] for line in text.split("\n") if line.startswith(("> ", "- "))]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Since when has the ferry run?", "since 1962"),
        ("How much is a ticket?", "6,500 won"),
        ("How many passengers does the ferry carry?", "120 passengers"),
        ("How many trips does it make a day?", "four trips"),
        ("Why did the council buy a larger ship?", "in order to bring patients"),
        ("Who steered the ship?", "Captain Jiwon Han"),
        ("When does the ferry not sail?", "when the waves"),
        ("Did the island have a doctor?", "no doctor"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "{text}\n\n{question}",
        "{text} Question: {question}",
        "{question}\n\n{text}",
        "<text>{text}</text> {question}",
        "Answer from the text below.\nText: {text}\nQuestion: {question}\nAnswer:",
    ],
)
def test_a_question_gets_the_sentence_that_answers_it(form: str, question: str, expected: str) -> None:
    given = said(form.format(text=FERRY, question=question))
    assert given.startswith("Your text says")
    assert [expected in line for line in quoted(given)] == [True]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("빵집은 어디에 있나요?", "부산 영도"),
        ("누가 문을 열었나요?", "김도윤"),
        ("언제 문을 열었어?", "2008년 가을"),
        ("하루에 빵을 몇 개 구워?", "300개"),
        ("왜 더 많이 만들 수 없어?", "때문에"),
        ("쑥 단팥빵은 얼마야?", "2,500원"),
        ("무슨 요일에 쉬어?", "수요일"),
        ("손님들은 몇 시부터 줄을 서나요?", "일곱 시"),
        ("가장 인기 있는 빵은 무엇인가요?", "쑥 단팥빵"),
        ("군산에서 몇 년을 보냈나요?", "5년"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "{text}\n\n{question}",
        "{question}\n\n{text}",
        "본문: {text}\n질문: {question}",
        '"""{text}""" {question}',
    ],
)
def test_a_korean_question_gets_the_sentence_that_answers_it(form: str, question: str, expected: str) -> None:
    given = said(form.format(text=BAKERY, question=question))
    assert given.startswith("주신 글에 이렇게 나옵니다")
    assert [expected in line for line in quoted(given)] == [True]


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        (FERRY, "What is the capital of France?", "The text does not say"),
        (FERRY, "Who won the football match?", "The text does not say"),
        (BAKERY, "주차장이 있나요?", "글에 나오지 않습니다"),
        (BAKERY, "프랑스의 수도는 어디인가요?", "글에 나오지 않습니다"),
    ],
)
def test_what_the_text_does_not_say_is_not_said(text: str, question: str, expected: str) -> None:
    given = said(f"{text}\n\n{question}")
    assert given.startswith(expected)
    assert not quoted(given)


def test_a_sentence_without_the_kind_asked_for_is_only_called_the_nearest() -> None:
    assert said(FERRY + "\n\nHow old is the captain?").startswith("I found no sentence that says how much")


def test_a_sentence_that_points_back_brings_the_one_it_points_to() -> None:
    mill = "The old mill burned down. It happened in 1902. Fish came back to the river."
    assert quoted(said(mill + "\n\nWhen did the mill burn down?")) == [
        "The old mill burned down.",
        "It happened in 1902.",
    ]


def test_two_questions_get_two_answers() -> None:
    given = said(FERRY + "\n\nHow much is a ticket? Who steered the ship?")
    assert ["6,500" in given, "Jiwon Han" in given, "**1.**" in given, "**2.**" in given] == [True] * 4


@pytest.mark.parametrize(
    ("request_text", "number"),
    [
        ("Summarise this: ", 2),
        ("summarize in three sentences: ", 3),
        ("Summarise in one sentence.\n\n", 1),
        ("Give me a 4-sentence summary of the following text:\n", 4),
        ("tl;dr ", 2),
        ("Hi! Please summarise the text below as 3 bullets.\n\n", 3),
        ("한 문장으로 요약해줘: ", 1),
        ("다음 글을 세 문장으로 요약해 주세요.\n\n", 3),
        ("3줄로 요약해줘 ", 3),
        ("핵심 3가지만 정리해줘\n\n", 3),
        ("Summarise in 0 sentences: ", 1),
        ("Summarise in 99 sentences: ", 7),
    ],
)
def test_a_summary_is_as_long_as_asked_and_in_the_order_of_the_text(request_text: str, number: int) -> None:
    lines = quoted(said(request_text + FERRY))
    assert len(lines) == number
    assert [FERRY.index(line) for line in lines] == sorted(FERRY.index(line) for line in lines)


@pytest.mark.parametrize(
    "ending",
    [
        "\n\ntl;dr",
        " Summarise in two sentences.",
        " summarise in two sentences",
        "\n\n두 문장으로 요약해 주세요",
    ],
)
def test_the_request_may_come_after_the_text(ending: str) -> None:
    assert len(quoted(said(FERRY + ending))) == 2


def test_the_request_itself_is_not_summarised() -> None:
    given = said("Summarise the text in 20 sentences.\n\n" + FERRY + "\n\nThanks!")
    assert " ".join(quoted(given)) == FERRY


def test_a_question_inside_the_text_is_no_request() -> None:
    text = "Why do cats purr? Nobody is sure of it. Some say it heals their bones. Others say it calms them."
    assert said(text + "\n\nSummarise in one sentence.").startswith("Of the 4 sentences")


def test_a_length_in_words_or_characters_is_kept() -> None:
    assert sum(len(line.split()) for line in quoted(said("Summarise in 20 words: " + FERRY))) <= 20
    assert sum(map(len, quoted(said("50자 이내로 요약해줘: " + BAKERY)))) <= 50
    assert "No sentence is that short" in said("Summarise in 2 words: " + FERRY)


def test_the_first_sentence_of_a_report_counts_more() -> None:
    assert quoted(said("Summarise in one sentence: " + FERRY)) == [
        "The ferry to Sorak Island has run since 1962."
    ]


def test_what_is_said_twice_is_quoted_once() -> None:
    twice = "The mill burned down in May. The mill burned down in May."
    text = twice + " The town built a new bridge in June. It rained."
    assert quoted(said("summarise in 2 sentences: " + text)).count("The mill burned down in May.") == 1


def test_shorter_and_longer_change_the_summary_before() -> None:
    ask = "summarise in 4 sentences: " + FERRY
    assert [len(quoted(said(ask, then))) for then in ("shorter", "Make it longer", "in one sentence")] == [
        2,
        7,
        1,
    ]
    assert len(quoted(said(ask, "shorter", "even shorter"))) == 1
    assert "\n- " in said(ask, "as a list please")


def test_korean_follow_ups_change_the_summary_and_one_sentence_is_the_least() -> None:
    ask = "두 문장으로 요약해줘: " + BAKERY
    assert len(quoted(said(ask, "더 짧게"))) == 1
    assert len(quoted(said(ask, "더 짧게", "더 짧게", "더 짧게"))) == 1
    assert len(quoted(said(ask, "좀 더 자세히 말해줘"))) == 4
    assert len(quoted(said(ask, "세 문장으로"))) == 3


def test_a_follow_up_question_searches_the_text_given_before() -> None:
    given = said("Summarise this: " + FERRY, "How much is a ticket?")
    assert given.startswith("The text you gave earlier says")
    assert "6,500 won" in given


def test_a_question_that_leans_on_the_one_before_is_about_the_same_thing() -> None:
    bridge = "The bridge at Easton opened in 1911. The bridge was painted by Mina Park."
    text = bridge + " The mill was painted by Jun Lee."
    assert quoted(said(text + "\n\nWhen did the bridge open?", "And who painted it?")) == [
        "The bridge was painted by Mina Park."
    ]


def test_the_system_prompt_is_a_source_and_its_rules_are_not() -> None:
    system = Turn("system", "You are a helpful assistant. Answer politely. " + FERRY)
    given = answer([system, Turn("user", "How much is a ticket?")]).text
    assert given.startswith("The system prompt says (sentence 7 of 7)")
    only_rules = answer(
        [Turn("system", "You are a helpful assistant."), Turn("user", "Who are the helpers?")]
    )
    assert only_rules.text.startswith("I cannot answer that")


def test_a_tools_result_and_anothers_answer_are_named_as_such() -> None:
    question = Turn("user", "Until when does it rain?")
    weather = "The rain stays until noon. The wind is weak."
    assert answer([Turn("tool", weather), question]).text.startswith("The tool's result says")
    assert answer([Turn("assistant", weather), question]).text.startswith("An earlier answer")


def test_our_own_answers_are_no_source() -> None:
    ours = answer([Turn("user", "hello")]).text
    turns = [Turn("user", "hello"), Turn("assistant", ours), Turn("user", "What can start Ollama?")]
    assert answer(turns).text.startswith("I cannot answer that")


def test_a_korean_question_over_an_english_text_is_framed_in_korean() -> None:
    given = said(FERRY + "\n\nJiwon Han은 누구인가요?")
    assert given.startswith("주신 글에")
    assert quoted(given) == ["Captain Jiwon Han steered it for thirty years."]


def test_languages_that_share_no_words_are_not_taken_for_silence() -> None:
    given = said(FERRY + "\n\n언제부터 다녔나요?")
    assert given.startswith("질문과 글의 언어가 달라")
    assert "since 1962" in given
    assert said(BAKERY + "\n\nWhere is the bakery?").startswith(
        "Your question and the text are in different languages"
    )


@pytest.mark.parametrize("asked", ["in Korean?", "Translate this: " + FERRY, "번역해줘", "영어로?"])
def test_it_cannot_translate_and_says_so(asked: str) -> None:
    given = said("Summarise this: " + FERRY, asked)
    assert given.startswith((ENGLISH.cannot_translate, KOREAN.cannot_translate))


def test_a_summary_asked_for_in_another_language_stays_in_its_own() -> None:
    given = said("한국어로 요약해줘: " + FERRY)
    assert KOREAN.cannot_translate_quotes in given
    assert all(line in FERRY for line in quoted(given))


@pytest.mark.parametrize(
    "greeting", ["hi", "Hello there!", "안녕하세요", "안녕!", "What can you do?", "너는 누구야?"]
)
def test_a_greeting_is_answered_with_what_it_is_and_how_to_get_a_model(greeting: str) -> None:
    given = said(greeting)
    for word in ("offline", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "Ollama"):
        assert word in given
    assert ("언어 모델" in given) is not greeting.isascii()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("What is the capital of France?", ENGLISH.cannot_know),
        ("대한민국의 수도는 어디야?", KOREAN.cannot_know),
        ("Write a poem about the sea.", ENGLISH.cannot_do),
        ("시를 한 편 써줘", KOREAN.cannot_do),
        ("Summarise", ENGLISH.nothing_to_summarise),
        ("요약해줘", KOREAN.nothing_to_summarise),
        ("keywords please", ENGLISH.nothing_to_search),
        ("글자 수 세줘", KOREAN.nothing_to_count),
        ("shorter", ENGLISH.nothing_to_change),
        ("thanks!", ENGLISH.welcome),
        ("고마워요", KOREAN.welcome),
        ("OpenAI API key 설정 방법", KOREAN.what_i_am),
        ("", ENGLISH.what_i_am),
        ("...", ENGLISH.what_i_am),
        ("\x00\x07", ENGLISH.what_i_am),
    ],
)
def test_without_a_text_it_says_what_it_cannot_do(asked: str, expected: str) -> None:
    assert said(asked).startswith(expected)


def test_an_order_it_cannot_follow_gets_the_central_sentences_and_an_honest_word() -> None:
    given = said("Rewrite the text below politely:\n\n" + FERRY)
    assert given.startswith(ENGLISH.cannot_do_but)
    assert all(line in FERRY for line in quoted(given))


def test_a_text_without_a_request_is_summarised_and_that_is_said() -> None:
    assert said(FERRY).startswith(ENGLISH.no_request)
    assert said(BAKERY).startswith(KOREAN.no_request)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            "How many words are in this text: one two three. Four!",
            ["white space): 4", "characters: 20", "sentences: 2"],
        ),
        ("word count: 가 나 다", ["white space): 3", "characters: 5, without white space 3"]),
        ("몇 글자야: 안녕하세요 👋🏽", ["7자, 공백 제외 6자", "단어(띄어쓰기 기준): 2개"]),
        ("'마당'은 몇 글자야?", ["2자"]),
    ],
)
def test_what_can_be_counted_is_counted(asked: str, expected: list[str]) -> None:
    given = said(asked)
    assert [part for part in expected if part not in given] == []


def test_decomposed_hangul_counts_as_it_looks() -> None:
    assert "글자: 5자" in said(unicodedata.normalize("NFD", "몇 글자야: 안녕하세요"))


def test_keywords_are_words_of_the_text_with_their_counts() -> None:
    text = "도서관은 조용하다. 도서관에서 책을 읽는다. 책과 도서관이 좋다."
    assert quoted(said("키워드 2개 뽑아줘: " + text)) == ["도서관 (3)", "책 (2)"]
    assert quoted(said("3 keywords: Ships and ships. The harbour had ships, and a harbour pub."))[:2] == [
        "Ships (3)",
        "harbour (2)",
    ]


def test_decomposed_hangul_is_understood_and_quoted_as_it_came() -> None:
    decomposed = unicodedata.normalize("NFD", BAKERY + "\n\n언제 문을 열었어?")
    assert quoted(said(decomposed)) == [
        unicodedata.normalize("NFD", "2008년 가을에 김도윤 씨가 문을 열었다.")
    ]


def test_stop_sequences_end_the_text_before_them() -> None:
    turns = [Turn("user", "summarise in 2 sentences: " + FERRY)]
    stopped = answer(turns, stop=["nowhere in it", "\n\n", "Of"])
    assert (stopped.text, stopped.output_tokens, stopped.stop_reason) == ("", 0, "stop")
    assert answer(turns, stop=["\n\n"]).text == answer(turns).text.split("\n\n")[0]


def test_max_tokens_ends_it_at_a_piece_with_the_reason_length() -> None:
    turns = [Turn("user", "요약해줘: " + BAKERY)]
    whole = answer(turns)
    cut = answer(turns, max_tokens=5)
    assert (cut.output_tokens, cut.stop_reason) == (5, "length")
    assert whole.text.startswith(cut.text)
    assert answer(turns, max_tokens=whole.output_tokens) == whole


def test_markdown_and_code_around_a_text_are_left_out() -> None:
    text = "# Ferry\n\n" + FERRY + "\n\n```python\nprint('ferry ferry ferry')\n```\n"
    assert all(line in FERRY for line in quoted(said("Summarise in 9 sentences:\n\n" + text)))


@pytest.mark.parametrize(
    "megabyte",
    [
        "The library opened in 1987 and a storm came. " * 22_000,
        "도서관은 1987년에 문을 열었다. " * 55_000,
        "a" * 1_000_000,
        " " * 999_999 + "x",
        "\n" * 1_000_000,
        "<text>" * 160_000,
        '"' * 1_000_000,
        "질문: " * 250_000,
        "```a\n" * 200_000,
        "\x00a" * 500_000,
    ],
    ids=[
        "english",
        "korean",
        "one word",
        "spaces",
        "lines",
        "tags",
        "quotes",
        "labels",
        "fences",
        "controls",
    ],
)
def test_a_megabyte_takes_seconds_and_not_minutes(megabyte: str) -> None:
    began = time.process_time()
    answer([Turn("user", "Summarise this: " + megabyte)])
    # Under two seconds on the machine it was written on; a square in the size would take hours.
    assert time.process_time() - began < 15


def test_what_was_too_long_to_read_is_said() -> None:
    given = said("Rain fell. " * (MOST_READ // 11 + 100) + "\n\nSummarise in one sentence.")
    assert ENGLISH.cut in given
    assert quoted(given) == ["Rain fell."]


def test_a_long_conversation_is_read_from_its_end() -> None:
    early = Turn("user", "The tower stands in Easton. " * (MOST_READ // 28))
    late = [Turn("user", "The mill stands in Weston. " * 9), Turn("user", "Where is the tower?")]
    given = answer([early, *late]).text
    assert "Easton" not in given
    assert ENGLISH.cut in given
