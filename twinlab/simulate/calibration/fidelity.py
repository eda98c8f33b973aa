"""How well a calibrated model foretells days that it wasn't fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab._files import write_atomically
from twinlab.errors import SchemaError, SourceError
from twinlab.model.basics import parse_duration
from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.calibrated import Calibrated
from twinlab.simulate.calibration.operation import Operation, read_operation
from twinlab.simulate.calibration.reality import reality
from twinlab.simulate.calibration.rooms.records import read_rooms
from twinlab.simulate.calibration.start_state import BOOKED_AHEAD, LOOK_BACK, state_of
from twinlab.simulate.timetable.rooms.fits import RoomFits

__all__ = ["Fidelity", "fidelity"]

Floats = npt.NDArray[np.float64]
#: Quantity, hub, reality, replications.
_Pair = tuple[str, str, float, Floats]
#: Signals of hubs -> what has to have happened there often enough; None for levels.
_OF_HUBS = {"departure_delay": "departures", "arrival_delay": "arrivals", "waiting": None, "incoming": None}

#: A hub counts where at least this many trips left, or arrived, for its delays.
_FEWEST = 5
#: Samples of starts for the interval of the coverage.
_SAMPLES = 1000


@dataclass(frozen=True)
class Fidelity:
    """Scores of a model on starts that it wasn't fitted to."""

    scores: pd.DataFrame
    """One row for each start, quantity and hub or room ("" for the whole): ``real, mean, low, high, inside, crps``."""
    level: float
    """Share of the values that the intervals should contain."""
    window: tuple[np.datetime64, np.datetime64]
    """Held-out window."""
    horizon: np.timedelta64
    replications: int
    model_hash: str
    """Content hash of the model that was scored."""
    fitted: str = ""
    """Window that the scored model was fitted to, "2026-01-05 to 2026-01-19"; "" of scores that were stored without it."""

    @property
    def coverage(self) -> float:
        """Share of the values that are in their interval, mean over quantities."""
        return float(self._by_quantity(self.scores).mean())

    @property
    def coverage_interval(self) -> tuple[float, float]:
        """95 % interval of the coverage, by a bootstrap of the starts: values of one start depend on each other."""
        by = self.scores.groupby(["start", "quantity"])["inside"].agg(["sum", "size"]).reset_index()
        inside, many = (
            by.pivot_table(index="start", columns="quantity", values=each, fill_value=0).to_numpy()
            for each in ("sum", "size")
        )
        chosen = np.random.default_rng(0).integers(len(inside), size=(_SAMPLES, len(inside)))
        total = np.maximum(many[chosen].sum(axis=1), 1)
        found = (inside[chosen].sum(axis=1) / total).mean(axis=1)
        return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))

    def save(self, path: Path | str) -> None:
        """Write the scores to a Parquet file, in place of an earlier one; `load` reads it."""
        facts = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "scores"}
        facts["window"] = [str(instant) for instant in self.window]
        facts["horizon"] = int(self.horizon.astype("m8[ns]").astype(np.int64))
        table = self.scores.copy()
        table.attrs.update(facts)
        write_atomically(Path(path), table.to_parquet)

    @classmethod
    def load(cls, path: Path | str) -> Fidelity:
        """Return the scores that `save` wrote.

        Raises
        ------
        SourceError
            If there is no such file.
        """
        if not Path(path).is_file():
            msg = f"there are no scores at {str(path)!r}; expected a file that `Fidelity.save` wrote"
            raise SourceError(msg)
        scores = pd.read_parquet(path)
        facts = {str(name): value for name, value in scores.attrs.items()}
        scores.attrs.clear()
        begin, end = (np.datetime64(instant, "ns") for instant in facts.pop("window"))
        return cls(scores, window=(begin, end), horizon=np.timedelta64(facts.pop("horizon"), "ns"), **facts)

    def table(self) -> pd.DataFrame:
        """Return one row for each quantity: values, coverage, CRPS, and the error of the mean (simulation minus reality)."""
        error = self.scores["mean"] - self.scores["real"]
        by = self.scores.assign(error=error, size_of_error=error.abs()).groupby("quantity", sort=False)
        return by.agg(
            values=("inside", "size"), coverage=("inside", "mean"), crps=("crps", "mean"), real=("real", "mean"),
            error=("error", "mean"), absolute_error=("size_of_error", "mean"),
        )  # fmt: skip

    def residuals(self) -> xr.Dataset:
        """Return reality minus the mean of the simulation, by quantity: dims ``start`` and ``hub`` or ``room``, if it has them."""
        left = self.scores.assign(residual=self.scores["real"] - self.scores["mean"])
        found = {}
        for quantity, part in left.groupby("quantity", sort=False):
            if (part["hub"] == "").all():
                found[str(quantity)] = part.set_index("start")["residual"].to_xarray()
            else:
                one = part.set_index(["start", "hub"])["residual"].to_xarray()
                of_hubs = str(quantity).endswith(tuple(_OF_HUBS))
                found[str(quantity)] = one if of_hubs else one.rename(hub="room")
        return xr.Dataset(found)

    @property
    def words(self) -> str:
        """The coverage in words."""
        low, high = self.coverage_interval
        return (
            f"{self.level:.0%} intervals contain {self.coverage:.0%} of {len(self.scores):,} values (95 % interval {low:.0%} to {high:.0%}) "
            f"from {self.scores['start'].nunique()} starts between {_day(self.window[0])} and {_day(self.window[1])}, "
            f"{_ahead(self.horizon)} ahead{f', by a model fitted to {self.fitted}' if self.fitted else ''}"
        )

    def __repr__(self) -> str:
        return f"{self.words}\n{self.table().round(3)}"

    @staticmethod
    def _by_quantity(scores: pd.DataFrame) -> pd.Series:
        return scores.groupby("quantity")["inside"].mean()


