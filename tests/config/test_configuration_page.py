"""docs/configuration.md and madang.example.yaml say what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from madang.config import schema
from madang.config.load import load_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "configuration.md", ROOT / "docs" / "providers.md"]
BLOCKS = [
    (f"{page.name}:{number}", block)
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
]
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OUR_VLLM_KEY", "NEBULA_API_KEY")
ENVIRON = dict.fromkeys(KEYS, "k")
SECTIONS = {
    "server": schema.Server,
    "store": schema.Store,
    "providers": schema.Provider,
    "timeouts": schema.Timeouts,
    "keys": schema.KeyDefaults,
}


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_every_example_of_the_pages_loads(block: str, tmp_path: Path) -> None:
    (tmp_path / "madang.yaml").write_text(block, encoding="utf-8")
    found = load_config(environ=ENVIRON, cwd=tmp_path)
    assert found.config != schema.Config()


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 8


def test_the_example_file_loads_and_names_every_section() -> None:
    text = (ROOT / "madang.example.yaml").read_text(encoding="utf-8")
    assert (
        load_config(ROOT / "madang.example.yaml", environ=ENVIRON, cwd=ROOT / "docs").config.server.port
        == 4000
    )
    assert [
        name for name in schema.Config.__struct_fields__ if not re.search(rf"^{name}:", text, re.MULTILINE)
    ] == []


def test_the_page_has_a_heading_for_every_section() -> None:
    headings = re.findall(r"^## (\S+)$", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in schema.Config.__struct_fields__ if name not in headings] == []


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_the_page_has_a_line_for_every_name_of_a_section(name: str) -> None:
    page = PAGES[0].read_text(encoding="utf-8")
    section = re.split(r"^## ", page.split(f"\n## {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(SECTIONS[name].__struct_fields__)


def test_the_page_names_every_dialect_a_provider_can_speak() -> None:
    page = PAGES[0].read_text(encoding="utf-8")
    [line] = [line for line in page.splitlines() if line.startswith("| `dialects` |")]
    assert [name for name in get_args(schema.DialectName) if f"`{name}`" not in line] == []
