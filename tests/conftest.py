"""What holds for every test: coverage is told before the closing line, and CI skips nothing.

Fixtures belong to the folders that need them; there are none here.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator

import coverage
import hypothesis
import pytest

# A law holds or does not; how long it takes on a busy machine is no part of it, nor is today's luck.
hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    measuring = coverage.Coverage.current()
    if measuring is not None:
        config.pluginmanager.register(CoverageTable(measuring), "coverage-table")
    if os.environ.get("REQUIRE_SERVICES") == "1":
        config.pluginmanager.register(NothingSkipped(), "nothing-skipped")


class CoverageTable:
    """Under `coverage run`, the table and the floor, before pytest's closing line.

    So the last line is `N passed`, which people and programs look for, and a fall below `fail_under`
    fails the run that caused it. Only a whole run is held to the floor.
    """

    def __init__(self, measuring: coverage.Coverage) -> None:
        self.measuring = measuring
        self.table = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        if not session.config.option.collectonly:
            reached, floor = self.report()
            if reached < floor and whole_run(session.config):
                self.table += f"\nFAIL: {reached:.1f} % covered, and the floor is {floor:.0f} %\n"
                session.testsfailed += 1
        return result

    def report(self) -> tuple[float, float]:
        """Fold in what the programs started by tests have measured; the percentage, and the floor."""
        self.measuring.stop()
        self.measuring.save()
        together = coverage.Coverage()
        together.combine()
        together.save()
        table = io.StringIO()
        reached = together.report(file=table)
        self.table = table.getvalue()
        return reached, float(together.get_option("report:fail_under") or 0)  # type: ignore[arg-type]  # a float

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.table:
            terminalreporter.section("coverage")
            terminalreporter.write(self.table)


def whole_run(config: pytest.Config) -> bool:
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not any(config.getoption(choice, None) for choice in ("keyword", "markexpr", "lf"))


BESIDE = "Skipped: the recordings"
"""How a skip begins that says the recordings are not there."""


class NothingSkipped:
    """With REQUIRE_SERVICES=1 a skipped test is a failed one: CI has a browser, PostgreSQL and Redis.

    But for the recorded traffic, which is other people's data and stands beside the project or not.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.skipped and not hasattr(report, "wasxfail") and not reason(report).startswith(BESIDE):
            report.outcome = "failed"
            report.longrepr = f"skipped, which REQUIRE_SERVICES=1 does not allow: {reason(report)}"
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.skipped and not reason(report).startswith(BESIDE):
            report.outcome = "failed"
            report.longrepr = f"skipped, which REQUIRE_SERVICES=1 does not allow: {reason(report)}"
        return report


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)


_TRACER = sys.gettrace()


def pytest_runtest_teardown() -> None:
    """Count on after a test that recursed too deeply: the error, raised in the tracer, switches it off."""
    if _TRACER is not None and sys.gettrace() is None:
        sys.settrace(_TRACER)
