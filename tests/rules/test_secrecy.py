"""What must not be in the repository: addresses of package registries, paths of somebody's machine, keys."""

from __future__ import annotations

import re

import pytest

from tests.rules.tree import text_files

REGISTRIES = (
    r"(?:[\w-]+\.)?py" + r"pi\.org",
    r"python" + r"hosted\.org",
    r"registry\.(?:npm" + r"js\.org|yarn" + r"pkg\.com)",
    r"(?:conda\.)?ana" + r"conda\.(?:org|com)",
    r"proxy\.go" + r"lang\.org",
    r"(?:static\.)?crates" + r"\.io",
    r"ruby" + r"gems\.org",
)
REGISTRY = re.compile("|".join(rf"\b{host}\b" for host in REGISTRIES), re.IGNORECASE)
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}/-])/(?:work|root|home/\w+|Users/\w+|opt/(?:pypi|wheels))(?:/|\b(?![\w-]))"
)
REAL_KEYS = re.compile(
    r"""\b(?:
        sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20}T3BlbkFJ[A-Za-z0-9_-]{20}   # OpenAI
      | sk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,}                               # Anthropic
      | sk-or-v1-[0-9a-f]{64}                                                     # OpenRouter
      | sk-[0-9a-f]{32}                                                           # DeepSeek
      | AIza[0-9A-Za-z_-]{35}                                                     # Google
      | gsk_[A-Za-z0-9]{52}                                                       # Groq
      | xai-[A-Za-z0-9]{80}
      | hf_[A-Za-z]{34}
      | gh[pousr]_[A-Za-z0-9]{36}
      | github_pat_[A-Za-z0-9_]{82}
      | (?:AKIA|ASIA)[0-9A-Z]{16}
      | xox[abprs]-[0-9A-Za-z-]{20,}
    )\b
    | -----BEGIN\ (?:RSA\ |EC\ |OPENSSH\ )?PRIVATE\ KEY-----
    """,
    re.VERBOSE,
)


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {match.group()[:12]}…"
        for name, text in text_files()
        if name != "LICENSE"
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := pattern.search(line))
    ]


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRY) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert found(MACHINE_PATH) == []


def test_no_file_holds_what_looks_like_a_real_key() -> None:
    assert found(REAL_KEYS) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY, "https://files.python" + "hosted.org/packages/x.whl"),
        (REGISTRY, "--index-url https://py" + "pi.org/simple"),
        (MACHINE_PATH, "cd " + "/wo" + "rk/main"),
        (MACHINE_PATH, '"' + "/ro" + 'ot/.cache"'),
        (MACHINE_PATH, "see " + "/ho" + "me/kim/madang"),
        (REAL_KEYS, "AKIA" + "ABCDEFGHIJKLMNOP"),
        (REAL_KEYS, "sk-" + "a" * 20 + "T3Blbk" + "FJ" + "b" * 20),
        (REAL_KEYS, "-----BEGIN " + "PRIVATE KEY-----"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "GET /workspaces/1"),
        (MACHINE_PATH, "src/root/x and ./work/out, $HOME/work/x, https://example.com/home/kim"),
        (REAL_KEYS, "sk-test-123, AKIA, sk-ant-test, OPENAI_API_KEY=sk-..."),
        (REGISTRY, "a package index, PyPI"),
    ],
)
def test_the_patterns_leave_ordinary_text_alone(pattern: re.Pattern[str], text: str) -> None:
    assert not pattern.search(text)
