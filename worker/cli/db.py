"""`digitmill db`: create, upgrade and check the database."""

from __future__ import annotations

import click

from worker.cli.options import database_option
from worker.database import engine
from worker.settings import Settings


@click.group()
def command() -> None:
    """Create, upgrade and check the database."""


@command.command()
@database_option
def upgrade(settings: Settings) -> None:
    """Bring the database's tables to this version, from an empty database too.

    An SQLite file is also made by the first command that needs one; PostgreSQL only ever changes by this
    command.
    """
    upgraded = engine.upgrade(settings.database_url)
    before = upgraded.before or "empty"
    change = "nothing to do" if before == upgraded.after else f"was {before}"
    click.echo(f"{upgraded.place}: schema {upgraded.after}, {change}", err=True)


@command.command()
@database_option
def check(settings: Settings) -> None:
    """Say which schema the database has. Exits 9 unless this version works with it."""
    revision = engine.check(settings.database_url)
    place = engine.describe(engine.parse_url(settings.database_url))
    click.echo(f"{place}: schema {revision}, as it should be", err=True)
