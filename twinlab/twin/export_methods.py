"""The method of `twinlab.Twin` that writes files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from distributed import Client

    from twinlab.model.twinmodel import TwinModel

__all__ = ["ExportMethods"]


class _Twin(Protocol):
    """What the methods need of a twin."""

    @property
    def model(self) -> TwinModel:
        """The twin's model."""

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
        calibrated: bool = False,
        annotated: bool = False,
    ) -> xr.Dataset:
        """Return the history of one asset type."""

    def events(self, event_type: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the events of one type."""

    def kpi(
        self,
        name: str,
        *,
        by: str | None = None,
        every: str | None = None,
        start: object = None,
        stop: object = None,
        client: Client | None = None,
    ) -> xr.Dataset:
        """Return a KPI."""


class ExportMethods:
    """Write what a twin knows to files of standard formats."""

    def export(
        self: _Twin,
        what: str,
        target: str | Path,
        *,
        signals: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
        by: str | None = None,
        calibrated: bool = False,
        annotated: bool = False,
        client: Client | None = None,
    ) -> Path:
        """Write an asset type's history, an event table, a finder's events or a KPI to Zarr, Parquet, CSV or Excel, by the target's suffix.

        ``"kpi/cold_chain"`` is the KPI ``cold_chain``, with ``step`` as `every` and ``by`` of `kpi`. A history has the columns
        that `history` adds with ``calibrated`` and ``annotated``.

        With ``client``, a `distributed.Client`, the workers of a Dask cluster read and encode the spans of a history or a KPI, and this process
        writes them in order: the file is the same. A worker has at most two spans of 16 MiB of values in memory, and their encoded form.
        Tables of events and Excel files are written in this process.

        Raises
        ------
        UnknownTermError
            If ``what`` is neither an asset type, event type nor finder of the model, nor a KPI; shows the nearest.
        SchemaError
            If the suffix is none of those, or the table is too long for Excel.
        """
        from twinlab.twin.export import export_dataset, export_kpi, export_table  # noqa: PLC0415  (Excel writers load late)
        from twinlab.twin.sharing.export_parts import HistoryRequest, export_parts  # noqa: PLC0415

        if (calibrated or annotated) and what not in self.model.asset_types:
            msg = f"expected an asset type to export calibrated or annotated, got {what!r}: only a history has values"
            raise SchemaError(msg)
        if what.startswith("kpi/"):
            kpi = self.kpi(what.removeprefix("kpi/"), by=by, every=step, start=start, stop=stop, client=client)
            return export_kpi(kpi, Path(target))
        if what in self.model.asset_types:
            chosen = None if signals is None else tuple(signals)
            request = HistoryRequest(what, chosen, start, stop, step, calibrated, annotated)
            excel = Path(target).suffix == ".xlsx"
            with export_parts(None if excel else client, self, request) as parts:
                return export_dataset(request.read(self), Path(target), parts)
        if what in self.model.event_types or what in self.model.events:
            return export_table(self.events(what, start=start, stop=stop), Path(target))
        model = self.model
        known = [*model.asset_types, *model.event_types, *model.events, *(f"kpi/{name}" for name in model.kpis)]
        msg = f"the twin has no asset type, event type or finder {what!r}{nearest(what, known)}"
        raise UnknownTermError(msg)
