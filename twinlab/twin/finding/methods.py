"""The method of twins and of views of twins that finds events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.events.algebra.event_spans import Duration
    from twinlab.model.reader import TwinReader

__all__ = ["FindMethods"]


class FindMethods:
    """Find events in anything that reads like a twin."""

    def find(
        self,
        expression: str,
        *,
        on: str | None = None,
        lasting: Duration | None = None,
        gap: Duration | None = None,
        start: object = None,
        stop: object = None,
        assets: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return the events in which a condition is true, over all assets of a type.

        Parameters
        ----------
        expression : str
            Such as ``temperature > upper_limit and door == closed``. Comparisons with units, ``and or not``, arithmetic,
            properties of the asset, states by name; ``mean(x) over 15 min`` (also ``min max sum count``), ``rate(x)``,
            ``change(x) over 1h``, ``abs(x)``; ``… for at least 10 min``, ``… within 5 min after …``.
        on : str, optional
            Asset type; needed unless the expression names it, as in ``cold_room.temperature > 8 degC``.
        lasting : duration, optional
            Only events of at least this duration.
        gap : duration, optional
            Two events at most this far apart are one.
        start, stop : instant, optional
            Events that overlap ``[start, stop)``; naive is UTC. By default all that the history has.
        assets : sequence of str, optional
            Only these assets.

        Returns
        -------
        DataFrame
            Columns and errors as of `twinlab.events.find`.
        """
        from twinlab.events.finding.finder import find  # noqa: PLC0415  (import twinlab stays quick)

        reader = cast("TwinReader", self)
        return find(reader, expression, on=on, lasting=lasting, gap=gap, start=start, stop=stop, assets=assets)
