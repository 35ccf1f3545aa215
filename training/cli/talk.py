"""What `digitmill-train` says while it works: on stderr, with bars on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from training.mixture import Watch

talk = Console(stderr=True)


@contextmanager
def progress() -> Iterator[Watch]:
    """Show how far each step is: a bar on a terminal, else a line when it is through."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=talk, disable=not talk.is_terminal) as bars:
        bar = bars.add_task("starting")

        def watch(what: str, step: int, steps: int) -> None:
            bars.update(bar, description=what, completed=step, total=steps)
            if step == steps:
                talk.print(f"{what}: done")

        yield watch
