"""Options that several commands share. What is given on the command line wins over the environment."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from worker.settings import Settings, parse_share

Command = TypeVar("Command", bound=Callable[..., Any])

# What cannot be read or written is told by whoever opens it, with exit code 5: click would call it usage.
path_type = click.Path(readable=False, path_type=Path)

_OVERRIDES = f"{__name__}.overrides"


def setting_option(flag: str, name: str, **attributes: Any) -> Callable[[Command], Command]:
    """Add an option that overrides a setting; the command needs `pass_settings` or `database_option` too."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value is not None:
            ctx.meta.setdefault(_OVERRIDES, {})[name] = value

    return click.option(flag, expose_value=False, callback=remember, default=None, **attributes)


def pass_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command `settings`: the environment, with its setting options on top."""

    @wraps(command)
    def with_settings(*args: Any, **kwargs: Any) -> Any:
        overrides = click.get_current_context().meta.get(_OVERRIDES, {})
        return command(*args, settings=Settings.read(**overrides), **kwargs)

    return with_settings


def database_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--db URL` and hand the command `settings`."""
    db = setting_option(
        "--db",
        "database_url",
        metavar="URL",
        help="The database; default DIGITMILL_DATABASE_URL, else digitmill.db in this folder.",
    )
    return db(pass_settings(command))


def _storable(_ctx: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    try:
        (name or "").encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("the name is not UTF-8, and no database could hold it") from error
    return name


batch_option = click.option(
    "--batch",
    metavar="NAME",
    callback=_storable,
    help="What to call it; default: the name of the first folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout, for scripts.")


def _share(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        share = float(str(parse_share(text)))
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise click.BadParameter(f"{text!r} is no share such as 0.1% or 0.001")
    return share


jobs_option = setting_option(
    "--jobs", "concurrency", type=int, metavar="N", help="Processes that read; default one a core."
)
target_error_option = click.option(
    "--target-error",
    callback=_share,
    metavar="SHARE",
    help="At most this share of the accepted fields may be wrong, such as 0.1%; the others wait for review. "
    "Kept with the batch. Default: DIGITMILL_TARGET_ERROR.",
)


def tell_of_target_error(read_before: int, batch: str) -> None:
    """Say on stderr that --target-error came too late for some pages of a batch, where it did."""
    if read_before:
        click.echo(
            f"--target-error holds for what is read from now on: {read_before} pages of batch {batch} were "
            "read before by another one, and stay as they are. Another --batch reads them anew.",
            err=True,
        )


def repeat_database_option(settings: Settings) -> str:
    """Return ` --db URL` for a command we propose, nothing where the environment names this database."""
    if settings.database_url == Settings.read().database_url:
        return ""
    from sqlalchemy import make_url

    without_password = make_url(settings.database_url).render_as_string(hide_password=True)  # logs are read
    return f" --db {shlex.quote(without_password)}"
