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
    """Explain values and events; of `twinlab.Twin`."""

    folder: Path

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

        def _calibrations_now(self) -> Calibrations: ...

    def why(
        self,
        what: str | Mapping[str, Any] | pd.Series,
        signal: str | None = None,
        at: object = None,
        *,
        step: str | None = None,
    ) -> Lineage:
        r"""Return what is behind a value or an event: rows, files, definitions, flags, calibrations.

        Parameters
        ----------
        what : str, or a row of a table of events
            An asset as type/id with a ``signal``; or an event as type/id: ``"flight/2013/1/1/UA/1545/EWR"``.
        signal : str, optional
            Of the asset.
        at : instant, optional
            With a signal: within the cell, or within the window of the rollup, that is explained. Naive is UTC.
        step : str, optional
            Explain the window of the rollup of this step, instead of one cell.

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
            return self._why_row(dict(what))
        kind, _, name = what.partition("/")
        if signal is not None:
            return self._why_value((kind, name, signal), at, step)
        model = self.reader.model
        if kind in model.event_types:
            return self._why_event(kind, name)
        if kind in model.asset_types:
            signals = ", ".join(model.asset_types[kind].signals) or "none"
            msg = (
                f"expected a signal of {what!r} and an instant: twin.why({what!r}, signal, at); its signals: {signals}"
            )
            raise SchemaError(msg)
        names = [*model.asset_types, *model.event_types]
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

    def _why_row(self, row: dict[str, Any]) -> Lineage:
        if row.get("type") in self.reader.model.event_types and row.get("event_id"):
            return self._why_event(str(row["type"]), str(row["event_id"]))
        msg = (
            "expected a row of a table of recorded events, with their `type` and `event_id`, got the columns "
            f"{', '.join(map(str, row))}"
        )
        raise SchemaError(msg)

    def _definitions_of(self) -> DefinitionSteps:
        from twinlab.twin.lineage.definitions import DefinitionSteps  # noqa: PLC0415

        files = {source: f"{MAPPINGS}/{path.name}" for source, path in mapping_files(self.folder).items()}
        return DefinitionSteps(self.reader, files)