def fidelity(
    twin: TwinReader,
    calibrated: Calibrated,
    window: tuple[object, object] | Sequence[object],
    *,
    at: str = "06:00",
    every: int = 1,
    horizon: str = "1d",
    replications: int = 200,
    level: float = 0.9,
    seed: int = 0,
) -> Fidelity:
    """Score a model on a window that it wasn't fitted to: run it from each day's state and compare with what happened.

    Quantities are the KPIs of a run, of each hub the mean delay of departures and arrivals, and at the end of the horizon how
    many wait and are on the way to it, and the temperature of each room.

    Parameters
    ----------
    twin : TwinReader
    calibrated : Calibrated
    window : (start, stop)
        Held-out window; all starts with their horizon are in it.
    at : str
        Time of day of the starts, UTC.
    every : int
        A start each so many days.
    horizon : duration
    replications : int
    level : float
        Share that the intervals should contain.
    seed : int

    Raises
    ------
    SchemaError
        If the window overlaps that of the fits, or contains no start with a plan.
    """
    begin, stop = (pd.Timestamp(each).to_datetime64().astype("M8[ns]") for each in window)  # type: ignore[arg-type]
    if begin < calibrated.window[1] and stop > calibrated.window[0]:
        msg = (
            f"fidelity: the window from {_day(begin)} to {_day(stop)} overlaps the one of the fits, {_day(calibrated.window[0])} to {_day(calibrated.window[1])}; a "
            "model is scored on days that it doesn't know"
        )
        raise SchemaError(msg)
    ahead = np.timedelta64(parse_duration(horizon), "ns")
    # Bookings at the end of the window are of trips after it.
    operation = read_operation(
        twin, start=begin - np.timedelta64(LOOK_BACK, "s"), stop=stop + np.timedelta64(round(BOOKED_AHEAD), "s")
    )
    days = pd.date_range(pd.Timestamp(begin).normalize(), pd.Timestamp(stop), freq=pd.Timedelta(days=every))
    starts = [each.to_datetime64().astype("M8[ns]") for each in days + pd.Timedelta(f"{at}:00")]
    rows: list[pd.DataFrame] = []
    for start in starts:
        if start >= begin and start + ahead <= stop:
            found = _scored(
                twin, operation, calibrated, start, ahead, replications=replications, level=level, seed=seed
            )
            if found is not None:
                rows.append(found)
    if not rows:
        msg = f"fidelity: no start from {begin} to {stop} has trips planned in the {horizon} after it; take another window"
        raise SchemaError(msg)
    scores, hashed = pd.concat(rows, ignore_index=True), calibrated.model.content_hash()
    fitted = " to ".join(map(_day, calibrated.window))
    return Fidelity(scores, level, (begin, stop), ahead, replications, hashed, fitted)


