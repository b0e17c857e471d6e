"""The documents: nothing dangling, nothing hidden, two languages in step."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.rules.markdown import Block, Page, pages, parse
from tests.rules.tree import ROOT, SOURCE, modules, shown

VERSION_HEADING = re.compile(r"(Unreleased|\d+\.\d+\.\d+, \d{4}-\d\d-\d\d)")
CHANGE_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
DECISION_PARTS = ["Context", "Decision", "What it costs", "What else was weighed"]


def page(name: str) -> Page:
    return parse(ROOT / name)


def is_local(link: str) -> bool:
    return not re.match(r"[a-z][a-z0-9+.-]*:", link)


def dangling(source: Page) -> list[str]:
    """Links that lead to no file, or to no heading of it."""
    wrong = []
    for link in filter(is_local, source.links()):
        name, _, anchor = link.partition("#")
        target = (source.path.parent / name).resolve() if name else source.path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in parse(target).anchors()
        ):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_every_local_link_leads_somewhere(source: Page) -> None:
    assert dangling(source) == []


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# Here\n\n[a](#here) [b](#there) [c](c.md) ![d](d.png) [e](https://example.com/x)"
    )
    assert dangling(parse(tmp_path / "a.md")) == ["#there", "c.md", "d.png"]


def test_every_page_is_linked_from_the_index() -> None:
    index = page("docs/README.md")
    linked = {
        (index.path.parent / link.partition("#")[0]).resolve() for link in filter(is_local, index.links())
    }
    docs = {source.path for source in pages() if ROOT / "docs" in source.path.parents}
    assert sorted(map(shown, docs - linked - {index.path})) == []


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_every_page_has_one_title_and_skips_no_level(source: Page) -> None:
    levels = [int(tag[1]) for tag, _ in source.headings()]
    assert levels[:1] == [1]
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_the_korean_readme_has_the_same_sections_as_the_english_one() -> None:
    english, korean = page("README.md"), page("README.ko.md")
    assert [tag for tag, _ in korean.headings()] == [tag for tag, _ in english.headings()]


def test_the_korean_readme_has_the_same_code_and_pictures_as_the_english_one() -> None:
    english, korean = page("README.md"), page("README.ko.md")
    assert [code(block) for block in korean.blocks()] == [code(block) for block in english.blocks()]
    assert pictures(korean) == pictures(english) != []


def test_the_korean_readme_is_in_korean() -> None:
    prose = "".join(token.content for token in page("README.ko.md").tokens if token.type == "inline")
    assert len(re.findall("[가-힣]", prose)) > 500


def code(block: Block) -> tuple[str, str]:
    return block.info, block.text


def pictures(source: Page) -> list[str]:
    return [link for link in source.links() if link.endswith((".png", ".svg", ".jpg"))]


def test_the_changelog_lists_versions_kinds_and_sentences() -> None:
    changelog = page("CHANGELOG.md")
    versions = [text for tag, text in changelog.headings() if tag == "h2"]
    kinds = {text for tag, text in changelog.headings() if tag == "h3"}
    assert versions
    assert [text for text in versions if not VERSION_HEADING.fullmatch(text)] == []
    assert kinds <= CHANGE_KINDS
    lines = changelog.path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(("* ", "+ "))] == []
    assert [line for line in entries(lines) if not line.endswith((".", "!"))] == []


def entries(lines: list[str]) -> list[str]:
    """Each list entry as one line."""
    joined = re.sub(r"\n  +", " ", "\n".join(lines))
    return [line for line in joined.splitlines() if line.startswith("- ")]


def test_decisions_are_numbered_without_a_gap_and_say_what_they_cost() -> None:
    decisions = [source for source in pages() if source.path.parent == ROOT / "docs" / "decisions"]
    numbers = [int(source.path.name[:4]) for source in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    parts = {source.name: [text for tag, text in source.headings() if tag == "h2"] for source in decisions}
    assert {
        name: found for name, found in parts.items() if found[: len(DECISION_PARTS)] != DECISION_PARTS
    } == {}


def test_the_licence_is_apache_two() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "Copyright 2026 The Madang authors" in licence
    assert "[yyyy]" not in licence


def test_every_package_of_ours_is_named_in_contributing() -> None:
    """The map of the house is read by whoever arrives first; a room missing there is not found."""
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [room for room in sorted(rooms) if f"`{room}" not in text] == []


def test_the_source_names_no_document_that_is_not_there() -> None:
    named = re.compile(r"\bdocs/(?:decisions/)?[\w-]+\.md\b")
    found = {(module.name, name) for module in modules("src", "tests") for name in named.findall(module.text)}
    assert sorted(place for place in found if not (ROOT / place[1]).exists()) == []
