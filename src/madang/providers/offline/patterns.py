"""How people ask, in Korean and English, as regular expressions. What follows is in `instructions.py`."""

from __future__ import annotations

import re

NUMBERS = {
    word: value
    for value, words in enumerate(
        "zero|영;one|a|an|single|한|하나;two|두|둘;three|세|셋;four|네|넷;five|다섯;six"
        "|여섯;seven|일곱;eight|여덟"
        ";nine|아홉;ten|열;eleven|열한;twelve|열두".split(";")
    )
    for word in words.split("|")
}
_N = r"(\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# How long, and in what form.
SENTENCES = _any(
    rf"\b{_N}[\s-]+(?:\w+\s+){{0,2}}?(?:sentences?|lines?|bullets?|points?|items?)\b",
    rf"{_N}\s*(?:개의\s*)?(?:문장|줄|항목|포인트|단락|가지|불릿)",
    rf"(?:불릿|항목|포인트|글머리표|핵심|요점)\s*(?:을|를|만|으로|로)?\s*{_N}\s*(?:개|가지)",
)
WORDS = _any(r"\b(\d{1,4})[\s-]+words?\b", r"(\d{1,4})\s*(?:단어|낱말)")
CHARACTERS = _any(
    r"\b(\d{1,5})[\s-]+(?:characters?|chars?|letters?)\b",
    r"(\d{1,5})\s*(?:글자|자)(?![가-힣])",
    r"(\d{1,5})\s*(?:글자|자)(?=로|이내|내외|정도|까지|에)",
)
LISTED = _any(
    r"\bbullet",
    r"\blist\b",
    r"\blines?\b",
    r"\bpoints\b",
    "불릿|글머리|항목|목록|개조식|가지|포인트",
    r"\d\s*줄|[두세네] ?줄|다섯 ?줄",
)
BRIEF = _any(r"\b(?:briefly|very short|one[- ]liner)\b", "한마디로|한 마디로|한줄|아주 짧게")
ONLY_SIZE = _any(
    r"^(?:(?:and|now|please|그럼|이번엔)\s+)*(?:in|as|into|with|make it)\b",
    r"(?:으로|로|이내로)(?:\s*(?:해|다시|부탁|말해|써|줘|답해|보여|바꿔|만들어|나눠|정리)\S*)*[\s.!?~]*(?:줘|주세요)?[\s.!?~]*$",
)

# Summaries.
SUMMARISE = _any(
    r"\bsummari[sz](?:e|ing)\b",
    r"\btl[;:,]?\s?dr\b",
    r"\bsum (?:it |this |that )?up\b",
    r"\bcondense\b",
    r"\bboil (?:it|this|that) down\b",
    r"(?<!in )\bsummary\b",
    r"\bsummaries\b",
    "요약(?!본|문|집|서|하면|하자면|컨대|된|됐|되)",
    r"간추려|간추린|줄여\s?(?:줘|주|라|봐|서)|핵심만|핵심 ?\d",
    r"요지(?:는|를|만|가)|줄거리|정리\s?(?:해|좀|부탁)",
)
# These are used in statements too, so the sentence must ask or order.
SUMMARISE_IF_ASKED = _any(
    r"\bgist\b",
    r"\b(?:main|key) (?:points?|ideas?|message|takeaways?)\b",
    r"\bin short\b",
    r"\babout\?$",
    r"\bwhat(?:'s| is) in (?:this|the|it)\b",
    "핵심|요점|무슨 내용|요약하(?:면|자면)",
)
ORDERS_SUMMARY = _any(
    r"\bsummari[sz]e\b", r"\btl[;:,]?\s?dr\b", r"요약\s?(?:해|하라|하시|하세|좀|부탁|정리|$)", r"\bplease\b"
)
ASKS_FACT = _any(
    r"^(?:when|where|who|why|how (?:many|much|old|long|far))\b", r"언제|어디|누가|누구|얼마|왜\b|나왔|발표"
)
TO_KOREAN = _any(r"\bin(?:to)? korean\b", "한국어로|한글로|우리말로")
TO_ENGLISH = _any(r"\bin(?:to)? english\b", "영어로")

