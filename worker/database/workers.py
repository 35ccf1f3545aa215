"""Which workers live: each stamps its row now and then."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from worker.database.engine import Database
from worker.database.tables import WorkerRow

ALIVE = timedelta(seconds=60)
FORGOTTEN = timedelta(days=7)  # a killed worker cannot strike itself off


def stamp(db: Database, name: str, version: str) -> None:
    """Note that a worker is alive now."""
    with db.write() as connection:
        now = db.now(connection)
        row = db.insert(WorkerRow).values(name=name, version=version, started_at=now, seen_at=now)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"seen_at": now}))
        connection.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - FORGOTTEN))


def strike_off(db: Database, name: str) -> None:
    """Forget a worker that ended in peace."""
    with db.write() as connection:
        connection.execute(delete(WorkerRow).where(WorkerRow.name == name))


def count_alive(db: Database) -> int:
    """Return how many workers were alive in the last minute."""
    with db.read() as connection:
        since = db.now(connection) - ALIVE
        return connection.execute(select(func.count()).where(WorkerRow.seen_at >= since)).scalar_one()
