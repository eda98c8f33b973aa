"""The method of `twinlab.Twin` that explains a number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.reading import instant_ns, known
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import parse_duration
from twinlab.twin.definitions import MAPPINGS, mapping_files

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.history import HistoryReader
    from twinlab.model.calibration import Calibrations
    from twinlab.twin.lineage.definitions import DefinitionSteps
    from twinlab.twin.lineage.lineage import Lineage

__all__ = ["LineageMethods"]


class LineageMethods:
    """Explain values, events, exceptions, alerts and KPIs; of `twinlab.Twin`."""

    folder: Path

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

        def _calibrations_now(self) -> Calibrations: ...

        def events(self, event_type: str) -> pd.DataFrame:
            """Return the events of an event type or a finder."""

    def why(
        self,
        what: str | Mapping[str, Any] | pd.Series,
        signal: str | None = None,
        at: object = None,
        *,
        step: str | None = None,
        on: str | None = None,
        by: str | None = None,
        group: str | None = None,
    ) -> Lineage:
        r"""Return what is behind a value, an event, an exception, an alert or a KPI: rows, files, definitions, flags, calibrations.

        Parameters
        ----------
        what : str, or a row of a table
            An asset as type/id with a ``signal``; an event as type/id: ``"flight/2013/1/1/UA/1545/EWR"``; an event
            of a finder by its id; the name of a KPI; or a
            row of a table of events, of what `find` found, of exceptions or of alerts.
        signal : str, optional
            Of the asset.
        at : instant, optional
            In the cell, or in the window of the rollup or of the KPI, that is explained; of a window of several days, on its first
            day. Naive is UTC.
        step : str, optional
            Explain the window of the rollup of this step, instead of one cell; of a KPI, the width of its windows.
        on, by, group : str, optional
            With a KPI: as in `kpi`, and one of its groups.

        Returns
        -------
        Lineage
            ``table()`` has its steps, ``rows`` the rows of the ledger with file and line, ``drawing()`` an SVG.

        Raises
        ------
        UnknownTermError
            If the twin doesn't have the asset, signal or event; shows the nearest.
        SchemaError
            If ``at`` is missing or no instant.

        Examples
        --------
        >>> import tempfile, twinlab as tl
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.2\n")
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> _ = twin.ingest(folder / "gauge.csv")
        >>> twin.why("gauge/gauge", "level", "2026-03-01T00:01").rows[["written", "file", "row"]].values.tolist()
        [['2.2', 'gauge.csv', 3]]
        """
        if not isinstance(what, str):
            return self._why_row(dict(what), getattr(what, "attrs", {}))
        if "/" not in what and (at is not None or by is not None):
            return self._why_kpi(what, at, step=step, on=on, by=by, group=group)
        kind, _, name = what.partition("/")
        if signal is not None:
            return self._why_value((kind, name, signal), at, step)
        model = self.reader.model
        if kind in model.event_types:
            return self._why_event(kind, name)
        if kind in model.events:
            table = self.events(kind)
            places = {str(name): place for place, name in enumerate(table["event_id"])}
            return self._why_row(dict(table.iloc[known(what, places, f"event of the finder {kind!r}")]), {})
        if kind in model.asset_types:
            signals = ", ".join(model.asset_types[kind].signals) or "none"
            msg = (
                f"expected a signal of {what!r} and an instant: twin.why({what!r}, signal, at); its signals: {signals}"
            )
            raise SchemaError(msg)
        names = [*model.asset_types, *model.event_types, *model.events]
        msg = f"expected an asset or an event as type/id, got {what!r}{nearest(kind, names)}"
        raise UnknownTermError(msg)

    def _why_value(self, series: tuple[str, str, str], at: object, step: str | None) -> Lineage:
        from twinlab.twin.lineage.values import value_lineage  # noqa: PLC0415  (nobody who only reads needs it)

        asset_type, asset, signal = series
        reader = self.reader
        kind = known(asset_type, reader.model.asset_types, "asset type")
        spec = known(signal, kind.signals, f"signal of {asset_type!r}")
        known(asset, {str(one): one for one in reader.assets(asset_type).index}, f"asset of type {asset_type!r}")
        if at is None:
            msg = f"expected an instant: twin.why('{asset_type}/{asset}', {signal!r}, '2026-01-05T12:00')"
            raise SchemaError(msg)
        size = spec.cadence_ns if step is None else parse_duration(step)
        origin = reader.model.origin_ns
        first = origin + (instant_ns(at) - origin) // size * size
        window = np.datetime64(first, "ns"), np.datetime64(first + size, "ns")
        return value_lineage(reader, series, window, self._definitions_of(), self._calibrations_now(), step=step)

    def _why_event(self, event_type: str, event_id: str) -> Lineage:
        from twinlab.twin.lineage.events import event_lineage  # noqa: PLC0415

        return event_lineage(self.reader, event_type, event_id, self._definitions_of())

    def _why_kpi(
        self, name: str, at: object, *, step: str | None, on: str | None, by: str | None, group: str | None
    ) -> Lineage:
        from twinlab.twin.lineage.kpis import kpi_lineage  # noqa: PLC0415

        if at is None:
            msg = f"expected an instant in the window of the KPI: twin.why({name!r}, at='2026-01-05')"
            raise SchemaError(msg)
        reader = self.reader
        return kpi_lineage(reader, reader, name, at, self._definitions_of(), on=on, by=by, group=group, every=step)

    def _why_row(self, row: dict[str, Any], attributes: Mapping[str, Any]) -> Lineage:
        model = self.reader.model
        if row.get("alert") in model.alerts:
            alert = model.alerts[row["alert"]]
            if alert.kpi is not None:
                at = row["since"] if row["since"] == row["since"] else row["noted"]
                group = str(row["asset"]) if alert.by is not None else None
                return self._why_kpi(alert.kpi, at, step=None, on=None, by=alert.by, group=group)
            if alert.finder is not None:
                finder = model.events[alert.finder]
                return self._why_found({**row, "start": row["since"], "end": row["until"]}, finder.when, finder.on)
            # Of what had begun earlier only the rows before the alert are known.
            raised = row["since"] if row["since"] == row["since"] else row["noted"]
            row = {"raised": raised, **row, "rule": alert.rule}
        if row.get("rule") in model.rules:
            from twinlab.twin.lineage.exceptions import exception_lineage  # noqa: PLC0415

            return exception_lineage(self.reader, row, self._definitions_of())
        if row.get("type") in model.event_types and row.get("event_id"):
            return self._why_event(str(row["type"]), str(row["event_id"]))
        if row.get("type") in model.events:
            finder = model.events[row["type"]]
            return self._why_found(row, finder.when, finder.on)
        if {"type", "asset", "start", "end"} <= set(row):
            return self._why_found(row, attributes.get("expression"), attributes.get("on"))
        msg = (
            "expected a row of a table of events, with their `type` and `event_id`, of exceptions, with their `rule`, or of alerts, "
            f"with their `alert`; got the columns {', '.join(map(str, row))}"
        )
        raise SchemaError(msg)

    def _why_found(self, row: Mapping[str, Any], expression: object, on: object) -> Lineage:
        from twinlab.twin.lineage.found import found_lineage  # noqa: PLC0415

        return found_lineage(self.reader, row, expression, on, self._definitions_of())

    def _definitions_of(self) -> DefinitionSteps:
        from twinlab.twin.lineage.definitions import DefinitionSteps  # noqa: PLC0415

        files = {source: f"{MAPPINGS}/{path.name}" for source, path in mapping_files(self.folder).items()}
        return DefinitionSteps(self.reader, files)
