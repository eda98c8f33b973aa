"""The methods of `twinlab.Twin` that concern use of its pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twinlab.twin.usage.store import UsageStore

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.usage.counter import UsageCounter

__all__ = ["UsageMethods"]

_OFF = ("0", "false", "no", "off")


class UsageMethods:
    """How often pages are opened and tasks done; of `twinlab.Twin`."""

    folder: Path

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

    def usage(self, *, by: Literal["week", "day"] = "week") -> pd.DataFrame:
        """Return how often served pages were opened and tasks were done; nothing about who, and no time of day.

        Nothing is counted with ``usage: off`` in ``twin.yaml``, or ``TWINLAB_USAGE=off`` where pages are served. Processes add what they
        counted each minute.

        Parameters
        ----------
        by : "week" or "day"
            Weeks begin on Monday; days are those of UTC.

        Returns
        -------
        DataFrame
            ``start, kind`` ("page", "task" or "answer"), ``name, count`` (NA if it is smaller than 5) and ``shown`` ("< 5" then). Of
            ``answer`` the name is the time in which the answer was there: "1s", "3s", "10s" at most, or "longer".

        Examples
        --------
        >>> twin.usage()[["start", "name", "shown"]]  # doctest: +SKIP
        """
        from twinlab.twin.usage.table import usage_table  # noqa: PLC0415  (most twins are opened for something else)

        return usage_table(UsageStore(self.folder / "usage").read(), by=by)

    @property
    def counts_usage(self) -> bool:
        """Whether use of served pages is counted: by default, in a folder; see `usage`."""
        return self.model.usage and os.environ.get("TWINLAB_USAGE", "").strip().casefold() not in _OFF

    @property
    def has_usage(self) -> bool:
        """Whether use is counted, or was."""
        return self.counts_usage or any((self.folder / "usage").glob("*.json"))

    @property
    def usage_counter(self) -> UsageCounter | None:
        """A new counter for a process that serves pages, to be closed at its end; None if nothing is counted."""
        from twinlab.twin.usage.counter import UsageCounter  # noqa: PLC0415  (only servers count)

        return UsageCounter(UsageStore(self.folder / "usage")) if self.counts_usage else None
