"""Results of a twin's futures, with the twin's own KPIs and conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.runs.results import Results
from twinlab.twin.simulation.carriers import carrier_positions
from twinlab.twin.simulation.reader import SimulatedReader, joined

if TYPE_CHECKING:
    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.calibration.calibrated import Calibrated
    from twinlab.simulate.calibration.fidelity import Fidelity
    from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["TwinResults"]

_NOT_SCORED = (
    "not scored: twin.score_simulation(start=…) scores such a model on the days before the start; "
    "simulate.fidelity(twin, calibrated, window) scores another one, to pass as fidelity="
)


@dataclass(frozen=True, repr=False, eq=False)
class TwinResults(Results):
    """Results of `Twin.simulate`: those of a run, and the twin's KPIs, conditions and signals on them."""

    twin: TwinReader | None = field(default=None, kw_only=True)
    """The twin, or the view of it, that the start comes from."""
    begins: Callable[[str], tuple[TimetableModel, xr.Dataset]] | None = field(default=None, kw_only=True)
    """The model and the state that the futures of a scenario begin with."""
    calibrated: Calibrated | None = field(default=None, kw_only=True)
    """The model with its fits; None of a stored run, which keeps the fitted values alone."""
    assumed: tuple[str, ...] = field(default=(), kw_only=True)
    """What isn't in the history at the start, and is drawn or taken as given."""
    fidelity: Fidelity | None = field(default=None, kw_only=True)
    """How well the calibrated model foretold days that it wasn't fitted to; None if it wasn't scored."""

    @classmethod
    def of(
        cls,
        results: Results,
        *,
        twin: TwinReader,
        begins: Callable[[str], tuple[TimetableModel, xr.Dataset]],
        assumed: tuple[str, ...],
        fidelity: Fidelity | None = None,
        calibrated: Calibrated | None = None,
    ) -> TwinResults:
        """Return results of a run as those of a twin."""
        parts = {each.name: getattr(results, each.name) for each in fields(Results)}
        return cls(**parts, twin=twin, begins=begins, calibrated=calibrated, assumed=assumed, fidelity=fidelity)

    @property
    def fidelity_words(self) -> str:
        """How far the model can be trusted, in words; how to score it, if it wasn't."""
        return _NOT_SCORED if self.fidelity is None else self.fidelity.words

    def extend(self, replications: int, **options: Any) -> TwinResults:  # noqa: ANN401  (those of `Results.extend`)
        """Compute more replications of the same models; see `twinlab.simulate.Results.extend`."""
        more = super().extend(replications, **options)
        return replace(self, **{each.name: getattr(more, each.name) for each in fields(Results)})

    def kpi(self, name: str | Kpi, *, by: str | None = None, every: str | None = None) -> xr.Dataset:
        """Return a KPI of the twin in each traced replication, computed by the same functions as for the history.

        Events from before the start count with what was known then, so that the windows are whole.

        Parameters
        ----------
        name, by, every
            As in `Twin.kpi`.

        Returns
        -------
        Dataset
            As of `Twin.kpi`, with the dims ``scenario`` and ``replication`` in front.

        Raises
        ------
        SchemaError
            If no replication has events: simulate with ``trace=``.
        """
        from twinlab.events.kpis.compute import kpi  # noqa: PLC0415  (reading results needs no KPI)

        start, stop = self._start, self._stop
        return _stacked(self._each(lambda reader: kpi(reader, name, by=by, every=every, start=start, stop=stop)))

    def find(self, expression: str, *, on: str | None = None, **options: Any) -> pd.DataFrame:  # noqa: ANN401  (those of `find`)
        """Return the events in which a condition is true in the simulated futures.

        Parameters
        ----------
        expression, **options
            As in `Twin.find`.
        on : str, optional
            Asset type with simulated signals (``"waiting > 300"`` on ``"hub"``, ``"temperature > 8 degC"`` on ``"cold_room"``), or event type
            of the twin. Signals of rooms are searched at the cadence of their history, those of hubs in the cells of the results.

        Returns
        -------
        DataFrame
            As of `Twin.find`. Of an event type with the columns ``scenario`` and ``replication`` in front, for traced
            replications; of an asset type the asset names scenario, replication and asset.
        """
        from twinlab.events.finding.finder import find  # noqa: PLC0415  (reading results needs no search)

        if on is not None and on == self._room_type:
            return find(self.room_history(), expression, **options)
        if on is not None and any(one.attrs.get("asset_type") == on for one in self.data.data_vars.values()):
            return find(self.signals(on), expression, **options)
        options = {"start": self._start, "stop": self._stop} | options
        found = [
            table.assign(scenario=scenario, replication=number)
            for (scenario, number), table in self._each(
                lambda reader: find(reader, expression, on=on, **options)
            ).items()
        ]
        whole: pd.DataFrame = pd.concat(found, ignore_index=True)
        return whole.loc[
            :, ["scenario", "replication", *(name for name in whole if name not in {"scenario", "replication"})]
        ]

    def history(self, asset_type: str) -> xr.Dataset:
        """Return the simulated signals of an asset type, dims ``scenario, replication, time, asset``."""
        return self.signals(asset_type)

    def reader(self, scenario: str, replication: int = 0) -> SimulatedReader:
        """Return the twin as one traced replication has it: whatever reads a twin works on it.

        Raises
        ------
        SchemaError
            If the replication has no events.
        """
        assert self.twin is not None
        names = self._event_types
        tables = {name: self.store.events(scenario, name).get(replication) for name in names}
        missing = [name for name, table in tables.items() if table is None]
        if missing:
            msg = f"replication {replication} of {scenario!r} has no events of the type {missing[0]}; simulate with trace={replication + 1} or more"
            raise SchemaError(msg)
        known = {name: table for name, table in tables.items() if table is not None}
        signals = self._positions(known) | self._rooms_of(scenario, replication)
        return SimulatedReader(self.twin, known, self._past, (self._start, self._stop), signals)

    def room_history(self) -> xr.Dataset:
        """Return the simulated signals of rooms at the cadence of their history, dims ``scenario, replication, time, asset``.

        They are computed again from the states, of all replications.

        Raises
        ------
        SchemaError
            If the twin has no rooms with a temperature and a door.
        """
        assert self.begins is not None
        found = []
        for scenario in self.scenarios:
            model, state = self.begins(scenario)
            numbers = self.store.finished(scenario).tolist()
            found.append(
                model.room_history(state, replications=numbers, until=self._stop).expand_dims(scenario=[scenario])
            )
        return xr.concat(found, "scenario", join="outer", combine_attrs="override")

    def _positions(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, xr.Dataset]:
        """Return where carriers are, by asset type; nothing if their positions aren't signals, or places have none."""
        assert self.twin is not None
        assert self.begins is not None
        names = self.begins(self.scenarios[0])[0].names
        kinds, places = self.twin.model.asset_types, self.twin.assets(names.hub)
        signals, properties = kinds[names.carrier].position, kinds[names.hub].position
        if signals is None or not set(signals) <= set(kinds[names.carrier].signals) or properties is None:
            return {}
        known = places[list(properties)].dropna()
        where = {str(name): (float(a), float(b)) for name, a, b in known.itertuples()}
        trips = joined(self._past[names.trip], tables[names.trip])
        span = self._start, self._stop
        return {names.carrier: carrier_positions(trips, where, signals=signals, span=span)}

    def _rooms_of(self, scenario: str, replication: int) -> dict[str, xr.Dataset]:
        """Return the signals of rooms in one replication, by asset type; nothing without rooms."""
        if self._room_type is None:
            return {}
        assert self.begins is not None
        model, state = self.begins(scenario)
        found = model.room_history(state, replications=[replication], until=self._stop)
        return {self._room_type: found.isel(replication=0, drop=True)}

    @property
    def _room_type(self) -> str | None:
        assert self.begins is not None
        model, _ = self.begins(self.scenarios[0])
        return None if model.rooms is None else model.rooms.names.room

    def _each(self, compute: Callable[[SimulatedReader], Any]) -> dict[tuple[str, int], Any]:
        found = {(name, number): compute(self.reader(name, number)) for name, number in self._traced()}
        if not found:
            msg = "no replication has events; simulate with trace= the number of replications whose events are kept"
            raise SchemaError(msg)
        return found

    def _traced(self) -> Iterator[tuple[str, int]]:
        for scenario in self.scenarios:
            for number in sorted(self.store.events(scenario, self._event_types[0])):
                yield scenario, number

    @property
    def _event_types(self) -> list[str]:
        assert self.begins is not None
        model, _ = self.begins(self.scenarios[0])
        names = model.names
        return [name for name in (names.trip, names.leg) if name is not None]

    @property
    def _start(self) -> np.datetime64:
        return pd.Timestamp(self.about["start"]).to_datetime64()

    @property
    def _stop(self) -> np.datetime64:
        return pd.Timestamp(self.about["until"]).to_datetime64()

    @cached_property
    def _past(self) -> dict[str, pd.DataFrame]:
        """Events planned before the start, with nothing that happened from then on."""
        assert self.twin is not None
        found = {}
        for name in self._event_types:
            table = self.twin.events(name, start=self._start - np.timedelta64(2, "D"), stop=self._start)
            table = table[table["planned_start"] < self._start].copy()
            for column in ("start", "end"):
                table[column] = table[column].where(table[column] < self._start)
            found[name] = table
        return found

    def _facts(self) -> list[tuple[str, str]]:
        facts = super()._facts()
        return [*facts, ("fidelity", self.fidelity_words), *(("assumed", text) for text in self.assumed)]


def _stacked(found: Mapping[tuple[str, int], xr.Dataset]) -> xr.Dataset:
    """Return Datasets by scenario and replication as one; groups that one lacks are missing in it."""
    scenarios = list(dict.fromkeys(scenario for scenario, _ in found))
    whole = [
        xr.concat(
            [one.expand_dims(replication=[number]) for (name, number), one in found.items() if name == scenario],
            "replication", join="outer", combine_attrs="override",
        ).expand_dims(scenario=[scenario])
        for scenario in scenarios
    ]  # fmt: skip
    return xr.concat(whole, "scenario", join="outer", combine_attrs="override")
