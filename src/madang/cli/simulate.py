"""`madang simulate`: OpenAI's, Anthropic's and Google's APIs, imitated, until told to stop.

What the simulator is made of is imported when the command runs: `madang --help` stays quick.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from madang.simulator.connection import Exchange
    from madang.simulator.options import Options
    from madang.simulator.scenario import Scenario
    from madang.simulator.server import Simulator

_CURL = (
    "curl {url}/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
    '-d \'{{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "QUESTION"}}]}}\''
)
_TEXTS = {
    "en": (
        "The simulator answers as OpenAI's, Anthropic's and Google's API at {url}",
        "  Point an SDK at it:  OPENAI_BASE_URL={url}  OPENAI_API_KEY={key}",
        "                       ANTHROPIC_BASE_URL={root}  GOOGLE_GEMINI_BASE_URL={root}",
        "  Try it:              " + _CURL.replace("QUESTION", "Hello"),
        "  Errors and faults:   model sim-error-429, sim-cut-after-3, …; all: madang simulate --controls",
        "  What was received:   {root}/simulator/requests and {root}/simulator/stats",
        "Stop it with Ctrl+C.",
    ),
    "ko": (
        "시뮬레이터가 {url} 에서 OpenAI, Anthropic, Google API로 응답합니다",
        "  SDK 연결:       OPENAI_BASE_URL={url}  OPENAI_API_KEY={key}",
        "                  ANTHROPIC_BASE_URL={root}  GOOGLE_GEMINI_BASE_URL={root}",
        "  시험해 보기:    " + _CURL.replace("QUESTION", "안녕하세요"),
        "  오류와 고장:    모델 sim-error-429, sim-cut-after-3, …; 전체: madang simulate --controls",
        "  받은 요청:      {root}/simulator/requests, {root}/simulator/stats",
        "멈추려면 Ctrl+C 를 누르세요.",
    ),
}


def _read_with(module: str, reader: str) -> Callable[[click.Context, click.Parameter, str | None], object]:
    """An option's callback: reads its text with a function of the simulator, imported when needed."""

    def read(_: click.Context, __: click.Parameter, text: str | None) -> object:
        if text is None:
            return None
        import importlib

        try:
            return getattr(importlib.import_module(f"madang.simulator.{module}"), reader)(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read


def _names(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _print_controls(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from madang.simulator.controls import CONTROLS, HEADER, MODEL_PREFIX

    click.echo(
        f"As a model's name: {MODEL_PREFIX}NAME-VALUE, several joined by +, as in sim-tokens-50+pace-20ms."
    )
    click.echo(f"As a header: {HEADER}: NAME=VALUE; NAME=VALUE. Values below are examples.\n")
    for control in CONTROLS:
        click.echo(f"  {f'{control.name} {control.takes}'.strip():<34} {control.does}")
    context.exit()


@click.command(short_help="Imitate a provider, faults included, for tests.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9000,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option("--key", help="The only key that is accepted. Default: any.")
@click.option("--models", callback=_names, help="The only models there are: a,b. Default: any name is taken.")
@click.option(
    "--latency",
    callback=_read_with("latency", "parse_latency"),
    metavar="DISTRIBUTION",
    help="Time before an answer starts: 50ms, fixed(50ms), uniform(10ms,80ms), lognormal(p50=300ms,p99=2s).",
)
@click.option("--pace", callback=_read_with("latency", "parse_duration"), help="Time per token: 20ms.")
@click.option(
    "--tps", type=click.FloatRange(0.01, 1e6), help="Tokens per second: --pace, said the other way round."
)
@click.option(
    "--error-rate",
    callback=_read_with("options", "parse_error_rates"),
    metavar="STATUS=SHARE,...",
    help="Errors by chance: 429=0.05,500=0.02.",
)
@click.option(
    "--fault-rate",
    callback=_read_with("options", "parse_fault_rates"),
    metavar="FAULT=SHARE,...",
    help="Faults by chance: cut=0.01,stall=0.01; of hangup, reset, stall, cut, garbage, bad-json, "
    "error-event, truncate.",
)
@click.option("--rpm", type=click.IntRange(1), help="Requests per minute and key. Default: out of reach.")
@click.option("--tpm", type=click.IntRange(1), help="Tokens per minute and key. Default: out of reach.")
@click.option("--shred", is_flag=True, help="Deliver every body one byte at a time.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Decides everything that looks like chance."
)
@click.option(
    "--frozen-time", is_flag=True, help="The same request gets the same bytes, ids and times included."
)
@click.option("--strict", is_flag=True, help="Refuse parameters OpenAI does not know.")
@click.option(
    "--scenario",
    "scenario_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file of scripted answers; see docs/simulator.md.",
)
@click.option("--quiet", is_flag=True, help="No line per request.")
@click.option(
    "--controls",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_controls,
    help="List what a single request can ask for, and stop.",
)
def simulate(
    host: str,
    port: int,
    key: str | None,
    models: tuple[str, ...],
    tps: float | None,
    pace: float | None,
    seed: int,
    scenario_path: Path | None,
    quiet: bool,
    **settings: object,
) -> None:
    """Start a program that answers as OpenAI, Anthropic and Google do: for tests, benchmarks and CI.

    It listens on 127.0.0.1:9000, needs no key and no network, and answers plausibly, streams,
    calls tools and follows JSON schemas. Errors and faults come when a request asks for them
    (model sim-error-429, header x-simulate: cut-after=3), by chance, or by a scenario file.

    \b
    Examples:
      madang simulate
      madang simulate --latency 'lognormal(p50=300ms,p99=2s)' --tps 50
      madang simulate --rpm 60 --error-rate 500=0.02 --fault-rate cut=0.01
      madang simulate --scenario answers.yaml --quiet
    """
    if pace is not None and tps is not None:
        raise click.UsageError("--pace and --tps say the same thing: give one of them.")
    pace = 1 / tps if tps is not None else pace or 0.0
    options = _options(key, models, pace, settings)
    scenario = _scenario(scenario_path)
    from madang.simulator.server import Simulator
    from madang.simulator.threads import new_event_loop

    simulator = Simulator(
        host, port, scenario=scenario, seed=seed, options=options, log=None if quiet else _show
    )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            runner.run(_until_told(simulator, key))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host}:{port}: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    """asyncio puts the address into the text once more; the number's own text is without it."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()


def _options(key: str | None, models: tuple[str, ...], pace: float, settings: dict[str, object]) -> Options:
    import msgspec

    from madang.core.secret import Secret
    from madang.simulator.options import DEFAULTS

    given = {name: value for name, value in settings.items() if value is not None}
    if key is not None and not key.strip():
        raise click.BadParameter("is empty; leave it out to take any key", param_hint="--key")
    return msgspec.structs.replace(
        DEFAULTS,
        key=Secret(key) if key is not None else None,
        models=models,
        pace=pace,
        **{
            {"error_rate": "error_rates", "fault_rate": "fault_rates"}.get(name, name): given[name]
            for name in given
        },
    )


def _scenario(path: Path | None) -> Scenario:
    from madang.simulator.scenario import NO_RULES

    if path is None:
        return NO_RULES
    from madang.core.errors import ConfigError
    from madang.simulator.scenario_file import load_scenario

    try:
        return load_scenario(path)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


async def _until_told(simulator: Simulator, key: str | None) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, told.set)
        except NotImplementedError:  # Windows: Ctrl+C still raises KeyboardInterrupt
            break
    async with simulator:
        _greet(simulator.url, key)
        await told.wait()


def _greet(url: str, key: str | None) -> None:
    shown = "any-key" if key is None else "<the --key>"
    for line in _TEXTS[_language()]:
        click.echo(line.format(url=url, root=url.removesuffix("/v1"), key=shown))


def _language() -> str:
    """Korean where the terminal is, else English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ko" if locale.startswith("ko") else "en"


def _show(exchange: Exchange) -> None:
    milliseconds = exchange.seconds * 1000
    outcome = "" if exchange.outcome == "served" else f"  {exchange.outcome}"
    click.echo(f"{exchange.status}  {exchange.method} {exchange.path}  {milliseconds:.1f} ms{outcome}")
