"""Documents that can be run are run: every fenced block marked `run`, against a live Madang.

    ```python run            ```sh run            ```output
    ...                      curl ...             what it prints; `…` stands for anything
    ```                      ```                  ```

An example is written as a reader would type it, with the address `http://127.0.0.1:4000` and the key in
`MADANG_KEY`; here the address is replaced by that of the server under test. An `output` block that
follows must match. Examples run in a folder of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.rules.markdown import Block, pages

ADDRESS = "http://127.0.0.1:4000"
SECONDS = 60


def examples() -> list[tuple[Block, Block | None]]:
    """Each block to run, with the output that follows it, if any."""
    found: list[tuple[Block, Block | None]] = []
    for page in pages():
        blocks = page.blocks()
        for block, after in zip_longest(blocks, blocks[1:]):
            if "run" in block.info.split()[1:]:
                found.append((block, after if after is not None and after.info == "output" else None))
    return found


def command(block: Block, text: str) -> list[str]:
    match block.info.split()[0]:
        case "python":
            return [sys.executable, "-W", "error", "-c", text]
        case "sh":
            return ["sh", "-euc", text]
        case language:
            raise ValueError(f"{block.place}: no way to run {language!r}; write python or sh")


def pattern(output: str) -> re.Pattern[str]:
    return re.compile(".*?".join(re.escape(part) for part in output.strip().split("…")), re.DOTALL)


@pytest.mark.parametrize(("block", "output"), examples(), ids=lambda value: getattr(value, "place", "-"))
def test_an_example_in_the_documents_does_what_it_says(
    block: Block, output: Block | None, madang_url: str, madang_key: str, tmp_path: Path
) -> None:
    url = madang_url.removesuffix("/").removesuffix("/v1")
    environ = {**os.environ, "MADANG_KEY": madang_key, "PYTHONPATH": ""}
    result = subprocess.run(
        command(block, block.text.replace(ADDRESS, url)),
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = result.stdout.replace(url, ADDRESS).strip()
    assert result.returncode == 0, result.stderr
    assert output is None or pattern(output.text).fullmatch(said), f"wanted {output.text!r}, got {said!r}"


def test_a_block_in_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="write python or sh"):
        command(Block("a.md", 1, "ruby run", "puts 1"), "puts 1")


@pytest.mark.parametrize(
    ("output", "said", "matches"),
    [
        ("one\ntwo\n", "one\ntwo", True),
        ("id: …, ok", "id: x-1, ok", True),
        ("{…}", "{\n}", True),
        ("one", "one\ntwo", False),
        ("a.c", "abc", False),
    ],
)
def test_output_matches_word_for_word_but_for_the_ellipsis(output: str, said: str, matches: bool) -> None:
    assert bool(pattern(output).fullmatch(said)) is matches


def test_the_documents_have_examples_to_run() -> None:
    assert {block.page for block, _ in examples()} >= {"README.md", "README.ko.md", "docs/quickstart.md"}
