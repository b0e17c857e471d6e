"""The words of a sentence as they are compared: English without its endings, Korean without its particles.

A light hand: a wrong stem does little harm as long as the same word always gets the same one.
Porter's and a Korean morphological analyser would do better; neither is in the standard library.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*(?:[.,]\d+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_PARTS = re.compile(r"[가-힣]+|[^가-힣]+")
_HANGUL = re.compile("[가-힣]")

_STOP_WORDS = frozenset(
    "a about after again all also am an and any are as at be because been before being both but by can could"
    " did do does doing done down during each few for from further get got had has have"
    " having he her here hers"
    " him his how i if in into is it its just me more most much my no nor not now of off"
    " on once only or other"
    " our out over own per please same she should so some such than that the their them then there these they"
    " this those through to too under until up upon us very was we were what when where which while who whom"
    " whose why will with would you your happen happened many tell say says according"
    " 그리고 그러나 하지만 그런데 그래서 또 또한 및 등 수 것 때 더 이 그 저 나 너 우리"
    " 매우 아주 있 있어 없 하 되 이것 그것 저것".split()
)
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "began:begin begun:begin built:build won:win wrote:write written:write died:die bought:buy sold:sell"
        " made:make came:come gave:give given:give took:take taken:take left:leave paid:pay spent:spend"
        " held:hold met:meet sent:send lost:lose grew:grow grown:grow went:go gone:go kept:keep found:find"
        " led:lead ran:run saw:see seen:see said:say told:tell thought:think taught:teach caught:catch"
        " brought:bring fell:fall fallen:fall rose:rise risen:rise chose:choose chosen:choose drew:draw"
        " drawn:draw flew:fly flown:fly knew:know known:know spoke:speak spoken:speak stole:steal"
        " children:child people:person men:man women:woman feet:foot mice:mouse"
    ).split()
)

# Endings of verbs and adjectives that are syllables of their own; at least one syllable stays.
_ENDINGS = (
    "습니다 습니까 하는지 하는가 하나요 하려고 하면 하여 하며 하고 하게 하지 하는 해서"
    " 해요 되는지 되는 되고 되며 되어"
    " 인가요 인지 인가 이에요 예요 이야 이다 이며 이고 나요 는지 는가 는다 는데 을까 까요"
    " 지만 면서 으며 으면 아서 어서 아야 어야"
    " 어요 아요 지요 다고 라고"
).split()
# Particles that fit any noun, the longest first; two syllables stay before one of a single syllable.
_PARTICLES = sorted(
    (
        "에서는 에서도 에서의 에서 에게서 에게는 에게 에는 에도 에만 까지는 까지 부터는 부터"
        " 께서는 께서 한테서 한테 처럼"
        " 보다 마다 밖에 조차 마저 이나마 대로 만큼 하고 들은 들이 들을 들의 들에게 들도 들과"
        " 들 의 에 도 만 와는 과는 으로는"
        " 로는 으로서 로서 으로써 로써"
    ).split(),
    key=len,
    reverse=True,
)
# Particles that show by their form whether a consonant stands before them.
_AFTER_CONSONANT = ("으로", "이나", "이란", "은", "을", "과", "이")
_AFTER_VOWEL = ("로", "나", "란", "는", "를", "와", "가")
_NEEDS_TWO = ("로", "나", "란")
_ENDED = re.compile(f"(?<=.)(?:{'|'.join(_ENDINGS)})$")
_FIRST_SYLLABLE, _FINALS, _VOWELS = ord("가"), 28, 21
_NIEUN, _RIEUL, _BIEUP, _SSANGSIOT = 4, 8, 17, 20
_CONTRACTED = {6: 20, 9: 8, 10: 11, 14: 13}
"""Vowels that a past tense has drawn together, and what they were: 겼 is 기었, 왔 오았, 됐 되었, 웠 우었."""
_VERBAL = re.compile(
    "(?:다|[려어아워해겨]진|된|하는|되는|있는|없는|같은|위한|대한|통한|위해|통해|대해|니까|려고|고서)$"
)
_PARTICLE_END = re.compile(f"(?:{'|'.join((*_PARTICLES, *_AFTER_CONSONANT, *_AFTER_VOWEL))}|이다|입니다)$")


def terms(plain: str) -> list[str]:
    """The stems of the words that carry meaning, in order, with repetitions."""
    return [stem for token in _TOKEN.findall(plain) for stem in _stems(token)]


def features(plain: str) -> list[str]:
    """What sentences are compared by: English stems; Korean stems in pairs of syllables."""
    found: list[str] = []
    for stem in terms(plain):
        if _HANGUL.match(stem) and len(stem) > 2:
            found.extend(stem[at : at + 2] for at in range(len(stem) - 1))
        else:
            found.append(stem)
    return found


def nouns(plain: str) -> list[tuple[int, int, str]]:
    """Words that could be a keyword: start and end without their particle, and their stem."""
    found: list[tuple[int, int, str]] = []
    for match in _TOKEN.finditer(plain):
        for part in _PARTS.finditer(match.group()):
            word = part.group()
            if part.start() and _HANGUL.match(word):
                continue  # what follows a number or a foreign name is a particle or a unit
            bare = _one_particle_less(word) if _HANGUL.match(word) else word.rstrip("'\u2019.,")
            if not _may_be_keyword(word, bare):
                continue
            left = match.start() + part.start()
            found.extend((left, left + len(bare), stem) for stem in _stems(bare))
    return found


def _may_be_keyword(word: str, bare: str) -> bool:
    if not _HANGUL.match(word):
        return len(bare) > 2 and not bare[0].isdigit()
    # What ends like a verb is one more often than not.
    return not (_VERBAL.search(bare) or _ENDED.search(word) or _is_past(word))


@lru_cache(maxsize=16384)
def _stems(token: str) -> tuple[str, ...]:
    word = unicodedata.normalize("NFKC", token).casefold()
    if not _HANGUL.search(word):
        return _kept(_english(word))
    return tuple(
        stem
        for part in _PARTS.finditer(word)
        for stem in _kept(_part_stem(part.group(), follows=part.start() > 0))
    )


def _part_stem(part: str, *, follows: bool) -> str:
    """The stem of a word's part in one script; Hangul after another (`1987년에`) is often all particle."""
    if not _HANGUL.match(part):
        return _english(part.strip("'\u2019.,"))
    if follows:
        ending = _PARTICLE_END.search(part)
        return part[: ending.start()] if ending else part
    return _korean(part)


