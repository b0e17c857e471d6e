"""Markdown as far as the rules need it: headings, links, fenced blocks."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.rules.tree import files, shown


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string (`python run`), its text, and where it starts."""

    page: str
    line: int
    info: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A Markdown file, parsed."""

    path: Path
    tokens: tuple[Token, ...]

    @property
    def name(self) -> str:
        return shown(self.path)

    def headings(self) -> list[tuple[str, str]]:
        """Level and text: `("h2", "Keys")`."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [(mark.tag, text.content) for mark, text in pairs if mark.type == "heading_open"]

    def blocks(self) -> list[Block]:
        fences = (token for token in self.tokens if token.type == "fence")
        return [
            Block(self.name, (token.map or [0])[0] + 1, token.info.strip(), token.content) for token in fences
        ]

    def links(self) -> list[str]:
        """Where links and pictures point, in order."""
        inner = [child for token in self.tokens for child in token.children or []]
        targets = (child.attrGet("href") or child.attrGet("src") for child in inner)
        return [str(target) for target in targets if target]

    def anchors(self) -> set[str]:
        return {slug(text) for _, text in self.headings()}


def slug(heading: str) -> str:
    """The anchor a forge gives a heading: lower case, no punctuation, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def parse(path: Path) -> Page:
    return Page(path, tuple(MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))))


@functools.cache
def pages() -> tuple[Page, ...]:
    return tuple(parse(path) for path in files() if path.suffix == ".md")
