"""Read a twin: published history together with the ledger's newest rows, now or as known at some time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from twinlab._files import disk_usage
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.build.event_tables import without_origin
from twinlab.history.build.source_priority import chosen_sources
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.grid import Group, rollup_steps
from twinlab.history.read.datasets import dataset, instant_ns, natural_order
from twinlab.history.read.observations import observations
from twinlab.history.read.pin_cache import PinCache, State, activated
from twinlab.history.read.pinned import Pin, TailPin
from twinlab.history.read.span_reader import SpanReader
from twinlab.history.read.status import HistoryStatus, ValueExtent, array_bytes, flag_counts, value_extent
from twinlab.history.store.publish import MAIN
from twinlab.model.finders.names import stored_event_type
from twinlab.model.flags import Flag
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import AssetType, Signal, TwinModel, parse_duration

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from twinlab.history.build.report import BuildReport
    from twinlab.ledger import Ledger

__all__ = ["HistoryReader", "HistoryStatus"]


class HistoryReader:
    """A twin's history, events and assets, now or as known at an ingest time (`as_of`).

    Parameters
    ----------
    root : Path
        The twin's folder.
    ledger : Ledger
    model : TwinModel
    mappings : dict of source to Mapping
    rebuild : callable, optional
        Called without arguments when the history is missing or doesn't open; publishes a new one and returns a
        `BuildReport`, such as `Historian.catch_up` does.
    branch : str
        Branch of the history's repository: the published history, or a revision.
    state : State, optional
        Read this state, whatever is published or ingested since.

    Raises
    ------
    CorruptionError
        By any method, if the history is missing or doesn't open and there is no ``rebuild``.

    Notes
    -----
    Every call checks whether a new state was published or new rows came in, and otherwise uses the state of the call
    before. Rows that aren't published yet are built by the same code as published ones (at most 2 million of them).
    """

    def __init__(
        self,
        root: str | Path,
        ledger: Ledger,
        model: TwinModel,
        mappings: Mapping[str, SourceMapping],
        *,
        rebuild: Callable[[], BuildReport] | None = None,
        branch: str = MAIN,
        state: State | None = None,
    ) -> None:
        self.root = Path(root)
        self.ledger = ledger
        self._pins = PinCache(self.root, ledger, model, dict(mappings), rebuild=rebuild, branch=branch, state=state)

    @property
    def model(self) -> TwinModel:
        """The model that the history was built with."""
        return self._pins.model

    @property
    def mappings(self) -> dict[str, SourceMapping]:
        """The mappings that the history was built with, by source."""
        return self._pins.mappings

    @property
    def note(self) -> str:
        """Notes of a rebuild when the history was opened; empty if there was none."""
        return self._pins.note

    # -- the TwinReader protocol
    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type, lazy, dims ``time, asset``; see `twinlab.history.read.datasets.dataset`.

        Raises
        ------
        UnknownTermError
            If asset type, signal or asset isn't known; shows the nearest.
        SchemaError
            If signals of several cadences are asked for without ``step``.
        """
        kind = self._kind(asset_type)
        for name in signals or ():
            _known(name, kind.signals, f"signal of {asset_type!r}")
        pin = self.pinned()
        span = _widened((_instant(start), _instant(stop)), step)
        blocks = pin.blocks(asset_type, signals, span)
        return dataset(
            pin.view, self.model, asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step,
            overlay=blocks, asset_ids=list(pin.assets.get(asset_type, ())), mappings=self.mappings,
        )  # fmt: skip

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type, those that overlap ``[start, stop)`` if given, in order of their start.

        An event that never started is placed by its planned times, one that has only an end by its end.

        Parameters
        ----------
        event_type : str
        start, stop : anything pandas reads as an instant, optional
            Naive is UTC. None is open. A window is read from the parts of the table that overlap it.
        assets : sequence of str, optional
            Ids: return only events of these assets, which are in column ``asset``.

        Raises
        ------
        UnknownTermError
            If the event type isn't known; shows the nearest.
        SchemaError
            If ``assets`` is one text.
        """
        if isinstance(assets, str):
            msg = f"expected assets as a list of ids, got the text {assets!r}; write [{assets!r}]"
            raise SchemaError(msg)
        spec = stored_event_type(self.model, event_type)
        table = self.pinned().events(event_type, (_instant(start), _instant(stop)), assets)
        frame = _frame(table, [*EVENT_COLUMNS, *spec.links, *spec.properties])
        for name, dtype in EVENT_COLUMNS.items():
            if dtype.startswith("datetime"):
                frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
        return frame

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties, indexed by id in natural order.

        Assets that only observations or events name are included; their properties are missing.
        """
        kind = self._kind(asset_type)
        pin = self.pinned()
        frame = _frame(pin.table("asset", asset_type), ["id", *kind.properties]).set_index("id")
        ids = sorted({*frame.index.tolist(), *pin.assets.get(asset_type, ()), *self._mentioned(asset_type)})
        order = [ids[place] for place in natural_order(ids)]
        return frame.reindex(pd.Index(order, name="asset", dtype="str"))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""
        _known(relationship, self.model.relationships, "relationship")
        frame = _frame(
            self.pinned().table("relationship", relationship), ["source", "target", "valid_from", "valid_until"]
        )
        for name in ("valid_from", "valid_until"):
            frame[name] = frame[name].astype("datetime64[ns]")
        return frame.sort_values(["source", "target", "valid_from"], ignore_index=True)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are stored, finest first."""
        return rollup_steps(self._signal(asset_type, signal).cadence_ns)

    def observations(
        self,
        asset: str,
        signal: str,
        *,
        start: object = None,
        stop: object = None,
        all: bool = False,  # noqa: A002
    ) -> pd.DataFrame:
        """Return the exact rows behind one signal of an asset (``"room/3"``); see `twinlab.history.read.observations`."""
        asset_type, _, name = asset.partition("/")
        spec = self._signal(asset_type, signal)
        pin = self.pinned()
        _known(name, pin.assets.get(asset_type, ()), f"asset of type {asset_type!r}")
        pin.sources.prepare(pin.position)
        return observations(
            pin.sources,
            pin.position,
            (asset_type, name, signal),
            spec,
            span=(_instant(start), _instant(stop)),
            ledger=self.ledger,
            everything=all,
        )

    def as_of(self, known: object, *, mapping: Literal["then", "current"] = "then") -> HistoryReader:
        """Return the twin as it was known at an ingest time.

        Parameters
        ----------
        known : instant
            Later rows are ignored.
        mapping : "then" or "current"
            Use the model and mappings that were active then, or the current ones.

        Raises
        ------
        SchemaError
            If ``known`` isn't an instant, or ``mapping`` is neither.
        """
        at = instant_ns(known)
        model, mappings = self.model, self.mappings
        if mapping != "current":
            model, mappings = activated(self.ledger.journal, at, mapping, model)
        other = HistoryReader(self.root, self.ledger, model, mappings)
        other._pins = PinCache(self.root, self.ledger, model, mappings, known=at)
        return other

    def chosen_sources(
        self,
        asset_type: str,
        signal: str,
        *,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
    ) -> xr.DataArray:
        """Return the name of the source that each cell's value comes from (empty where there is none), dims ``time, asset``.

        Of several sources in one cell, the one with the highest priority is chosen; at equal priority, the one with
        the latest observation.
        """
        spec = self._signal(asset_type, signal)
        pin = self.pinned()
        pin.sources.prepare(pin.position)
        found = chosen_sources(
            pin.sources,
            pin.position,
            (asset_type, signal),
            spec,
            pin.assets.get(asset_type, ()),
            (_instant(start), _instant(stop)),
        )
        ids = [str(one) for one in found.asset.values]
        for name in assets or ():
            _known(name, ids, f"asset of type {asset_type!r}")
        return found.sel(asset=list(assets) if assets is not None else [ids[place] for place in natural_order(ids)])

    # -- status ------------------------------------------------------------------------------------------------------
    def position(self) -> dict[str, int]:
        """Return the position vector of the state that calls use: source -> rows."""
        return dict(self.pinned().position)

    def watermarks(self) -> dict[str, np.datetime64]:
        """Return the watermark of each source: the event time up to which its rows are complete."""
        marks = self.pinned().marks
        return {
            name: np.datetime64(one.watermark, "ns") for name, one in sorted(marks.items()) if one.watermark > -NEVER
        }

    def status(self) -> HistoryStatus:
        """Return positions, watermarks, points and bytes."""
        pin = self.pinned()
        stored: object = pin.view.meta.get("position", {})
        published = {str(n): int(at) for n, at in dict(stored).items()}  # type: ignore[call-overload]
        now = pin.sources.position()
        behind = sum(max(0, at - published.get(name, 0)) for name, at in now.items() if name != "_twin")
        good = (Flag.PASS, Flag.SUSPECT, Flag.FAIL)
        points = sum(counts.get(flag, 0) for counts in self.flag_counts().values() for flag in good)
        sizes = array_bytes(pin.view), disk_usage(self.root / "history")[1], disk_usage(self.root / "ledger")[1]
        return HistoryStatus(pin.position, self.watermarks(), behind, points, *sizes, note=self.note)

    def flag_counts(self) -> dict[tuple[str, str], dict[Flag, int]]:
        """Return the number of cells of each signal with each flag, from the coarsest rollup."""
        pin = self.pinned()
        out: dict[tuple[str, str], dict[Flag, int]] = {}
        for kind, name, reader in self._spans(pin):
            found = flag_counts(reader, name)
            if found:
                out[kind, name] = found
        return out

    def value_extents(self) -> dict[tuple[str, str], ValueExtent]:
        """Return where each signal has values: the first and the last one, and the missing cells between them."""
        pin = self.pinned()
        origin = pin.view.origin_ns
        found = {(kind, name): value_extent(reader, name, origin_ns=origin) for kind, name, reader in self._spans(pin)}
        return {key: extent for key, extent in found.items() if extent is not None}

    def asset_count(self, asset_type: str) -> int:
        """Return the number of assets of a type."""
        return len(self.assets(asset_type))

    def event_count(self, event_type: str) -> int:
        """Return the number of events of a type."""
        stored_event_type(self.model, event_type)
        return self.pinned().event_count(event_type)

    # -- inside ------------------------------------------------------------------------------------------------------
    def _kind(self, asset_type: str) -> AssetType:
        return self.model.asset_types[_known(asset_type, self.model.asset_types, "asset type")]

    def _signal(self, asset_type: str, signal: str) -> Signal:
        kind = self._kind(asset_type)
        return kind.signals[_known(signal, kind.signals, f"signal of {asset_type!r}")]

    def _spans(self, pin: Pin) -> list[tuple[str, str, SpanReader]]:
        """Return a reader of all cells, for each signal that has any."""
        out = []
        for kind, spec in self.model.asset_types.items():
            ids = pin.assets.get(kind, ())
            blocks = pin.blocks(kind, None, (None, None)) if ids and spec.signals else []
            for name, signal in spec.signals.items():
                group = Group(kind, signal.cadence)
                mine = tuple(block for block in blocks if block.group == group)
                spans = [(block.k0, block.k1) for block in mine]
                if group in pin.view.groups():
                    spans.append(pin.view.extent(group))
                if ids and spans:
                    extent = (min(low for low, _ in spans), max(high for _, high in spans))
                    columns = np.arange(len(ids))
                    state = pin.view.path, pin.view.snapshot
                    out.append((kind, name, SpanReader(*state, group, {name: signal}, columns, extent, mine)))
        return out

    def _mentioned(self, asset_type: str) -> set[str]:
        """Return the assets of a type that events name."""
        pin = self.pinned()
        out: set[str] = set()
        for name, spec in self.model.event_types.items():
            columns = [column for column, kind in {"asset": spec.asset, **spec.links}.items() if kind == asset_type]
            if not columns:
                continue
            path = f"mentioned/{name}"
            stored = isinstance(pin, TailPin) and pin.update is None and path in pin.view.tables(path)
            if stored:
                rows = pin.view.table(path)
                out |= {
                    one
                    for one, kind in zip(rows["id"].to_pylist(), rows["asset_type"].to_pylist(), strict=True)
                    if kind == asset_type
                }
                continue
            table = pin.events(name)
            for column in columns if table is not None else ():
                out |= set(table[column].unique().drop_null().to_pylist())  # type: ignore[index]
        return out

    def pinned(self) -> Pin:
        """Return the state that calls use now."""
        return self._pins.pin()


def _known(name: str, known: Mapping[str, object] | Sequence[str], what: str) -> str:
    if name not in known:
        msg = f"expected a known {what}, got {name!r}{nearest(name, list(known))}"
        raise UnknownTermError(msg)
    return name


def _instant(value: object) -> int | None:
    return None if value is None else instant_ns(value)


def _widened(span: tuple[int | None, int | None], step: str | None) -> tuple[int | None, int | None]:
    """Return the span of all windows of ``step`` that overlap a span."""
    if step is None:
        return span
    size, (low, high) = parse_duration(step), span
    return None if low is None else low - size, None if high is None else high + size


def _frame(table: pa.Table | None, columns: Sequence[str]) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in columns})
    frame: pd.DataFrame = without_origin(table).to_pandas()
    return frame.reindex(columns=list(columns))
