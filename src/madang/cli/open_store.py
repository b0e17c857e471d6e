"""Which database a command means: the one `madang serve` would use if started here the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from madang.config.load import Loaded
    from madang.config.schema import KeyDefaults
    from madang.store import Store


def same_as_serve(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--config` and `--data-dir`, remembered in the context for `open_store`."""
    config = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=_remember,
        help="The configuration that names the database. Default: as for `madang serve`.",
    )
    data_dir = click.option(
        "--data-dir",
        type=click.Path(file_okay=False),
        expose_value=False,
        callback=_remember,
        help="The folder that `madang serve --data-dir` was given.",
    )
    return config(data_dir(command))


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value is not None:
        ctx.ensure_object(dict)[param.name] = value


def open_store(ctx: click.Context, *, make: bool = True) -> Store:
    """The store, closed when the command ends. `ctx.obj["store_url"]` wins over the configuration.

    Without `make` a database that is not there yet is an error, not an empty answer.
    """
    from madang.store import Store
    from madang.store.address import missing_file

    url = _url(ctx)
    missing = None if make else missing_file(url)
    if missing is not None:
        raise click.ClickException(
            f"There is no database at {missing} yet. Run this where `madang serve` runs, or say --data-dir."
        )
    store = Store.open(url)
    ctx.call_on_close(store.close)
    return store


def key_defaults(ctx: click.Context) -> KeyDefaults:
    """What the configuration gives new keys."""
    from madang.config.schema import KeyDefaults

    return KeyDefaults() if "store_url" in ctx.ensure_object(dict) else _loaded(ctx).config.keys


def environment(ctx: click.Context) -> dict[str, str]:
    """The environment and `.env`, as the server would see them."""
    import os

    return dict(os.environ if "store_url" in ctx.ensure_object(dict) else _loaded(ctx).environ)


def _url(ctx: click.Context) -> str:
    from madang.store import default_url

    told = ctx.ensure_object(dict)
    if "store_url" in told:
        return str(told["store_url"])
    config = _loaded(ctx).config.store
    data_dir = told.get("data_dir")
    return config.url or default_url(Path(str(data_dir or config.data_dir)))


def _loaded(ctx: click.Context) -> Loaded:
    from madang.config.load import load_config

    return load_config(ctx.ensure_object(dict).get("config"))
