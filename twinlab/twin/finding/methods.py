"""The methods of twins and of views of twins that find events, and say what happened during them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client

    from twinlab.events.algebra.event_spans import Duration
    from twinlab.model.reader import TwinReader

__all__ = ["FindMethods"]


class FindMethods:
    """Find events, and statistics of events, in anything that reads like a twin."""

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
        client: Client | None = None,
    ) -> pd.DataFrame:
        """Return the events in which a condition is true, over all assets of a type, or the recorded events for which it is true.

        Parameters
        ----------
        expression : str
            Such as ``temperature > upper_limit and door == closed``. Comparisons with units, ``and or not``, arithmetic,
            properties of the asset, states by name; ``mean(x) over 15 min`` (also ``min max sum count``), ``rate(x)``,
            ``change(x) over 1h``, ``abs(x)``; ``… for at least 10 min``, ``… within 5 min after …``. Of recorded events their
            columns, ``duration``, ``start_delay``, ``end_delay`` and ``cancelled``: ``leg.end_delay > 30 min``.
        on : str, optional
            Asset type, event type or finder; needed unless the expression names it, as in ``cold_room.temperature > 8 degC``.
        lasting : duration, optional
            Only events of at least this duration.
        gap : duration, optional
            Two events at most this far apart are one. Recorded events aren't joined.
        start, stop : instant, optional
            Events that overlap ``[start, stop)``; naive is UTC. By default all that the history has.
        assets : sequence of str, optional
            Only these assets.
        client : distributed.Client, optional
            Search on this Dask cluster, by month and neighbouring assets; the events are the same. A worker has at most 4 million cells
            of a signal in memory. Recorded events are searched in this process.

        Returns
        -------
        DataFrame
            Columns and errors as of `twinlab.events.find`.
        """
        from twinlab.events.finding.finder import find  # noqa: PLC0415  (import twinlab stays quick)

        reader = cast("TwinReader", self)
        return find(
            reader, expression, on=on, lasting=lasting, gap=gap, start=start, stop=stop, assets=assets, client=client
        )

    def event_statistics(
        self,
        events: pd.DataFrame,
        signal: str,
        *,
        above: float | str | pd.Series | None = None,
        below: float | str | pd.Series | None = None,
        on: str | None = None,
        asset: str = "asset",
        now: object = None,
    ) -> pd.DataFrame:
        """Return statistics of a signal during each event, recorded or found.

        Parameters
        ----------
        events : DataFrame
            As `find` and `events` return them.
        signal : str
            A gauge or a counter.
        above, below : number, text such as "8 degC", or Series, optional
            Limits of the integrals; numbers are in the signal's unit. A Series has one for each event.
        on : str, optional
            Asset type of the signal. By default what the type of the events says, or the only one with the signal.
        asset : str
            Column of ``events`` with the assets, such as a link.
        now : instant, optional
            An event that isn't over counts up to then; by default up to the end of the data.

        Returns
        -------
        DataFrame
            With the index of ``events``: ``duration, mean, min, max, peak, coverage, worst_flag`` and the integrals; they and
            errors as of `twinlab.events.event_statistics`.
        """
        from twinlab.events.statistics.per_event import event_statistics  # noqa: PLC0415  (import twinlab stays quick)

        reader = cast("TwinReader", self)
        return event_statistics(reader, events, signal, above=above, below=below, on=on, asset=asset, now=now)
