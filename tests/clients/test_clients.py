"""Other people's clients, unchanged, in front of providers of every dialect.

Instructor, LangChain and LlamaIndex rebuild messages, drop what they do not know and hold the SDKs
back, so they live in `.venv-clients` and run as programs, one for each (`programs/`). A program tries
all its cells (`matrix.py`) and says what went wrong in which; here each cell is a test.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from madang.config.schema import Config, Provider, Server
from madang.core.secret import Secret
from madang.simulator import Match, Options, Rule, Scenario, Scripted, Simulator, run_in_thread
from tests.clients.matrix import FRAMEWORKS, KNOWN_CLAUDES, PROVIDERS, Cell, cells
from tests.clients.programs import said
from tests.journey.live import KEY, Live, alive

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-clients"
PYTHON = ENVIRONMENT / "bin" / "python"
MADE = (ENVIRONMENT / "clients.stamp").exists()
MISSING = "there is no .venv-clients; `make test` makes it where packages can be fetched"
CELLS = [cell for framework in FRAMEWORKS for cell in cells(framework)]

REFUSED = {
    # Anthropic has no such models.
    "langchain/*Embeddings/anthropic/embeddings": "embeds no texts",
    # This mode of Instructor's asks for a function and for an answer in JSON at once, which Gemini
    # takes from its third generation on. With one of those `thinking` is tried, and works.
    **dict.fromkeys(
        [
            f"instructor/from_openai.RESPONSES_TOOLS/gemini/{scenario}"
            for scenario in ("structured", "partial", "iterable", "asked_again", "image")
        ],
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
}
"""Cells that cannot work, and how their users are told."""

FORGOTTEN = {
    # A call that is forced cannot be thought about there, so it is not.
    "instructor/from_openai.TOOLS/anthropic/thinking",
    "instructor/from_genai.TOOLS/anthropic/thinking",
    # Instructor tells what was wrong in its own words, and leaves out what was called.
    "instructor/from_openai.RESPONSES_TOOLS/*/thinking",
    # LlamaIndex sends no reasoning items back. The bytes pass, so it is the same without Madang.
    "llamaindex/OpenAILikeResponses/openai_responses/thinking*",
    # It drops thoughts without words, and their signatures with them; OpenAI was asked for no summary.
    "llamaindex/Anthropic/openai_responses/thinking*",
}
"""Cells in which the loop goes on, but the model does not get back what it thought."""

SCRIPT = Scenario(
    (
        Rule(Match(contains=said.AS_JSON), Scripted(text=said.CITY_JSON)),
        Rule(Match(contains=said.LIST_AS_JSON), Scripted(text=said.LIST_JSON)),
        *(Rule(Match(contains=words), Scripted(text=said.CITY_JSON)) for words in said.CORRECT_IT),
    )
)
_NAMED = re.compile(rb"\[((?:%s)/[\w./]+)\]" % b"|".join(name.encode() for name in FRAMEWORKS))
_PLAIN_BASE64 = str.maketrans("-_", "+/")
"""Google's SDK writes base64 with the signs that are safe in URLs."""


@dataclass(frozen=True)
class Report:
    """What the programs said, and what the providers were asked."""

    problems: dict[str, str | None]
    heard: dict[str, list[Any]]
    """By cell: the bodies of its requests, in their order."""


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with run_in_thread(options=Options(strict=True), scenario=SCRIPT) as running:
        yield running


@pytest.fixture(scope="session")
def house(simulator: Simulator) -> Iterator[Live]:
    root, secret = simulator.url.removesuffix("/v1"), Secret("sk-simulated")
    config = Config(
        providers={
            "openai": Provider(base_url=simulator.url, api_key=secret, dialects=["openai_chat"]),
            "stored": Provider(base_url=simulator.url, api_key=secret, dialects=["openai_responses"]),
            "anthropic": Provider(base_url=root, api_key=secret),
            "gemini": Provider(base_url=root, api_key=secret),
        },
        routes={
            alias: target
            for dialect, known in KNOWN_CLAUDES.items()
            for alias, target in (
                (known.plain, PROVIDERS[dialect].plain),
                (known.thinking, PROVIDERS[dialect].thinking),
            )
        },
        server=Server(shutdown_seconds=5),
    )
    yield from alive(config)