def _kept(stem: str) -> tuple[str, ...]:
    return () if not stem or stem in _STOP_WORDS else (stem,)


def _korean(word: str) -> str:
    past = _past_stem(word)
    if past is not None:
        return _noun_of_verb(past)
    ending = _ENDED.search(word)
    if ending:
        return without_particle(_noun_of_verb(word[: ending.start()]))
    present = _present_stem(word)
    return without_particle(word) if present is None else _noun_of_verb(present)


def _is_past(word: str) -> bool:
    return _past_stem(word) is not None


def predicate(stem: str) -> str:
    """The stem of a word known to be a verb in its plain form: 쉬어 is 쉬, 옮겨 is 옮기, 배워 is 배우."""
    if not _HANGUL.match(stem[-1:]) or len(stem) == 1:
        return stem
    return (
        stem[:-1]
        if stem[-1] in "어아해"
        else stem[:-1] + (_open(stem[-1], contracted=True) if not _final(stem[-1]) else stem[-1])
    )


def _past_stem(word: str) -> str | None:
    """세웠나요, 세웠다고, 세웠습니다: all 세우. None without a past tense (a final ㅆ)."""
    for at in range(len(word) - 1, -1, -1):
        syllable = word[at]
        if _final(syllable) != _SSANGSIOT or syllable == "있":
            continue
        if syllable in "았었였했겠":
            return word[:at]
        return word[:at] + _open(syllable, contracted=True)
    return None


def _present_stem(word: str) -> str | None:
    """쉰다, 쉽니다, 쉽니까: all 쉬."""
    for ending, final in (("니다", _BIEUP), ("니까", _BIEUP), ("다", _NIEUN)):
        at = len(word) - len(ending) - 1
        if at >= 0 and word.endswith(ending) and _final(word[at]) == final:
            return word[:at] + _open(word[at])
    return None


def _noun_of_verb(stem: str) -> str:
    """개교하-, 개교되-, 도서관이-: the noun that was made a verb."""
    return stem[:-1] if len(stem) > 2 and stem[-1] in "하되이" else stem


def _final(syllable: str) -> int:
    return (ord(syllable) - _FIRST_SYLLABLE) % _FINALS


def _open(syllable: str, *, contracted: bool = False) -> str:
    """A syllable without its final consonant, and its vowel as it was before a past tense."""
    code = ord(syllable) - _FIRST_SYLLABLE
    lead, vowel = code // (_FINALS * _VOWELS), code // _FINALS % _VOWELS
    if contracted:
        vowel = _CONTRACTED.get(vowel, vowel)
    return chr(_FIRST_SYLLABLE + (lead * _VOWELS + vowel) * _FINALS)


def without_particle(word: str) -> str:
    """A Korean word without the particles at its end: 도서관에서는 and 도서관이 are both 도서관."""
    for _ in range(3):
        shorter = _one_particle_less(word)
        if shorter == word:
            break
        word = shorter
    return word


@lru_cache(maxsize=16384)
def _one_particle_less(word: str) -> str:
    for particle in _PARTICLES:
        stays = len(word) - len(particle)
        if word.endswith(particle) and stays >= (2 if len(particle) == 1 else 1):
            return word[:stays]
    for particle in (*_AFTER_CONSONANT, *_AFTER_VOWEL):
        stays = len(word) - len(particle)
        if word.endswith(particle) and stays >= (2 if particle in _NEEDS_TWO else 1):
            final = _final(word[stays - 1])
            if bool(final) is (particle in _AFTER_CONSONANT) or (particle == "로" and final == _RIEUL):
                return word[:stays]
    return word


def _english(word: str) -> str:
    word = _POSSESSIVE.sub("", word)
    if word in _STOP_WORDS or not word.isascii() or len(word) < 4:
        return word
    return _without_suffix(_IRREGULAR.get(word, word))


def _without_suffix(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix in ("ing", "ed"):
        stem = word[: -len(suffix)]
        if word.endswith(suffix) and len(stem) > 2 and re.search("[aeiouy]", stem):
            return _undoubled(stem)
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _undoubled(stem: str) -> str:
    if stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    return stem
