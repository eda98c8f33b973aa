"""How far a run is: a bar in terminals and notebooks, and a callback for pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import xarray as xr
from tqdm.auto import tqdm

__all__ = ["Progress", "Report", "reporting"]

#: Seconds of work before a bar is shown.
_DELAY = 2


@dataclass(frozen=True)
class Progress:
    """State of a run after a chunk.

    Parameters
    ----------
    done, total : int
        Replications of all scenarios.
    seconds_left : float or None
        Seconds that the rest will take; None until chunks of a size have been timed.
    scenario : str
        Scenario of the chunk.
    data : Dataset
        The chunk's results; its first dim is ``replication``.
    """

    done: int
    total: int
    seconds_left: float | None
    scenario: str
    data: xr.Dataset


Report = Callable[[Progress], object]


@contextmanager
def reporting(progress: Report | bool | None) -> Iterator[Report]:  # noqa: FBT001  (as users write it)
    """Yield the function that is called after each chunk.

    Parameters
    ----------
    progress : callable, bool or None
        A callable is called itself. None and True show a bar once the run takes two seconds, unless the environment variable
        ``TQDM_DISABLE`` is set; False shows nothing.
    """
    if callable(progress):
        yield progress
        return
    disable = progress is False or os.environ.get("TQDM_DISABLE", "0") not in {"", "0"}
    layout = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
    with tqdm(desc="replications", delay=_DELAY, leave=False, disable=disable, bar_format=layout) as bar:

        def show(one: Progress) -> None:
            bar.total = one.total
            if one.seconds_left is not None:
                bar.set_postfix_str(f"{tqdm.format_interval(one.seconds_left)} left", refresh=False)
            bar.update(one.done - bar.n)

        yield show
