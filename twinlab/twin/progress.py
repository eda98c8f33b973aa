"""A progress bar for work that takes more than two seconds, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

__all__ = ["progress_bar"]

#: Seconds of work before a bar is shown.
DELAY = 2


@contextmanager
def progress_bar(title: str, *, unit: str) -> Iterator[Callable[..., None]]:
    """Show a bar while the block runs; the function that it yields is called with ``(done, total)`` and optionally the current step."""
    with tqdm(desc=title, unit=unit, unit_scale=True, delay=DELAY, leave=False) as bar:

        def show(done: int, total: int, what: str = "") -> None:
            bar.total = total
            if what:
                bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)

        yield show
