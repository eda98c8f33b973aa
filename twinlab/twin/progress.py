"""One progress bar for what takes more than two seconds, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

__all__ = ["progress_bar"]

#: Work that is done sooner shows no bar, seconds.
DELAY = 2


@contextmanager
def progress_bar(title: str, *, unit: str) -> Iterator[Callable[..., None]]:
    """Show a bar while the block runs; the function it yields is called with ``(done, total)`` and maybe what is done now."""
    with tqdm(desc=title, unit=unit, unit_scale=True, delay=DELAY, leave=False) as bar:

        def show(done: int, total: int, what: str = "") -> None:
            bar.total = total
            if what:
                bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)

        yield show
