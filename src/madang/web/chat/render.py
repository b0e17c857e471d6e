"""Model text as HTML that cannot do anything: Markdown first, then a closed list of tags.

Two walls. markdown-it writes no raw HTML and only http, https and mailto links; nh3 then keeps
what is listed here and nothing else. svg, math, style, title and their like are never to be
added to the list: mutation XSS comes through them (CVE-2026-63430 in nh3's own parser).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "em", "strong", "s", "a"),
    *("code", "pre", "figure", "figcaption", "div", "table", "thead", "tbody", "tr", "th", "td"),
}
ALIGNMENTS = {"align-left", "align-center", "align-right"}
_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,24}")
_SANITISER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style"},
    # "*": nh3 lets lang and title through on every tag unless told otherwise.
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    tag_attribute_values={"pre": {"tabindex": {"0"}}, "div": {"tabindex": {"0"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    allowed_classes={"a": {"picture"}, "div": {"wide"}, "th": ALIGNMENTS, "td": ALIGNMENTS},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


class Renderer(RendererHTML):
    """markdown-it's own HTML, except where it would need a style, a picture or a lower heading."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link: loading a picture from elsewhere tells that place who reads what, and when."""
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        text = self.renderInlineAsText(token.children, options, env) or source
        return f'<a class="picture" href="{escapeHtml(source)}">{escapeHtml(text)}</a>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        words = tokens[idx].info.split(maxsplit=1)
        language = words[0] if words and _LANGUAGE.fullmatch(words[0]) else ""
        label = f"<figcaption>{escapeHtml(language)}</figcaption>" if language else ""
        code = escapeHtml(tokens[idx].content)
        return f'<figure>{label}<pre tabindex="0"><code>{code}</code></pre></figure>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        code = escapeHtml(tokens[idx].content)
        return f'<figure><pre tabindex="0"><code>{code}</code></pre></figure>\n'

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{_heading(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</{_heading(tokens[idx].tag)}>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="wide" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _cell(tokens[idx])

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _cell(tokens[idx])


def _heading(tag: str) -> str:
    """The page is h1 and a turn h2, so an answer's own headings start at h3."""
    return f"h{min(int(tag[1]) + 2, 6)}"


def _cell(token: Token) -> str:
    """markdown-it aligns with a `style`, which our policy forbids; a class says the same."""
    alignment = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{token.tag} class="align-{alignment}">' if alignment else f"<{token.tag}>"


def _is_link_allowed(url: str) -> bool:
    return _SCHEME.match(url) is not None


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}, renderer_cls=Renderer)
    # markdown-it asks this through an attribute of the instance, by design.
    setattr(markdown, "validateLink", _is_link_allowed)  # noqa: B010
    return markdown.enable(["table", "strikethrough"])


_MARKDOWN = _markdown()

References = dict[str, Any]
"""Link definitions (`[1]: https://…`) seen so far; markdown-it's own form, not ours to look into."""


def to_html(source: str, references: References) -> str:
    """HTML of one or more blocks. Adds the definitions in `source` to `references`."""
    return _SANITISER.clean(_MARKDOWN.render(source, {"references": references}))


def block_starts(source: str) -> list[int]:
    """The line on which each top-level block of `source` starts."""
    tokens: list[Token] = []
    _MARKDOWN.block.parse(source, _MARKDOWN, {}, tokens)
    return [token.map[0] for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