# Other tasks.
COUNT = _any(
    r"\b(?:word|character|letter|sentence)s?[\s-]?count\b",
    r"\bcount (?:the |all |all the )?(?:words|characters|letters|sentences)\b",
    r"\bhow many (?:words|characters|letters|sentences)\b"
    r"(?=.*\b(?:this|here|following|below|above|are there|text|it)\b|\s*[?:]?\s*$)",
    r"(?:글자|단어|문장|낱말)\s?수(?![가-힣]{2})",
    r"몇\s?(?:글자|단어|문장|낱말|자)"
    r"(?:야|인가|이야|예요|이에요|인지|입니까|니|로 (?:되|이루)|가 있|이 있|[?:\s]*$)",
)
KEYWORDS = _any(
    rf"(?:{_N}\s+)?\b(?:key\s?words?|key\s?terms?|main terms)\b", r"키워드|핵심어|주요 ?(?:단어|낱말|어휘)"
)
KEYWORD_NUMBER = _any(
    rf"(?:키워드|핵심어|단어|낱말)\s*(?:를|을|만)?\s*{_N}\s*(?:개|가지)", rf"{_N}\s*(?:개|가지)"
)
_TONGUES = "(?:korean|english|japanese|chinese|french|german|spanish)"
TRANSLATE = _any(
    r"\btranslat(?:e|ion)\b",
    r"번역\s?(?:해|좀|부탁|하)|통역해",
    rf"^(?:(?:and|now)\s+)*(?:say (?:it|that|this) )?in {_TONGUES}\b(?: please)?[\s?!.]*$",
    r"^(?:그럼 )?(?:한국어|한글|영어|일본어|중국어|불어|독일어)로(?:는|도)?"
    r"(?:\s?(?:말해|답해|써|해|바꿔|옮겨).{0,12})?[\s?!.~]*$",
)

# Follow-ups.
_PRELUDE = (
    r"^(?:(?:please|can you|could you|make it|a bit|even|much|still|and|now|too long|too short)[\s,.:]*)*"
)
_NOW = r"(?:[\s,]*(?:please|then|now|again))*[\s.!?]*$"
_MORE = r"^(?:[가-힣]{1,6} )?(?:(?:더|좀|조금|훨씬|아주)\s*)+"
_DO = r"(?:\s*(?:해|요약|써|말|설명|정리|부탁|줘|줄래|주세요|알려|다시|보여|답)\S*)*[\s.!?~]*$"
SHORTER = _any(
    _PRELUDE + r"(?:shorter|too long|briefer|more briefly|shorten (?:it|this|that)|less)" + _NOW,
    _MORE + r"(?:짧게|간단히|간단하게|간략히|간략하게|줄여)" + _DO,
    "^(?:짧게|간단히)" + _DO,
    r"^(?:이건 |이거 )?너무 (?:길어|기네|깁니다|길다)\S*[\s.!?~]*$",
)
LONGER = _any(
    _PRELUDE
    + r"(?:longer|more|more detail(?:s|ed)?|in more detail|expand(?: it| this| that)?|too short)"
    + _NOW,
    _MORE + r"(?:길게|자세히|자세하게|상세히)" + _DO,
    "^자세히" + _DO,
    r"^(?:이건 |이거 )?너무 짧(?:아|네|습니다|다)\S*[\s.!?~]*$",
)
LEANS_BACK = _any(
    r"^(?:and|but|so|then)\b",
    r"\b(?:it|its|he|she|they|him|her|them|his|their|there|that)\b",
    "^(?:그럼|그러면|그리고|그런데|근데)",
    r"(?:^|\s)(?:그것|그거|그건|그게|그는|그녀|거기|그곳|그때|그 )",
)

