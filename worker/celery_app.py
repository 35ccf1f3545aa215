"""The queue: Celery over Redis. A message is a doorbell with an id in it; the rows are the truth.

Celery on Redis loses and repeats messages whatever its settings (celery 4354, 7950; kombu 305): a message is
popped before it is noted as unacknowledged. The settings here keep that rare and cheap; claims with a fencing
token make a repetition harmless, and the sweeper rings again for what was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from kombu.utils.url import maybe_sanitize_url
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.errors import BadSettings, ServiceUnreachable
from worker.settings import Settings

QUEUE = "digitmill"
OPEN_DOCUMENT = "digitmill.open_document"
READ_PAGE = "digitmill.read_page"

CONNECT_S = 3.0  # to connect, and again to answer: a command has ten seconds to say that nobody does


def make_app(settings: Settings) -> Celery:
    """Return a Celery application that has not connected to anything yet and knows no tasks."""
    app = Celery("digitmill", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_default_queue=QUEUE,
        task_ignore_result=True,  # results are rows
        task_acks_late=True,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,  # else a page that hangs comes back for ever
        task_reject_on_worker_lost=False,  # else so does a page that kills its process
        task_time_limit=settings.page_time_limit_s,  # the hard one: a soft one cannot interrupt C
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.2, "interval_max": 0.5},
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=500,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_proc_alive_timeout=60,  # a child loads OpenCV and the model before it says that it is up
        worker_redirect_stdouts=False,
        worker_log_color=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # for ever
        broker_transport_options={
            "visibility_timeout": 4 * settings.page_time_limit_s + 60,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,  # else redelivery takes ten times the interval
            "socket_connect_timeout": CONNECT_S,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
    )
    return app


class Doorbell:
    """Tells the pool that there is work. Each ring names a row; ringing twice for one does no harm."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def ring_documents(self, ids: Iterable[int]) -> None:
        """Ask for these documents to be opened. Raises ServiceUnreachable."""
        self._ring(OPEN_DOCUMENT, ids)

    def ring_pages(self, ids: Iterable[int]) -> None:
        """Ask for these pages to be read. Raises ServiceUnreachable."""
        self._ring(READ_PAGE, ids)

    def waiting(self) -> int:
        """Return how many messages nobody has taken yet. Raises ServiceUnreachable."""
        with _once(self._app.conf.broker_url) as client:
            return int(client.llen(QUEUE))

    def _ring(self, task: str, ids: Iterable[int]) -> None:
        try:
            with self._app.producer_or_acquire() as producer:
                for row in ids:
                    # By queue name only: after FLUSHALL a message to an exchange vanishes without an error.
                    self._app.send_task(task, args=(row,), queue=QUEUE, producer=producer, ignore_result=True)
        except (OperationalError, redis.RedisError) as error:
            raise ServiceUnreachable(_unreachable(self._app.conf.broker_url, error)) from error


def check_broker(url: str) -> None:
    """Return if the broker answers. Raises ServiceUnreachable, within ten seconds, if it does not."""
    with _once(url) as client:
        client.ping()


@contextmanager
def _once(url: str) -> Iterator[redis.Redis]:
    """A client that neither waits long nor tries again."""
    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_S, socket_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:
        raise BadSettings(
            f"DIGITMILL_BROKER_URL must look like redis://:password@host:6379/0: {maybe_sanitize_url(url)}"
        ) from error
    try:
        with client:
            yield client
    except redis.RedisError as error:
        raise ServiceUnreachable(_unreachable(url, error)) from error


def _unreachable(url: str, error: Exception) -> str:
    return (
        f"The broker at {maybe_sanitize_url(url)} does not answer ({error}). "
        "Is Redis running? DIGITMILL_BROKER_URL says where it is looked for."
    )