def _scored(
    twin: TwinReader,
    operation: Operation,
    calibrated: Calibrated,
    start: np.datetime64,
    ahead: np.timedelta64,
    *,
    replications: int,
    level: float,
    seed: int,
) -> pd.DataFrame | None:
    """Return the scores of one start; None if nothing is planned after it."""
    now = float(start.astype(np.int64) / 1e9)
    planned = operation.trips["planned_start"]
    if not ((planned >= now) & (planned < now + float(ahead / np.timedelta64(1, "s")))).any():
        return None
    plan = float(ahead / np.timedelta64(1, "s")) + (0.0 if calibrated.model.demand is None else BOOKED_AHEAD)
    model, state = calibrated.model, state_of(twin, operation, calibrated, start, ahead=plan, seed=seed).state
    # Levels are those at the beginning of a cell: a second cell begins at the end of the horizon.
    until = start + ahead + np.timedelta64(1, "s")
    simulated = model.advance_many(state, replications=range(replications), until=until, step=ahead)
    real = reality(model.names, state, operation, until=until, step=ahead)
    pairs = [*_of_whole(real, simulated), *_of_hubs(model.names.hub, real, simulated)]
    if model.rooms is not None:
        pairs += _of_rooms(twin, model.rooms, simulated, start + ahead)
    return _table(pairs, start, level)


def _of_whole(real: xr.Dataset, simulated: xr.Dataset) -> Iterator[_Pair]:
    for name, one in real.data_vars.items():
        if not one.dims and name != "unplaced":
            yield str(name), "", float(one), simulated[name].to_numpy()


def _of_hubs(hub: str, real: xr.Dataset, simulated: xr.Dataset) -> Iterator[_Pair]:
    names = real[hub].to_numpy()
    for name, counted in _OF_HUBS.items():
        key = f"{hub}_{name}"
        if key not in real:
            continue
        # Delays of the whole horizon, levels at its end.
        cell = 0 if counted else -1
        one, many = real[key].isel(time=cell).to_numpy(), simulated[key].isel(time=cell).to_numpy()
        used = np.ones(len(names), dtype=bool)
        if counted:
            used = real[f"{hub}_{counted}"].isel(time=0).to_numpy() >= _FEWEST
        for place in np.flatnonzero(used).tolist():
            yield key, str(names[place]), float(one[place]), many[:, place]


def _of_rooms(twin: TwinReader, rooms: RoomFits, simulated: xr.Dataset, end: np.datetime64) -> Iterator[_Pair]:
    """Yield the temperature of each room at the end of the horizon."""
    names = rooms.names
    key, second = f"{names.room}_{names.temperature}", np.timedelta64(1, "s")
    records = read_rooms(twin, names, start=end - round(rooms.step) * second, stop=end + second)
    many = simulated[key].isel(time=-1).to_numpy()
    for place, name in enumerate(rooms.rooms):
        if name in records.rooms and len(records.times):
            yield key, name, float(records.temperature[-1, records.rooms.index(name)]), many[:, place]


def _table(rows: list[_Pair], start: np.datetime64, level: float) -> pd.DataFrame:
    found = []
    for quantity, hub, real, simulated in rows:
        draws = np.sort(simulated[~np.isnan(simulated)])
        if np.isnan(real) or len(draws) < 2:
            continue
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        found.append(
            (start, quantity, hub, real, draws.mean(), low, high, bool(low <= real <= high), _crps(draws, real))
        )
    return pd.DataFrame(found, columns=["start", "quantity", "hub", "real", "mean", "low", "high", "inside", "crps"])


def _crps(draws: Floats, real: float) -> float:
    """Return the continuous ranked probability score of sorted draws (Gneiting, Raftery 2007), in the unit of the values."""
    n = len(draws)
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * draws).sum()) / (n * (n - 1))
    return float(np.abs(draws - real).mean() - spread)


def _ahead(horizon: np.timedelta64) -> str:
    """Return a length in days or hours.

    >>> _ahead(np.timedelta64(36, "h"))
    '36 hours'
    """
    days, rest = divmod(pd.Timedelta(horizon), pd.Timedelta(days=1))
    if days and not rest:
        return f"{days} day{'s' * (days > 1)}"
    return f"{pd.Timedelta(horizon) / pd.Timedelta(hours=1):g} hours"


def _day(instant: np.datetime64) -> str:
    return str(instant.astype("M8[D]"))