# Small talk.
GREETING = _any(
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|howdy|greetings|yo|test|testing|ping"
    "|안녕|안녕하세요|안녕하십니까|하이|헬로|반가워요?|반갑습니다|ㅎㅇ|여보세요|테스트)"
    r"(?:\s+(?:there|madang|마당|all|everyone|여러분))?"
)
THANKS = _any(
    r"(?:ok(?:ay)?,? )?(?:thanks?|thank you|thx|고마워요?|고맙습니다|감사합니다|감사해요?|ㄳ|ㄱㅅ)"
    r"(?:\s+(?:a lot|so much|very much|you))?"
)
INTRODUCE = _any(
    r"^(?:so )?(?:who|what) are you\b",
    r"\bwhat can you do\b",
    r"\b(?:which|what) model are you\b",
    r"^are you (?:an? )?(?:ai|llm|gpt|chatgpt|claude|bot|robot|human|model|offline)\b",
    r"^how do you work\b",
    r"\bintroduce yourself\b",
    r"^help[\s!?.]*$",
    "^도움말|^도와줘",
    "(?:너는?|넌|당신은?|네가) (?:누구|뭐|무엇|어떤)",
    r"뭘 할 수 있|뭐 ?할 수 있|무엇을 할 수 있|무슨 모델이|어떤 모델이|자기 ?소개",
)

# Orders and questions.
_VERBS = (
    "rewrite|explain|write|list|compare|analy[sz]e|improve|classify|fix|correct|proofread|paraphrase|simplify"
    "|describe|generate|create|draft|extract|convert|answer|reply|respond|tell me|give me"
    "|show me|make|help me"
    "|read|outline|use|find|identify"
)
_POLITE = r"^(?:(?:please|now|then|(?:can|could|would) you|i (?:want|need) you to)\s+)*"
IMPERATIVE = _any(
    rf"{_POLITE}(?:{_VERBS})\b",
    r"(?:줘|줘요|줄래|줄래요|주세요|주십시오|주시겠어요|하시오|하라|해라|해봐|해 봐|하세요|하십시오|바랍니다"
    r"|부탁해|부탁해요|부탁드려요|부탁드립니다|부탁합니다)[\s.!~?:…]*$",
)
WH = _any(
    r"^(?:(?:and|but|so|then|also|well|ok|okay)[\s,]+)*"
    r"(?:(?:in|on|at|to|for|from|by|with|of|according to [^,]{1,40},)\s+)?"
    r"(?:when|where|who|whom|whose|what|which|why|how|is|are|was|were|do|does|did|can|could|has|have|had|will"
    r"|would|should)\b"
)
KOREAN_WH = _any(
    "언제(?!나|든)|어디(?!든|서나|에나)|누가|누구(?!나|든)|누굴|무엇(?!보다|이든)|무슨|뭐"
    "|뭘|뭔|왜(?![가-힣])|얼마(?! 전|간)"
    "|며칠|몇(?!몇)|어떤|어느|어떻게|어땠"
)
KOREAN_ASKS = _any(
    r"(?:나요|까요?|[하했었았겠]니|느냐|(?:는|은|인|한)지(?:요| 알려.*| 말해.*| 찾아.*)?"
    r"|가요|죠)[\s?？.!~]*$",
    r"(?:알려|말해|답해|대답해|찾아)\s?(?:줘|줘요|주세요|줄래|주십시오|라|봐)[\s?？.!~]*$",
)
KOREAN_MAY_ASK = _any(
    r"(?:지|야|이야|에요|예요|음|요|해|어|아|돼|대|데|라|은|는|이|가|언제|어디|누구|왜"
    r"|몇 [가-힣]+)[\s?？.!~]*$"
)
WHEN = _any(
    r"\bwhen\b",
    r"\b(?:what|which) (?:year|date|day|month|time|century)\b",
    r"\bhow long ago\b",
    r"언제|며칠|몇\s?(?:년|월|일|시)(?!간|을| 동안)|무슨 ?요일|어느 ?(?:해|날)|연도|날짜|시기",
)
AMOUNT = _any(
    r"\bhow (?:many|much|old|long|far|tall|high|big|large|deep|wide|often|fast|heavy)\b",
    r"\bwhat (?:percentage|number|price|age|share)\b",
    "얼마|몇|가격|비율",
)
WHERE = _any(
    r"\bwhere\b", r"\b(?:what|which) (?:place|city|country|town)\b", "어디|어느 ?(?:도시|나라|곳|지역)|장소"
)
WHO = _any(r"\bwho(?:m|se)?\b", "누가|누구|누굴")
WHY = _any(r"\bwhy\b", r"\bwhat (?:is|was) the reason\b", "왜|이유")
UNIT = _any(r"\bhow many\s+([a-z]+)", r"몇\s?([가-힣])")
