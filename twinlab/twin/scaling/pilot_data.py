"""The data of a pilot: a small twin with the signals of a model, and rows as sensors would send them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import yaml

from twinlab.history.layout.grid import DAY_NS
from twinlab.model.signal import SpanOfAssets
from twinlab.model.units.spelling import UNKNOWN
from twinlab.twin.definitions import MAPPINGS, MODEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.signal import Signal
    from twinlab.model.twinmodel import TwinModel

__all__ = ["SOURCE", "PilotSeries", "batches", "pilot_series", "write_definitions"]

SOURCE: Final = "pilot"
ORIGIN: Final = "2026-01-01"
_ORIGIN_NS = int(np.datetime64(ORIGIN, "ns").astype("int64"))
#: Share of the cells without a row, and rows of a batch.
_MISSING, _BATCH = 0.03, 100_000


class PilotSeries:
    """One signal of one asset type in a pilot.

    Parameters
    ----------
    asset_type, name : str
    signal : Signal
        As the pilot's model has it.
    assets : int
    """

    def __init__(self, asset_type: str, name: str, signal: Signal, assets: int) -> None:
        self.asset_type, self.name, self.signal, self.assets = asset_type, name, signal, assets

    @property
    def tags(self) -> list[str]:
        """Tags, by asset."""
        return [f"{asset}.{self.asset_type}.{self.name}" for asset in range(self.assets)]

    def values(self, rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
        """Return values (asset, cell): a walk of a few resolutions a cell; states that last; totals that go up."""
        signal, shape = self.signal, (self.assets, cells)
        if signal.kind == "state":
            codes = np.array(sorted(signal.states or {0: ""}))
            changes = (rng.random(shape) < 0.02).cumsum(axis=1)
            return codes[(changes + rng.integers(0, len(codes), (self.assets, 1))) % len(codes)].astype(float)
        step = signal.resolution or 1.0
        if signal.kind == "counter":
            return step * rng.integers(0, 8, shape).cumsum(axis=1)
        low, high = signal.sensor_span if isinstance(signal.sensor_span, tuple) else (-1e3 * step, 1e3 * step)
        middle, half = (low + high) / 2, (high - low) / 4
        walk = (step * rng.normal(0, 3, shape)).cumsum(axis=1)
        return np.asarray(middle + np.clip(half * np.tanh(walk / half), -half, half))


def pilot_series(model: TwinModel, assets: dict[str, int]) -> list[PilotSeries]:
    """Return the series of a pilot with some assets of each type."""
    return [
        PilotSeries(kind, name, signal, assets[kind])
        for kind, described in model.asset_types.items()
        if kind in assets
        for name, signal in described.signals.items()
    ]


def write_definitions(model: TwinModel, kinds: list[str], folder: Path) -> None:
    """Write the model of a pilot and its mapping into the folder of a new twin.

    It has the signals with their tests only: limits that differ between assets become one, an unknown unit a bare number.
    """
    types: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    for kind in kinds:
        signals: dict[str, Any] = {}
        for name, signal in model.asset_types[kind].signals.items():
            stated = signal.model_dump(
                mode="json", by_alias=True, exclude_defaults=True, exclude={"purposes", "sensitivity"}
            )
            for span, limits in signal.limits_of_assets.items():
                stated[span] = _one_span(limits)
            stated = {key: value for key, value in stated.items() if value is not None}
            if signal.unit == UNKNOWN:
                stated["unit"] = "1"
            signals[name] = stated
            rule: dict[str, Any] = {"signal": name, "asset": f"{kind}/{{id}}"}
            if signal.kind == "state":
                rule["states"] = {str(code): state for code, state in (signal.states or {}).items()}
            tags[f"/^(?P<id>[0-9]+)[.]{kind}[.]{name}$/"] = rule
        types[kind] = {"signals": signals}
    (folder / MAPPINGS).mkdir(parents=True)
    described = {"twin": "pilot", "origin": ORIGIN, "asset_types": types}
    (folder / MODEL).write_text(yaml.safe_dump(described), encoding="utf-8")
    mapping = {"source": SOURCE, "stream": {"tags": tags}}
    (folder / MAPPINGS / f"{SOURCE}.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")


def batches(
    series: list[PilotSeries], *, first_ns: int, last_ns: int, seed: int, sequence: int
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a span of time, ns since the origin, in order of time; a day or less in a part."""
    rng = np.random.default_rng(seed)
    names = pa.array([tag for one in series for tag in one.tags])
    begins = np.cumsum([0, *(one.assets for one in series)])
    part = max(1, min(DAY_NS, last_ns - first_ns))
    for start in range(first_ns, last_ns, part):
        stop = min(start + part, last_ns)
        tag, at, value = [], [], []
        for one, begin in zip(series, begins, strict=False):
            cadence = one.signal.cadence_ns
            low, high = -(-start // cadence), -(-stop // cadence)
            values = one.values(rng, high - low)
            asset, cell = np.nonzero(rng.random(values.shape) >= _MISSING)
            tag.append((begin + asset).astype(np.int32))
            at.append(_ORIGIN_NS + (low + cell) * cadence + rng.integers(0, max(1, cadence // 4), len(cell)))
            value.append(values[asset, cell])
        tags, times, numbers = np.concatenate(tag), np.concatenate(at), np.concatenate(value)
        order = np.argsort(times, kind="stable")
        for place in range(0, len(order), _BATCH):
            rows = order[place : place + _BATCH]
            yield _batch(names, tags[rows], times[rows], numbers[rows], np.arange(sequence, sequence + len(rows)))
            sequence += len(rows)


def _batch(
    names: pa.Array,
    tag: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    sequence: NDArray[np.int64],
) -> pa.RecordBatch:
    zeros = np.zeros(len(tag), dtype=np.int64)
    basis = pa.DictionaryArray.from_arrays(pa.array(zeros.astype(np.int8)), pa.array(["utc"]))
    tags = pa.DictionaryArray.from_arrays(pa.array(tag), names)
    columns = [tags, pa.array(at), basis, pa.array(zeros), pa.array(sequence), pa.array(value)]
    return pa.RecordBatch.from_arrays(columns, names=["tag", "source_time", "time_basis", "epoch", "sequence", "value"])


def _one_span(limits: SpanOfAssets) -> list[float] | None:
    stated = limits.stated
    return [min(low for low, _ in stated), max(high for _, high in stated)] if stated else None