@pytest.fixture(scope="session")
def report(
    request: pytest.FixtureRequest,
    house: Live,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Report:
    """All programs that a test wants, two at a time."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    wanted = {one for one in FRAMEWORKS if any(f"[{one}/" in test.name for test in tests)}
    found = Report({}, defaultdict(list))
    home = tmp_path_factory.mktemp("home")

    def try_all(framework: str) -> None:
        found.problems.update(run(framework, house, home))
        # Before the simulator forgets: it remembers the last thousand.
        keep(framework, simulator, found)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(try_all, sorted(wanted, reverse=True)))
    return found


def run(framework: str, house: Live, home: Path) -> dict[str, str | None]:
    """What a program says of its cells. It sees nothing of the settings of whoever runs the tests."""
    program = [str(PYTHON), "-W", "ignore", "-m", f"tests.clients.programs.{framework}"]
    done = subprocess.run(
        [*program, house.url.removesuffix("/v1"), KEY],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    left = f"the program ended before: {done.stderr[-4000:]}"
    lines = map(json.loads, done.stdout.splitlines())
    return {
        **{cell.name: left for cell in cells(framework)},
        **{one["cell"]: one["problem"] for one in lines},
    }


def keep(framework: str, simulator: Simulator, report: Report) -> None:
    """Put what the providers were asked by a program to its cells."""
    for asked in simulator.requests:
        named = _NAMED.search(asked.body)
        if named is not None and named[1].decode().startswith(framework):
            report.heard[named[1].decode()].append(json.loads(asked.body))


@pytest.fixture(params=CELLS, ids=lambda cell: cell.name)
def cell(request: pytest.FixtureRequest) -> Cell:
    found = request.param
    assert isinstance(found, Cell)
    return found


@pytest.mark.skipif(not MADE, reason=MISSING)
def test_a_client_gets_what_it_asked_for(cell: Cell, report: Report) -> None:
    problem = report.problems[cell.name]
    refusal = next((words for names, words in REFUSED.items() if fnmatchcase(cell.name, names)), None)
    if refusal is not None:
        assert problem is not None, "it works by now"
        assert refusal in problem
        return
    if problem is not None:
        pytest.fail(problem, pytrace=False)
    check_what_was_asked(cell, report.heard[cell.name])


def check_what_was_asked(cell: Cell, heard: list[Any]) -> None:
    """What a framework or we might have lost on the way came to the provider."""
    match cell.scenario:
        case "answer" | "stream":
            assert said.SYSTEM in json.dumps(heard[-1])
        case "image":
            sent = json.dumps(heard[-1]).translate(_PLAIN_BASE64)
            assert base64.b64encode(said.PICTURE).decode() in sent
        case "thinking" | "thinking_streamed" if cell.provider != "openai_chat":
            brought = [brings_thoughts(cell.provider, asked) for asked in heard]
            forgotten = any(fnmatchcase(cell.name, names) for names in FORGOTTEN)
            assert brought == [False, *[not forgotten] * (len(heard) - 1)]
        case _:
            assert heard or cell.scenario in ("unknown_model", "embeddings")


def brings_thoughts(dialect: str, asked: Any) -> bool:
    """Whether a request brings back what the model thought before it called, signed by it."""
    match dialect:
        case "openai_responses":
            items = asked["input"] if isinstance(asked["input"], list) else []
            return any(item.get("type") == "reasoning" for item in items)
        case "anthropic":
            blocks = [block for message in asked["messages"] for block in message["content"]]
            return any(isinstance(block, dict) and block.get("signature") for block in blocks)
        case "gemini":
            parts = [part for content in asked["contents"] for part in content["parts"]]
            signatures = {part["thoughtSignature"] for part in parts if "thoughtSignature" in part}
            return bool(signatures - {"skip_thought_signature_validator"})
        case _:
            raise LookupError(dialect)
