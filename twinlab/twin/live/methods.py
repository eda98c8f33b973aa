"""Methods of a twin about its live sources."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import TwinlabError, UnknownTermError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from twinlab.history import BuildReport, HistoryReader
    from twinlab.ledger import Ledger
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.live.freshness.arrivals import Arrivals
    from twinlab.twin.live.gaps import RecordedGaps
    from twinlab.twin.live.status import LiveStatus

__all__ = ["LiveMethods"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between two writes of the states of anomalies, unless events changed: after a kill, rows since then are scored again.
_STATES_EVERY = 10.0


class LiveMethods:
    """What a twin does with its live sources."""

    folder: Path
    ledger: Ledger
    mappings: Mapping[str, SourceMapping]

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The twin's reader."""

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        def reload(self) -> None:
            """Read the definitions again."""

        def update_events(self) -> dict[str, pd.DataFrame]:
            """Update stored events."""

        def search_intrusions(self) -> int:
            """Search for intrusions."""

        def _retention_is_due(self) -> bool: ...

        def apply_privacy_retention(self, *, now: datetime | None = None) -> list[str]:
            """Destroy keys that are too old."""

        def _catch_up(self) -> BuildReport: ...

        def _update_anomalies(self, *, write_after: float = 0.0) -> None: ...

    def run(
        self,
        *,
        once: bool = False,
        seconds: float | None = None,
        metrics_port: int | None = None,
        metrics_host: str = "127.0.0.1",
        standby: bool = False,
        lease_seconds: float = 10.0,
    ) -> LiveStatus:
        """Run the twin's live sources: their rows become durable, are acknowledged, and are published, until it is stopped.

        This is ``twinlab run``: it returns after SIGTERM or SIGINT, or as the parameters say. Readers in any process have a
        row once it is durable.

        Parameters
        ----------
        once : bool
            Stop once every source has ended; those that have no end, after five seconds without a row.
        seconds : float, optional
            Stop after so long.
        metrics_port : int, optional
            Offer health and metrics on this port; 0 is a free one.
        metrics_host : str
            Address for these. One that others can reach needs a token in the environment variable ``TWINLAB_METRICS_TOKEN``.
        standby : bool
            If another historian runs on this twin, on this machine or another one that has its folder, wait until it has ended or is
            silent for longer than its lease, and take over then.
        lease_seconds : float
            After how long without a sign of life a standby takes over from this historian; 0.5 at least.

        Returns
        -------
        LiveStatus
            The last status.

        Raises
        ------
        SchemaError
            If no mapping has ``live:``.
        HistoryConflictError
            If another historian runs on this twin or has taken over, or another process writes to one of the sources; names it.
        SourceError
            If a client library isn't installed or a secret isn't set.
        """
        from twinlab.twin.live.lease import Lease  # noqa: PLC0415  (reading a twin needs none)
        from twinlab.twin.live.notify import alive, notify  # noqa: PLC0415
        from twinlab.twin.live.process import HistorianProcess, RunOptions  # noqa: PLC0415
        from twinlab.twin.live.status import FOLDER  # noqa: PLC0415

        def process() -> HistorianProcess:
            return HistorianProcess(
                self.folder,
                self.ledger,
                self.model,
                self.mappings,
                publish=self._publish_live,
                score=self._score_live,
                search=self.search_intrusions,
                overdue=self._retention_is_due,
                options=replace(options, seconds=None if end is None else max(0.0, end - time.monotonic())),
            )

        options = RunOptions(once=once, seconds=seconds, metrics_port=metrics_port, metrics_host=metrics_host)
        end: float | None = None
        process()  # what is missing is said before it waits
        if standby:
            notify("READY=1\nSTATUS=standby")
        with Lease(self.folder, FOLDER, seconds=lease_seconds, wait=standby, shut_out=self.ledger.take_over) as lease:
            if standby:
                # Model and mappings may have changed meanwhile.
                self.reload()
            self.apply_privacy_retention()
            end = None if seconds is None else time.monotonic() + seconds
            while True:
                # While sources run, keys stay: destroying one makes the history anew.
                status = (ready := process()).run(lease)
                if not ready.interrupted:
                    return status
                with alive():
                    try:
                        self.apply_privacy_retention()
                    except TwinlabError:
                        # Rows are taken all the same; it is tried again the next day.
                        _LOG.exception("personal data that are too old can still be read")

    def live_status(self) -> LiveStatus:
        """Return the state of the historian of this twin, which may run in another process, and of its sources."""
        from twinlab.twin.live.status import read_status  # noqa: PLC0415

        return read_status(self.folder)

    @property
    def sources(self) -> pd.DataFrame:
        """A row for each live source: state, rate, latencies, gaps, the clock that is off most; see `live_status`.

        ``stream_clocks`` has the clock offset of each stream with a clock of its own, such as each gateway, seconds.
        """
        return self.live_status().table()

    def window_states(
        self, stops: object, asset_type: str, *, signals: Sequence[str] | None = None
    ) -> NDArray[np.str_]:
        """Return for windows with these ends whether they are "open", "settling" or "settled", shape (windows,).

        Parameters
        ----------
        stops : array of instants
            Ends of windows, not included, UTC.
        asset_type : str
        signals : sequence of str, optional
            All signals of the type by default: the state is that of the one that is behind.

        Notes
        -----
        A window is open until a later row has come, and settling until rows can't be late any more, as ``live: {lateness: …}`` of
        the source's mapping states. Rows that come later still change exactly their windows.
        """
        from twinlab.events.kpis.settled import window_states  # noqa: PLC0415

        names = list(self.model.asset_types[asset_type].signals) if signals is None else signals
        return window_states(self.reader, np.atleast_1d(np.asarray(stops, dtype="datetime64[ns]")), asset_type, names)

    def gaps(self, source: str | None = None) -> pd.DataFrame:
        """Return the gaps that live sources recorded, all or those of one, and what became of them.

        Returns
        -------
        DataFrame
            A row for each gap in the order in which they were recorded: ``source, noted, stream, reason``, span or sequences, ``tags``;
            ``state`` ("open", "asked": the peer has been asked for the rows, "filled", "lost"), ``rows`` (recovered)``, changed``
            (when it got this state) and ``note`` (what had the rows, or why they can't be had). Gaps that a source filled by itself
            are merged, by stream and reason, to one a minute.
        """
        return self._recorded_gaps.table(source)

    def freshness(self) -> pd.DataFrame:
        """Return a row for each asset that a live source has sent rows of: state, age, latency, gaps, clock offset.

        Returns
        -------
        DataFrame
            Index ``asset_type, asset``; see `twinlab.twin.live.freshness.table.freshness_table`. Empty without live sources.
        """
        from twinlab.twin.live.freshness.table import freshness_table  # noqa: PLC0415

        return freshness_table(self._arrivals.read(), self.live_status(), self.model, self.mappings)

    @cached_property
    def _arrivals(self) -> Arrivals:
        from twinlab.twin.live.freshness.arrivals import Arrivals  # noqa: PLC0415

        return Arrivals(self.ledger, self.model, self.mappings)

    @cached_property
    def _recorded_gaps(self) -> RecordedGaps:
        from twinlab.twin.live.gaps import RecordedGaps  # noqa: PLC0415

        return RecordedGaps(self.ledger.journal)

    def recent_rows(self, source: str, *, rows: int = 20) -> pd.DataFrame:
        """Return the rows of a source that arrived last, newest first, with the source's own columns.

        Raises
        ------
        UnknownTermError
            If the twin has no such source.
        """
        from twinlab.twin.live.recent import recent_rows  # noqa: PLC0415

        if source not in self.mappings:
            msg = f"unknown source {source!r}{nearest(source, self.mappings)}"
            raise UnknownTermError(msg)
        return recent_rows(self.ledger, source, rows=rows)

    def unreadable(self, source: str) -> pd.DataFrame:
        """Return the messages of a live source that couldn't be read as rows, as they arrived.

        Returns
        -------
        DataFrame
            A row for each message: ``place`` at the source (``topic/partition/offset``)``, time`` (of the source, UTC)``, reason, key,
            headers, content``; the last has the bytes.

        Raises
        ------
        UnknownTermError
            If the twin has no such source.
        SourceError
            If the key of an encrypted file was destroyed.
        """
        from twinlab.twin.live.status import FOLDER  # noqa: PLC0415  (reading a twin needs none)
        from twinlab.twin.live.unreadable.messages import FOLDER as MESSAGES  # noqa: PLC0415
        from twinlab.twin.live.unreadable.messages import MessageFiles  # noqa: PLC0415

        if source not in self.mappings:
            msg = f"unknown source {source!r}{nearest(source, self.mappings)}"
            raise UnknownTermError(msg)
        return MessageFiles(self.folder / FOLDER / MESSAGES / source, self.ledger.encryption).table()

    def _score_live(self, last: bool) -> None:  # noqa: FBT001  (called by position)
        self._update_anomalies(write_after=0.0 if last else _STATES_EVERY)

    def _publish_live(self) -> BuildReport:
        from twinlab.history.build.rows.frame_cache import PUBLISHED_BYTES  # noqa: PLC0415  (reading a twin needs none)

        self.ledger.fence()
        report = self._catch_up()
        if report.commits and self.model.events:
            self.update_events()
            # As the publication does with its own: a process that lives for months would keep what a bulk of rows needs.
            self.reader.pinned().sources.cache.forget(PUBLISHED_BYTES)
        return report
