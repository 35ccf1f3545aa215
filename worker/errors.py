"""What can go wrong in a way a person can mend. Each message says what, where, and what would fix it.

The command line turns these into exit codes; nothing else does.
"""


class DigitmillError(Exception):
    """The base of all errors whose message is meant for the person at the keyboard."""


class PathUnreadable(DigitmillError):
    """A path that was named cannot be read or written (exit code 5)."""


class ServiceUnreachable(DigitmillError):
    """The broker or the database does not answer (exit code 7)."""


class NoUsableInput(DigitmillError):
    """Nothing that was named holds a scan (exit code 8)."""


class UnknownBatch(NoUsableInput):
    """The database has no batch of this name."""


class QueryRefused(DigitmillError):
    """The database takes a query for wrong, or for more than reading (exit code 2)."""


class BadSettings(DigitmillError):
    """A setting, template or model cannot be used (exit code 9)."""


class ModelRefused(BadSettings):
    """A model file that this worker must not read with, and why."""


class ScanError(DigitmillError):
    """A document or a page of it cannot be read. Costs that document or page, never its batch."""
