"""Whether a sentence holds what a question wants: a date, a number, a place, a person, a reason."""

from __future__ import annotations

import re

from madang.providers.offline.asks import Find, Seeks

_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2})(?!\d|,\d)|(?:1\d{3}|20\d{2})년|\d{1,2}\s?[월일시](?!간)|\d{1,2}:\d{2}"
    r"|\d\s?(?:am|pm|a\.m|p\.m)\b"
    r"|\b(?:january|february|march|april|june|july|august|september|october|november|december"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|yesterday|today|tomorrow|tonight|noon|midnight|o'clock"
    r"|spring|summer|autumn|winter|century|years? ago|(?:last|next) (?:week|month|year)|in may|may \d|when)\b"
    r"|어제|오늘|내일|모레|작년|지난해|올해|내년|지난주|다음 ?주|지난달|다음 ?달"
    r"|[월화수목금토일]요일|오전|오후|정오|자정|새벽|아침|저녁"
    r"|봄|여름|가을|겨울|세기|년 전|때부터|주말|매일|매주",
    re.IGNORECASE,
)
_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    "|fifteen|sixteen|seventeen"
    "|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred"
    "|thousand|million|dozen|half"
)
_COUNTERS = (
    "명|개|권|마리|대|채|층|살|세|번|회|원|시간|분|초|일|주|달|년|곳|가지|장|잔|병|킬로|미터|퍼센트|"
    "그루|척|점|쪽|등"
)
_KOREAN_NUMBER = (
    "한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|스무|스물|서른|마흔|쉰|예순|수십|수백|수천|"
    "[일이삼사오육칠팔구십]*[십백천만억]"
)
_NUMBER = re.compile(
    rf"\d|\b(?:{_NUMBER_WORDS})\b|(?:^|\s)(?:{_KOREAN_NUMBER})+\s?(?:{_COUNTERS})(?![가-힣]{{3}})",
    re.IGNORECASE,
)
_NOT_A_NAME = (
    r"(?!(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Spring|Summer|Autumn|Winter|Christmas|Easter|I)\b)"
)
_PLACE = re.compile(
    r"\b(?:in|at|on|near|from|to|between|behind|beside|outside|inside|along|above|under|across)\s+(?:the\s+)?"
    rf"{_NOT_A_NAME}[A-Z][a-z]+"
    r"|\b(?:near|behind|beside|next to|opposite|(?:in|at|on|along|by) (?:the"
    r"|an?)) (?!(?:winter|summer|spring|autumn"
    r"|morning|afternoon|evening|end|time|moment|first|last|year|day|week|month)\b)\w+"
    r"|[가-힣]{2,}(?:시|도|군|구|동|읍|면|리|역|항|섬|산|강)(?:에|의|로|은|는|이|가|,|\s)"
    r"|[가-힣](?:에서|에 (?:있|위치|살|자리))|(?:옆|앞|뒤|근처|맞은편)에|[가-힣]{2,}(?:으로|로)\s"
)
_PERSON = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|President|Mayor|Captain|Sir)\b\.?|\b[A-Z][a-z]+ [A-Z][a-z]+\b"
    rf"|(?<=[a-z,] ){_NOT_A_NAME}[A-Z][a-z]+"
    r"|\b(?:mayor|founder|director|teacher|farmer|professor|engineer|author|architect"
    r"|captain|president|chef|king"
    r"|queen|minister)\b"
    r"|[가-힣]{2,4} ?(?:씨|님|교수|대표|사장|박사|선생|시장|감독|작가|기자|장관|대통령"
    r"|관장|원장|교장|선장|팀장|과장|건축가"
    r"|화가|농부)|(?:^|\s)[김이박최정강조윤장임한오서신권황안송류홍][가-힣]{1,2}(?:이|가|은|는|와|과|의|,)\s"
)
_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|so that|in order to|as a result|therefore|thanks to|caused?|reason"
    r"|to (?:keep|make|save|avoid|protect|help|give|let|prevent|raise))\b"
    r"|때문|위해|위하여|왜냐하면|덕분|덕에|탓|[가-힣]므로|이유|하려고|려고|[가-힣](?:어서"
    r"|아서|해서|라서|니까)(?=[\s,.])",
    re.IGNORECASE,
)
_CUES = {
    Seeks.WHEN: _DATE,
    Seeks.AMOUNT: _NUMBER,
    Seeks.WHERE: _PLACE,
    Seeks.WHO: _PERSON,
    Seeks.WHY: _REASON,
}
NEEDED = frozenset((Seeks.WHEN, Seeks.AMOUNT, Seeks.WHY))
"""Kinds without whose cue a sentence is no answer; places and people have too many forms to insist."""


def cue(sentence: str, question: Find) -> float:
    """From 0 (nothing of the kind asked for) to 1."""
    pattern = _CUES.get(question.seeks)
    if pattern is None or not pattern.search(sentence):
        return 0.0
    if question.seeks is not Seeks.AMOUNT or not question.units:
        return 1.0
    return 1.0 if any(_counts(sentence, unit) for unit in question.units) else 0.6


def _counts(sentence: str, unit: str) -> bool:
    """Whether a number stands before the unit: `40,000 old books`, `열두 명`."""
    if unit.isascii():
        near = rf"(?:\d|\b(?:{_NUMBER_WORDS})\b)[\d,.]*(?:\s+[\w-]+){{0,3}}?\s+{re.escape(unit.rstrip('s'))}"
    else:
        near = rf"(?:\d[\d,.]*|(?:{_KOREAN_NUMBER})+)\s?(?:여\s?)?{re.escape(unit)}"
    return re.search(near, sentence, re.IGNORECASE) is not None
