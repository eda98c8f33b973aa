"""A progress bar for work that takes more than two seconds, in a terminal and in a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

__all__ = ["progress_bar"]

#: Seconds of work before a bar is shown.
DELAY = 2


@contextmanager
def progress_bar(title: str, *, unit: str) -> Iterator[Callable[..., None]]:
    """Show a bar while the block runs, unless the environment variable ``TQDM_DISABLE`` is set.

    The function that it yields is called with ``(done, total)`` and optionally the current step.
    """
    # tqdm reads its variable in a terminal, but not in a notebook.
    disable = os.environ.get("TQDM_DISABLE", "0") not in {"", "0"}
    with tqdm(desc=title, unit=unit, unit_scale=True, delay=DELAY, leave=False, disable=disable) as bar:

        def show(done: int, total: int, what: str = "") -> None:
            bar.total = total
            if what:
                bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)

        yield show
