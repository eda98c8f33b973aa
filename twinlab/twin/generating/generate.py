"""Make a synthetic twin of anything that reads like a twin."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, SourceError
from twinlab.history.read.datasets import instant_ns
from twinlab.model.load import dump_mapping, dump_model
from twinlab.model.synthetic.section import SyntheticData
from twinlab.simulate.synthetic.days import choose_days
from twinlab.simulate.synthetic.faults import FAULTS, check_kinds
from twinlab.twin.definitions import MAPPINGS, MODEL
from twinlab.twin.generating.definition import SOURCE, synthetic_mapping, synthetic_model
from twinlab.twin.generating.generated import GeneratedTwin
from twinlab.twin.generating.history import Group, groups_of, plant_all
from twinlab.twin.generating.records import asset_names, asset_rows, event_rows, link_rows
from twinlab.twin.generating.scores import fidelity_table, privacy_table

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.twin.writer import TwinWriter

__all__ = ["generate"]

_DAY = np.timedelta64(1, "D")
_TRUTH = ("fault", "asset_type", "asset", "signal", "start", "stop", "size")


def generate(
    reader: TwinReader,
    folder: str | Path,
    *,
    opened: Callable[[Path], Any],
    start: object = None,
    stop: object = None,
    begin: object = None,
    days: int | None = None,
    block: int = 3,
    mix: float = 0.6,
    faults: int | Mapping[str, int] = 3,
    pseudonyms: bool = False,
    seed: int = 0,
) -> GeneratedTwin:
    """Make a synthetic twin in a folder, which ``opened`` opens; see `Twin.generate`."""
    counts = _counts(faults)
    if not 0.1 <= mix <= 0.75:
        msg = f"expected mix= from 0.1 to 0.75, so that no day is copied and the first one still counts more, got {mix}"
        raise SchemaError(msg)
    root = Path(folder)
    if root.exists() and any(root.iterdir()):
        msg = f"expected a new folder for the synthetic twin, but {root} isn't empty; choose another one"
        raise SourceError(msg)
    span = _span(reader, start, stop)
    first = span[0] if begin is None else np.datetime64(instant_ns(begin), "ns").astype("M8[D]")
    many = int((span[1] - span[0]) / _DAY)
    wanted = many if days is None else days
    rng = np.random.default_rng([seed, 18])
    weekdays = _weekdays(span[0], many)
    chosen = choose_days(weekdays, _weekdays(first, wanted), block=block, rng=rng)
    groups = list(groups_of(reader, start=span[0], stop=span[1]))
    for group in groups:
        group.make(weekdays, chosen, mix=mix)
    likeness = fidelity_table(groups)
    privacy = privacy_table(groups, weekdays, block=block, mix=mix, seed=seed)
    plant_all(groups, counts, rng, begin=first)
    names = asset_names(reader, pseudonyms=pseudonyms, rng=rng)
    about = SyntheticData(
        source=reader.model.twin, start=str(span[0]), stop=str(span[1]), seed=seed, block=block, mix=mix
    )

    def events(kind: str) -> Any:  # noqa: ANN401  (parts of a table)
        return event_rows(reader, kind, names, chosen, span=span, begin=first, rng=rng)

    existed = root.exists()
    try:
        twin = _created(reader, root, about, opened)
        with twin.writer(SOURCE) as writer:
            _append_records(writer, reader, names, pseudonyms=pseudonyms)
            for kind in reader.model.event_types:
                for part in events(kind):
                    writer.append(part, table=f"{kind}_events")
            for group in groups:
                for part in group.rows(first, names[group.kind]):
                    writer.append(part, table=f"{group.kind}_{group.cadence}")
        truth = _truth(groups, names)
        truth.to_csv(root / "truth.csv", index=False)
    except BaseException:
        # Nothing half-written.
        shutil.rmtree(root, ignore_errors=True)
        if existed:
            root.mkdir()
        raise
    return GeneratedTwin(twin, truth, likeness, privacy)


def _counts(faults: int | Mapping[str, int]) -> dict[str, int]:
    counts = dict.fromkeys(FAULTS, faults) if isinstance(faults, int) else dict(faults)
    check_kinds(list(counts))
    if any(many < 0 for many in counts.values()):
        msg = f"expected numbers of faults of at least 0, got {counts}"
        raise SchemaError(msg)
    return counts


def _span(reader: TwinReader, start: object, stop: object) -> tuple[np.datetime64, np.datetime64]:
    """Return the whole days of the history in a span."""
    edges = []
    for kind, spec in reader.model.asset_types.items():
        for cadence in {signal.cadence for signal in spec.signals.values()}:
            names = [name for name, signal in spec.signals.items() if signal.cadence == cadence]
            times = reader.history(kind, signals=names[:1], start=start, stop=stop)["time"].to_numpy()
            edges += [times[0], times[-1]] if len(times) else []
    if not edges:
        msg = "expected a twin with a history of signals in this span, got none"
        raise SchemaError(msg)
    low = np.ceil((min(edges).astype("M8[ns]") - np.datetime64(0, "ns")) / _DAY)
    high = np.floor((max(edges).astype("M8[ns]") - np.datetime64(0, "ns")) / _DAY) + 1
    found = np.datetime64(int(low), "D"), np.datetime64(int(high), "D")
    if found[1] - found[0] < 14 * _DAY:
        msg = f"expected a history of at least 14 whole days, got {found[0]} to {found[1]}; give a longer span"
        raise SchemaError(msg)
    return found


def _weekdays(first: np.datetime64, many: int) -> Any:  # noqa: ANN401  (an array)
    # 1970-01-01 was a Thursday.
    return (first.astype("M8[D]").astype(np.int64) + np.arange(many) + 3) % 7


def _created(reader: TwinReader, root: Path, about: SyntheticData, opened: Callable[[Path], Any]) -> Any:  # noqa: ANN401  (a Twin)
    model = synthetic_model(reader.model, about)
    (root / MAPPINGS).mkdir(parents=True, exist_ok=True)
    (root / MODEL).write_text(dump_model(model), encoding="utf-8")
    (root / MAPPINGS / f"{SOURCE}.yaml").write_text(dump_mapping(synthetic_mapping(model)), encoding="utf-8")
    return opened(root)


def _append_records(writer: TwinWriter, reader: TwinReader, names: Any, *, pseudonyms: bool) -> None:  # noqa: ANN401
    for kind in reader.model.asset_types:
        rows = asset_rows(reader, kind, names, pseudonyms=pseudonyms)
        if len(rows):
            writer.append(rows, table=f"{kind}_assets")
    for link in reader.model.relationships:
        rows = link_rows(reader, link, names)
        if len(rows):
            writer.append(rows, table=f"{link}_links")


def _truth(groups: list[Group], names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    rows = [row | {"asset": names[group.kind][row["asset"]]} for group in groups for row in group.planted]
    return pd.DataFrame(rows, columns=list(_TRUTH)).sort_values("start", ignore_index=True)
