"""Every dialect there is, by name."""

from __future__ import annotations

from collections.abc import Mapping

from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.base import Dialect
from madang.dialects.gemini import GEMINI
from madang.dialects.openai_chat import OPENAI_CHAT
from madang.dialects.openai_responses import OPENAI_RESPONSES

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI)
}
