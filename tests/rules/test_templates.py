"""Templates keep to the Content-Security-Policy: no script, style or handler inside the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.rules.tree import SOURCE, files, shown

TEMPLATES = [path for path in files() if SOURCE in path.parents and path.suffix in {".html", ".j2", ".jinja"}]


class Inline(HTMLParser):
    """Collects what a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.refused.append(f"<{tag}> at line {self.getpos()[0]}")
        for name, value in names.items():
            if name == "style" or name.startswith(("on", "hx-on")) or (value or "").startswith("javascript:"):
                self.refused.append(f"{name}= at line {self.getpos()[0]}")


def refused(html: str) -> list[str]:
    parser = Inline()
    parser.feed(re.sub(r"\{#.*?#\}", "", html, flags=re.DOTALL))
    return parser.refused


def test_no_template_has_inline_script_style_or_handlers() -> None:
    found = {shown(path): refused(path.read_text(encoding="utf-8")) for path in TEMPLATES}
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<style>p { color: red }</style>",
        '<p style="color: red">',
        '<button onclick="go()">',
        "<b OnMouseOver=go()>",
        '<div hx-on:click="go()">',
        '<a href="javascript:go()">',
        '{% if x %}<img src="/a.png" onerror="go()">{% endif %}',
    ],
)
def test_inline_code_in_a_template_is_found(html: str) -> None:
    assert refused(html)


@pytest.mark.parametrize(
    "html", ['<script type="module" src="/a.js"></script>', '<p class="on" data-style="x">']
)
def test_linked_code_in_a_template_is_left_alone(html: str) -> None:
    assert not refused(html)
