"""Which secrets a person may not choose. Pure.

A blank or well-known admin key is how gateways found on the internet are most often entered;
so a start with one is refused rather than warned about.
"""

from __future__ import annotations

import re

SHORTEST = 16
FEWEST_DISTINCT = 6
_FEWEST_UNKNOWN = 8
_LONG = 24
"""From this length on, common words in an order of one's own are no longer well known."""

_SEPARATORS = re.compile(r"[-_.:/+=!@#$%^&*,;|~]+")

# What examples tell people to replace; whatever follows, it was typed and not drawn.
_PLACEHOLDER = re.compile(
    r"(?:sk)?(?:1234|changeme|changethis|change|replace|password|passw0rd|your|insert|put|enter|xxxx|todo|abcdefgh)"
)

# Words with up to four digits behind each. A key must have something else in it as well.
_WORDS = re.compile(
    r"(?:abcdef|admin|api|asdf|changeme|default|demo|dummy|example|foobar|gateway|ghijkl|hello|here|key|letmein"
    r"|litellm|llm|madang|master|mnopqr|my|openai|opqrst|password|passw0rd|qwerty|root|secret|server|sk|stuvwx"
    r"|super|test|the|this|token|uiop|user|uvwxyz|welcome|world|your|zxcv|0123456789|1234567890|123456789)\d{0,4}"
    r"|1234"
)


def check_admin_secret(value: str) -> str | None:
    """Why `value` must not be an admin key, as a clause that ends a sentence; None: it may be one."""
    if not value.strip():
        return "it is blank"
    if any(not "!" <= character <= "~" for character in value):
        return "it has a character that is a space or not printable ASCII"
    if len(value) < SHORTEST:
        return f"it is shorter than {SHORTEST} characters"
    if _is_well_known(value):
        return "it is a well-known value or made of well-known words"
    if len(set(value)) < FEWEST_DISTINCT:
        return f"it has fewer than {FEWEST_DISTINCT} different characters"
    if _repeats(value):
        return f"it repeats something shorter than {SHORTEST} characters"
    return None


def _is_well_known(value: str) -> bool:
    bare = _SEPARATORS.sub("", value.lower())
    if _PLACEHOLDER.match(bare):
        return True
    return len(value) < _LONG and len(_WORDS.sub("", bare)) < _FEWEST_UNKNOWN


def _repeats(value: str) -> bool:
    longest = min(SHORTEST - 1, len(value) // 2)
    return any(value[period:] == value[:-period] for period in range(1, longest + 1))
