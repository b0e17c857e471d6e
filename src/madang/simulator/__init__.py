"""The providers, imitated: for tests, benchmarks and users' own CI.

Answers, limits, latency and faults like the real API's, over real sockets; see `docs/simulator.md`.
"""

from __future__ import annotations

from madang.simulator.controls import Controls
from madang.simulator.options import Options
from madang.simulator.scenario import (
    Match,
    Rule,
    Scenario,
    Scripted,
    ScriptedCall,
    ScriptedError,
    ScriptedEvent,
)
from madang.simulator.scenario_file import load_scenario
from madang.simulator.server import Simulator
from madang.simulator.threads import run_in_thread

__all__ = [
    "Controls",
    "Match",
    "Options",
    "Rule",
    "Scenario",
    "Scripted",
    "ScriptedCall",
    "ScriptedError",
    "ScriptedEvent",
    "Simulator",
    "load_scenario",
    "run_in_thread",
]
