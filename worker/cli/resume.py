"""`digitmill resume`: ring again for everything unfinished of a batch."""

from __future__ import annotations

from contextlib import closing

import click

from worker.batches.rescue import ring_again, sweep
from worker.celery_app import Doorbell, check_broker, make_app
from worker.cli.options import database_option
from worker.database.engine import open_database
from worker.settings import Settings


@click.command()
@click.argument("batch")
@database_option
def command(batch: str, settings: Settings) -> None:
    """Ring the queue again for all of BATCH that nobody reads now. Ringing twice does no harm."""
    check_broker(settings.broker_url)
    doorbell = Doorbell(make_app(settings))
    with closing(open_database(settings.database_url, must_exist=True)) as db:
        freed = sweep(db, settings)  # what a dead worker held is queued again
        queued = ring_again(db, batch)
    doorbell.ring_documents({*freed.document_ids, *queued.document_ids})
    doorbell.ring_pages({*freed.page_ids, *queued.page_ids})
    click.echo(f"{batch}: rang for {len(queued.document_ids)} documents and {len(queued.page_ids)} pages")
