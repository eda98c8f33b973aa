"""The method of twins and of views of twins that computes KPIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["KpiMethods"]


class KpiMethods:
    """Compute KPIs of anything that reads like a twin."""

    def kpi(
        self,
        name: str | Kpi,
        *,
        on: str | None = None,
        by: str | None = None,
        every: str | None = None,
        start: object = None,
        stop: object = None,
        client: Client | None = None,
    ) -> xr.Dataset:
        """Return a KPI by window, with bounds: charts, tables, exports and notebooks take their numbers from here.

        Parameters
        ----------
        name : str or Kpi
            A key of ``kpis:`` in ``twin.yaml``, a kind of KPI such as ``"cold_chain"`` together with ``on``, or a definition.
        on : str, optional
            Asset type or event type; needed only with a kind of KPI that isn't in ``twin.yaml``, or to choose the KPI of
            ``twin.yaml`` that is of the same kind on another type.
        by : str, optional
            What to group by: a property; a relationship or a link of the event (an asset then counts in a group while the
            relationship is valid); the asset type at the end of one; or ``"asset"``. By default all assets are one group.
            What lacks the property is in the group "not stated"; an event whose link isn't stated may be in any group.
        every : str, optional
            Width of the windows, ``"1h"``, ``"1d"``, ``"7d"``; the KPI's `period` by default. Windows are whole and aligned to
            midnight UTC.
        start, stop : instants, optional
            Half-open span, naive is UTC; that of the data by default.
        client : distributed.Client, optional
            Compute on this Dask cluster, some windows and assets a task; the numbers are the same. A worker has at most 2 million cells of
            a signal in memory. What is counted over events is computed in this process.

        Returns
        -------
        Dataset
            Dims ``time`` and, with ``by``, the group:

            ``value``
                Best value, of what is known. A share or mean is of the known part; a total has nothing for what isn't known.
            ``low, high``
                Least and greatest that the value can be, whatever the missing, failed and suspect values are, and whatever still
                comes. Unknown time and events count as bad in ``low`` and as good in ``high``. A number that isn't known can be
                all that `sensor_span` allows (`expected_span` where that isn't stated); without either, and for columns of
                events, nothing limits it and the bounds are infinite. NaN where the KPI doesn't exist, such as the mean of no
                events.
            ``coverage``
                Share of cells, or of events, whose value is known and not suspect; the least of all parts of the formula.
            ``samples``
                Number of cells or events with a value.
            ``settled_until``
                Time up to which nothing more is expected: the earliest watermark of the sources, or the latest actual time of
                the events. What is later isn't known, and is in the bounds of its window.

            ``low == value == high`` where all is known. Attributes: ``units, long_name, owner, definition, formula, target``.

        Raises
        ------
        UnknownTermError
            If there is no such KPI or group; shows the nearest.
        SchemaError
            If several relationships lead to the group, the formula doesn't fit, or there is no data and no span.

        Examples
        --------
        >>> import twinlab as tl
        >>> from twinlab.model import Kpi
        >>> from twinlab.testing import FakeTwin
        >>> twin = FakeTwin.example(days=3, trips=10)
        >>> warm = Kpi(on="station", formula="time_share(temperature > 10 degC)", unit="%")
        >>> tl.events.kpi(twin, warm, every="1d").value.sizes
        Frozen({'time': 3})
        """
        from twinlab.events.kpis.compute import kpi  # noqa: PLC0415  (reading a twin needs no KPI)

        return kpi(cast("TwinReader", self), name, on=on, by=by, every=every, start=start, stop=stop, client=client)
