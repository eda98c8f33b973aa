"""Which changes of a scenario are in effect at the same time, and which of them contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from twinlab.errors import SchemaError
from twinlab.model.check import Finding
from twinlab.simulate.network.network import Network
from twinlab.simulate.scenarios.change import Change
from twinlab.simulate.scenarios.windows import Span, form_of, spans

__all__ = ["contradictions", "in_order", "overlap"]


def in_order(changes: Sequence[Change]) -> list[int]:
    """Return the places of changes in the order in which they are applied: those of the whole run, then those of windows."""
    return sorted(range(len(changes)), key=lambda place: changes[place].windowed)


def overlap(one: Change, other: Change, run: Span | None) -> bool:
    """Return whether two changes are in effect at the same time at some time of a run.

    If the run isn't known, windows of different forms count as apart.
    """
    if run is None:
        if not (one.windowed and other.windowed):
            return True
        forms = {form_of(text) for change in (one, other) for text in (change.start, change.stop) if text is not None}
        if len(forms) > 1:
            return False
        long = np.timedelta64(3 if forms == {"daily"} else 365_000, "D")
        first = np.datetime64("1800-01-01", "D")
        run = first, min(first + long, np.datetime64("2200-01-01", "D"))
    mine, others = (spans(change.start, change.stop, first=run[0], last=run[1]) for change in (one, other))
    return any(max(a, c) < min(b, d) for a, b in mine for c, d in others)


def contradictions(changes: Sequence[Change], network: Network, run: Span | None) -> Iterator[Finding]:
    """Return a fault for each change that says something else than one before it, about the same thing at the same time."""
    for place, later in enumerate(changes):
        for before, earlier in enumerate(changes[:place]):
            if later.windowed != earlier.windowed or not overlap(later, earlier, run):
                continue
            path = ("changes", place)
            if later == earlier:
                yield Finding(path, SchemaError, f"is the same as changes[{before}]; remove one of them")
                continue
            mine, others = later.effects(network), earlier.effects(network)
            both = [key for key in mine.keys() & others.keys() if "set" in (mine[key], others[key])]
            if both:
                yield Finding(
                    path,
                    SchemaError,
                    f"contradicts changes[{before}] ({earlier.words(network)}): both say what {min(both)} is; remove one of "
                    "them, or give them windows that don't overlap",
                )
