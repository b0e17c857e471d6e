"""`madang check`: whether the configuration is sound, and what it means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from madang.config.errors import Fault
    from madang.config.load import Loaded
    from madang.providers.base import Provider


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of the file, for your editor, and nothing else."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(path: Path | None, schema: bool, as_json: bool) -> None:
    """Check the configuration and say what it means.

    PATH is the file to check. Without it: the one `madang serve` would read, which is
    $MADANG_CONFIG, else madang.yaml in this folder, else none.

    Prints for every route and provider where its calls go, and in which dialects their bytes
    pass unread; calls in other dialects are translated, and `madang explain` says how. Exits
    with 1 and every fault on standard error where something is wrong.

    \b
    Examples:
      madang check
      madang check deploy/madang.yaml --json
      madang check --schema > madang.schema.json
    """
    if schema:
        from madang.config.json_schema import json_schema

        _print_json(json_schema())
        return
    _print_sound(load_or_exit(path, as_json=as_json), as_json=as_json)


def load_or_exit(path: Path | None, *, as_json: bool) -> Loaded:
    """The configuration; where it has faults they are printed, and the program ends with 1."""
    from madang.config.errors import ConfigErrors
    from madang.config.load import load_config

    try:
        return load_config(path)
    except ConfigErrors as problem:
        click.echo(str(problem), err=True)
        if as_json:
            _print_json({"ok": False, "faults": [_fault(fault) for fault in problem.faults]})
        sys.exit(1)


def _print_sound(loaded: Loaded, *, as_json: bool) -> None:
    from madang.config.explain import explain, explain_providers
    from madang.config.load import short_path
    from madang.providers.discover import discover, switched_off
    from madang.transport.probe import probe_ollama

    providers = discover(loaded.config, loaded.environ, probe_ollama=probe_ollama)
    if not as_json:
        click.echo(
            f"{short_path(loaded.path)} is sound."
            if loaded.path
            else "No madang.yaml here: everything has its default."
        )
        _print_routes(loaded, providers)
        _print_providers(loaded, providers)
        return
    import msgspec

    result = {
        "ok": True,
        "path": str(loaded.path) if loaded.path else None,
        "routes": explain(loaded.config, providers),
        "providers": explain_providers(providers),
        "off": switched_off(loaded.config, providers),
    }
    _print_json(msgspec.to_builtins(result))


def _print_routes(loaded: Loaded, providers: list[Provider]) -> None:
    from madang.config.explain import explain, in_words

    routes = explain(loaded.config, providers)
    if routes:
        click.echo("\nRoutes")
    for route in routes:
        click.echo(f"  {route.name}")
        for number, target in enumerate(route.targets, start=1):
            to = f" -> {target.base_url}" if target.base_url else ""
            click.echo(f"    {number}. {target.provider}/{target.model}{to}")
            for line in in_words(target):
                click.echo(f"       {line}")


def _print_providers(loaded: Loaded, providers: list[Provider]) -> None:
    from madang.config.explain import explain_providers, how_usage_comes, whose_bytes_pass
    from madang.providers.discover import switched_off

    click.echo("\nProviders")
    for view in explain_providers(providers):
        click.echo(f"  {view.name}: {view.reason}")
        click.echo(f"    -> {view.base_url}")
        for line in (
            whose_bytes_pass(view.dialects),
            *how_usage_comes(view.dialects, asked=view.usage_asked),
        ):
            click.echo(f"    {line}")
        if view.models:
            click.echo(f"    bare names: {' '.join(view.models)}")
    click.echo("  offline: built in, answered here, nothing leaves")
    off = switched_off(loaded.config, providers)
    if off:
        click.echo("\nOff; each needs")
    for each in off:
        click.echo(f"  {each.name}: {each.switch}")


def _fault(fault: Fault) -> dict[str, object]:
    return {
        "file": fault.file or None,
        "line": fault.line,
        "column": fault.column,
        "path": fault.path,
        "got": fault.got,
        "want": fault.want,
        "hint": fault.hint,
    }


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
