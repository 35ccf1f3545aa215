"""Which schema a database has, and how it gets this program's. Alembic has no ini file, but this."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

import migrations
from worker.database.tables import SCHEMA_REVISION
from worker.errors import BadSettings

# Any number; the same for all who upgrade, so that one does while the others wait.
_UPGRADE_LOCK = 0x6469676974


class SchemaMismatch(BadSettings):
    """The database has another schema than this program."""


def revision(connection: Connection) -> str | None:
    """Return the schema's revision, None where Digitmill has no tables in this database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def require(found: str | None, place: str) -> str:
    """Return the revision. Raises SchemaMismatch where it isn't the one this program works with."""
    if found is None:
        raise SchemaMismatch(f"{place} has no tables of Digitmill yet: run `digitmill db upgrade`")
    if found < SCHEMA_REVISION:
        raise SchemaMismatch(
            f"{place} has schema {found}, this Digitmill needs {SCHEMA_REVISION}: run `digitmill db upgrade`"
        )
    if found > SCHEMA_REVISION:
        raise SchemaMismatch(
            f"{place} has schema {found}, this Digitmill knows {SCHEMA_REVISION} at most: "
            "`digitmill db upgrade` was run by a newer one; install that"
        )
    return found


def upgrade(connection: Connection, place: str) -> str | None:
    """Upgrade within the given transaction. Returns the revision it came from, None for an empty database."""
    # Imported here: loading Alembic takes as long as many a command.
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    before = revision(connection)
    if before is None and not is_empty(connection):
        raise SchemaMismatch(f"{place} holds tables that are not Digitmill's: give it a database of its own")
    if before is not None and before > SCHEMA_REVISION:
        require(before, place)
    config = Config()
    # Alembic takes a % for the start of a variable.
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before
