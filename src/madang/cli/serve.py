"""`madang serve`: the gateway, the chat page and the admin API, until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from madang.core.errors import ConfigError

if TYPE_CHECKING:
    from madang.app import App
    from madang.config.schema import Config

_SHOWN = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - only named, not bound
"""Where to reach what listens everywhere."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration. Default: $MADANG_CONFIG, else madang.yaml in this folder, else none.",
)
@click.option("--host", help="The address to listen on. Default: the configuration's, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one. Default: 4000.")
@click.option("--data-dir", help="The folder for the database and the session key. Default: .madang")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes; only 1 for now."
)
def serve(path: Path | None, host: str | None, port: int | None, data_dir: str | None, workers: int) -> None:
    """Start the gateway and the chat page.

    Needs no key, no configuration and no other server. Providers switch themselves on by the
    keys in the environment or in .env (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY,
    GROQ_API_KEY, ...) and Ollama by running; without any, the built-in offline model answers.

    The first start makes an admin key and shows it once; MADANG_ADMIN_KEY sets one instead.

    \b
    Examples:
      madang serve
      madang serve --host 0.0.0.0 --port 8080
      OPENAI_API_KEY=sk-... madang serve --config madang.yaml
    """
    if workers > 1:
        raise ConfigError(
            "--workers",
            got=str(workers),
            want="1",
            hint="several processes need shared state in Redis, which this version does not have yet",
        )
    from madang.config.load import load_config

    loaded = load_config(path)
    config = _with_options(loaded.config, host, port, data_dir)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _run(config, dict(loaded.environ), loaded.path)


def _with_options(config: Config, host: str | None, port: int | None, data_dir: str | None) -> Config:
    replace = msgspec.structs.replace
    server = config.server
    if host is not None:
        server = replace(server, host=host)
    if port is not None:
        server = replace(server, port=port)
    store = config.store if data_dir is None else replace(config.store, data_dir=data_dir)
    return replace(config, server=server, store=store)


def _run(config: Config, environ: dict[str, str], path: Path | None) -> None:
    from madang.app import App
    from madang.web.server import Server, listen

    sock = listen(config.server.host, config.server.port)
    app = App(config, environ)
    port = sock.getsockname()[1]
    server = Server(app, announce=lambda: click.echo(banner(app, port, path)))
    # uvicorn raises the signal that stopped it once more when all is done; by then it is obeyed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[sock])
    if not server.started:
        sys.exit(1)


def banner(app: App, port: int, path: Path | None) -> str:
    """What the terminal says at the start: where, what is on and why, where the data lives, the key."""
    host = app.config.server.host
    shown = _SHOWN.get(host, f"[{host}]" if ":" in host else host)
    address = f"http://{shown}:{port}"
    lines = [
        "",
        f"  Chat       {address}/",
        f"  API        {address}/v1   (base_url of any OpenAI client)",
        "",
        *_providers(app),
        "",
        *([f"  Settings   {path.resolve()}"] if path is not None else []),
        f"  Data       {_data(app)}",
        *_admin_key(app),
        "",
    ]
    if host not in _LOOPBACK:
        lines.insert(
            -1, f"  Note       listening on {host}: from other machines the chat page asks for a key"
        )
    return "\n".join(lines)


def _providers(app: App) -> list[str]:
    from madang.providers.discover import switched_off

    lines = [
        f"  {'Providers' if number == 0 else '':<10} {provider.name:<12} {provider.reason}"
        for number, provider in enumerate(app.providers)
    ]
    off = [one.switch for one in switched_off(app.config, app.providers) if one.switch.endswith("_API_KEY")]
    if off and len(app.providers) == 1:
        lines.append(f"  {'':<10} {'more with':<12} {', '.join(off[:3])}, ...")
        lines.append(f"  {'':<23} in the environment or in a file named .env")
    return lines


def _data(app: App) -> str:
    if app.config.store.url is None:
        return str(app.data_dir.resolve())
    return f"{app.store.shown_url}   (session key in {app.data_dir.resolve()})"


def _admin_key(app: App) -> list[str]:
    if app.fresh_admin_key is not None:
        return [
            f"  Admin key  {app.fresh_admin_key.reveal()}",
            f"  {'':<10} shown this once; it opens the API, the chat page and /admin",
        ]
    if app.environ.get("MADANG_ADMIN_KEY"):
        return ["  Admin key  the one in MADANG_ADMIN_KEY"]
    return [f"  Admin key  made at the first start; lost it? {typed()} keys reset-admin"]


def typed() -> str:
    """What to type for `madang` here: after `make serve` it is in a folder that is not on the PATH."""
    import shutil

    program, found = Path(sys.argv[0]), shutil.which("madang")
    if program.name != "madang" or (found is not None and program.resolve() == Path(found).resolve()):
        return "madang"
    return sys.argv[0]
