"""Observations (tag, time, value) as claims: a lookup table over tags, applied to whole arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import UnitError
from twinlab.harmonise.cells import Cells, as_texts, parse_number
from twinlab.harmonise.claims import NAT, Bools, Claims, Floats, FrameLike, Harmonised, Ints, Series
from twinlab.harmonise.compiled import CompiledMapping
from twinlab.harmonise.findings import Findings
from twinlab.harmonise.overflow import report_overflows
from twinlab.harmonise.tags import Meaning, TagTable
from twinlab.harmonise.times.clocks import corrected_times
from twinlab.harmonise.times.folds import Groups, localise
from twinlab.harmonise.times.zones import Zones, zone_name
from twinlab.harmonise.values import affine, convert_cells, reason
from twinlab.model.mapping import StreamRule
from twinlab.model.schema import OBSERVE
from twinlab.model.twinmodel import TwinModel

__all__ = ["harmonise_observations"]


@dataclass(frozen=True, slots=True)
class _Layer:
    """The k-th rule of every tag, as arrays indexed by the tags' codes."""

    series: tuple[Series, ...]
    # int32 index into `series`; -1 where the tag has no k-th rule.
    code: npt.NDArray[np.int32]
    scale: Floats
    pre: Floats
    factor: Floats
    post: Floats
    priority: npt.NDArray[np.int16]
    start: Ints
    stop: Ints
    # bool: more than an affine conversion is needed (states, missing-value codes, swapped words, units of the rows).
    slow: Bools
    always: bool

    @property
    def limited(self) -> Bools:
        """Whether a tag's rule has a validity, bool[tag]."""
        bounds = np.iinfo(np.int64)
        found: Bools = (self.start != bounds.min) | (self.stop != bounds.max)
        return found


@dataclass(frozen=True, slots=True)
class _TagPlan:
    """The rules for one dictionary of tags, computed once."""

    dictionary: pa.Array
    tags: tuple[str, ...]
    layers: tuple[_Layer, ...]
    unknown: Bools


def _tag_plan(table: TagTable, dictionary: pa.Array, ready: CompiledMapping) -> _TagPlan:
    cached = ready.cache.get("plan")
    if isinstance(cached, _TagPlan) and (cached.dictionary is dictionary or cached.dictionary.equals(dictionary)):
        return cached
    tags = tuple(dictionary.to_pylist())
    meanings = [table.meanings(tag) for tag in tags]
    depth = max((len(found) for found in meanings), default=0)
    layers = tuple(_layer([found[k] if k < len(found) else None for found in meanings]) for k in range(depth))
    plan = _TagPlan(dictionary, tags, layers, np.array([not found for found in meanings], dtype=bool))
    ready.cache["plan"] = plan
    return plan


def _layer(meanings: Sequence[Meaning | None]) -> _Layer:
    count = len(meanings)
    index: dict[Series, int] = {}
    code, priority = np.full(count, -1, dtype=np.int32), np.zeros(count, dtype=np.int16)
    numbers = np.array([[1.0, 0.0, 1.0, 0.0]]).repeat(count, axis=0)
    start, stop = np.full(count, np.iinfo(np.int64).min), np.full(count, np.iinfo(np.int64).max)
    slow = np.zeros(count, dtype=bool)
    for place, meaning in enumerate(meanings):
        if meaning is None:
            continue
        series = Series(meaning.asset_type, meaning.asset or "", meaning.name)
        code[place] = index.setdefault(series, len(index))
        numbers[place] = affine(meaning.rule, meaning.signal)
        priority[place], start[place], stop[place] = meaning.rule.priority, meaning.start, meaning.stop
        cell_by_cell = bool(meaning.rule.missing) or meaning.rule.swapped_words is not None
        slow[place] = meaning.signal.kind == "state" or meaning.rule.unit is None or cell_by_cell
    always = all(m is not None and m.always for m in meanings)
    scale, pre, factor, post = numbers.T.copy()
    return _Layer(tuple(index), code, scale, pre, factor, post, priority, start, stop, slow, always)


def harmonise_observations(
    frame: FrameLike, rule: StreamRule, table: TagTable, ready: CompiledMapping, model: TwinModel
) -> Harmonised:
    """Return the claims of one frame of observations; see `twinlab.harmonise.harmonise`."""
    batch = frame.batch()
    columns = _Columns(batch, frame, rule)
    tag = batch.column("tag")
    tag = tag if pa.types.is_dictionary(tag.type) else tag.dictionary_encode()
    codes = tag.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    plan = _tag_plan(table, tag.dictionary, ready)
    if plan.unknown.any():
        counts = np.bincount(codes, minlength=len(plan.tags))
        for place in np.flatnonzero(plan.unknown & (counts > 0)).tolist():
            name = plan.tags[place]
            columns.findings.unknown_term(f"tag {name!r}", int(counts[place]), table.message(name))
    times = columns.times()
    parts: list[Claims] = []
    left: Bools | None = None
    for depth, layer in enumerate(plan.layers):
        here = times
        if rule.clocks:
            here = corrected_times(rule.clocks, times, [one.asset for one in layer.series], layer.code[codes])
        claims, applied = _apply(layer, columns, table, codes=codes, times=here, plan=plan, depth=depth, left=left)
        parts += claims
        if not layer.always:
            # A rule without validity is beside those that follow: they are of other signals.
            taken = applied & layer.limited[codes]
            left = ~taken if left is None else left & ~taken
    return columns.harmonised(parts, model)


def _apply(
    layer: _Layer,
    columns: _Columns,
    table: TagTable,
    *,
    codes: npt.NDArray[np.int32],
    times: Ints,
    plan: _TagPlan,
    depth: int,
    left: Bools | None,
) -> tuple[list[Claims], Bools]:
    """Return the claims of the rows that a layer's rules apply to, and a mask (bool[n]) of these rows."""
    series = layer.code[codes]
    if layer.always and left is None and not layer.slow.any() and columns.plain:
        # Fast path for nearly all streams: every tag is known, every row is a number in a known unit.
        value = _affine(layer, codes, columns.value)
        return [columns.claims(layer, plan, series=series, codes=codes, times=times, value=value, at=None)], np.ones(
            len(codes), dtype=bool
        )
    applied = (series >= 0) & (times != NAT)
    if not layer.always:
        applied &= (times >= layer.start[codes]) & (times < layer.stop[codes])
    if left is not None:
        applied &= left
    value = _affine(layer, codes, columns.value)
    observed = columns.op == OBSERVE
    slow = applied & observed & (_needs_conversion(layer, codes, columns) | ~np.isfinite(value))
    if slow.any():
        value = value.copy()
        for place, at in _by_tag(codes, np.flatnonzero(slow)):
            value[at] = _convert_cell_by_cell(at, plan.tags[place], table, columns, depth=depth)
    value = np.where(observed, value, np.nan)
    at = np.flatnonzero(applied & (np.isfinite(value) | ~observed))
    return [
        columns.claims(layer, plan, series=series[at], codes=codes[at], times=times[at], value=value[at], at=at)
    ], applied


def _by_tag(codes: npt.NDArray[np.int32], rows: Ints) -> Iterator[tuple[int, Ints]]:
    rows = rows[np.argsort(codes[rows], kind="stable")]
    for at in np.split(rows, np.flatnonzero(np.diff(codes[rows])) + 1):
        yield int(codes[at[0]]), at


def _needs_conversion(layer: _Layer, codes: npt.NDArray[np.int32], columns: _Columns) -> Bools:
    care = layer.slow[codes]
    return care if columns.text is None else care | columns.has_text


def _affine(layer: _Layer, codes: npt.NDArray[np.int32], written: Floats) -> Floats:
    value = written
    for table, step in (
        (layer.scale, np.multiply),
        (layer.pre, np.add),
        (layer.factor, np.multiply),
        (layer.post, np.add),
    ):
        neutral = 1.0 if step is np.multiply else 0.0
        if not len(table) or (table == neutral).all():
            continue
        value = step(value, table[0] if (table == table[0]).all() else table[codes])
    return value


def _convert_cell_by_cell(at: Ints, tag: str, table: TagTable, columns: _Columns, *, depth: int) -> Floats:
    """Convert values of one tag that need more than an affine conversion."""
    meaning = table.meanings(tag)[depth]
    number = columns.value[at]
    text = None if columns.text is None else as_texts(columns.text.take(at))
    if text is not None:
        spelt = np.array([np.nan if term is None else parse_number(term) for term in text.to_pylist()])
        number = np.where(np.isfinite(number) | np.isnan(spelt), number, spelt)
    cells = Cells(number, None if text is None or text.null_count == len(text) else text)
    result = np.full(len(at), np.nan)
    for unit, rows in columns.by_unit(at, wanted=meaning.rule.unit is None and meaning.signal.kind != "state"):
        try:
            here = Cells(cells.number[rows], None if cells.text is None else cells.text.take(rows))
            converted = convert_cells(here, meaning, unit=unit)
        except UnitError as error:
            columns.findings.unknown_term(f"unit {unit!r}", len(rows), f"tag {tag!r}: {error}")
            continue
        columns.findings.missing += int(converted.missing.sum())
        written = columns.spelling(at[rows[converted.bad]])
        columns.findings.problem_rows(
            at[rows[converted.bad]], column=tag, texts=written, reason=lambda text: reason(meaning, text)
        )
        result[rows] = converted.value
    return result


class _Columns:
    """The columns of one batch; absent columns are constants."""

    def __init__(self, batch: pa.RecordBatch, frame: FrameLike, rule: StreamRule) -> None:
        self.batch, self.count, self.rule = batch, batch.num_rows, rule
        self.ordinals = np.asarray(frame.ordinals(), dtype=np.int64)
        self.rows = self._ints("origin_row")
        self.findings = Findings(
            self.ordinals if self.rows is None else np.where(self.rows == NAT, self.ordinals, self.rows)
        )
        self.value = self._value()
        self.text = self._column("text")
        op = self._column("op")
        self.op = (
            np.broadcast_to(np.int8(0), self.count) if op is None else op.fill_null(0).to_numpy(zero_copy_only=False)
        )
        self.unit = self._column("unit")
        self.epoch = self._ints("epoch", null=0)
        self.sequence = self._ints("sequence", null=-1)
        key = self._column("key")
        self.key = None if key is None else np.array(key.to_pylist(), dtype=object)
        retracts = op is not None and bool((self.op != OBSERVE).any())
        # A sum is finite only if all its terms are: one pass instead of a mask.
        self.plain = self.text is None and not retracts and bool(np.isfinite(self.value.sum()))

    @property
    def has_text(self) -> Bools:
        """bool[n]: rows that have a text."""
        if self.text is None:
            return np.zeros(self.count, dtype=bool)
        found: Bools = self.text.is_valid().to_numpy(zero_copy_only=False)
        return found

    def _column(self, name: str) -> pa.Array | None:
        if name not in self.batch.schema.names:
            return None
        column = self.batch.column(name)
        return None if column.null_count == len(column) else column

    def _ints(self, name: str, *, null: int = NAT) -> Ints | None:
        column = self._column(name)
        if column is None:
            return None
        # `fill_null` copies, so a column without nulls is used directly.
        whole = column.fill_null(null) if column.null_count else column
        found: Ints = whole.to_numpy(zero_copy_only=False)
        return found

    def _value(self) -> Floats:
        column = self._column("value")
        if column is None:
            return np.full(self.count, np.nan)
        found: Floats = column.to_numpy(zero_copy_only=column.null_count == 0)
        return found

    def times(self) -> Ints:
        """Return the instants, int64[n] ns UTC; times without an offset are read in the stream's zone."""
        times: Ints = self.batch.column("source_time").to_numpy()
        basis = self._column("time_basis")
        local = np.ones(self.count, dtype=bool)
        if basis is not None:
            encoded = basis if pa.types.is_dictionary(basis.type) else basis.dictionary_encode()
            is_local = np.array([term not in ("utc", "offset") for term in encoded.dictionary.to_pylist()] + [True])
            if not is_local[:-1].any() and encoded.null_count == 0:
                return times
            local = is_local[encoded.indices.fill_null(len(is_local) - 1).to_numpy(zero_copy_only=False)]
        if self.rule.zone == "UTC" or not local.any():
            return times
        zones = Zones([zone_name(self.rule.zone)])
        wall = np.where(local, times, NAT)
        utc, twice, never = localise(
            wall,
            zones.lookup(wall),
            ambiguous=self.rule.ambiguous,
            nonexistent=self.rule.nonexistent,
            groups=Groups(np.zeros(self.count, dtype=np.int64), ("",)),
            carry={},
            carry_key=(),
        )
        for mask, what in ((twice, "occurs twice"), (never, "never occurs")):
            texts = wall.astype("M8[ns]").astype(str) if mask.any() else None
            why = f"this wall time {what} in {self.rule.zone}; state the stream's `ambiguous:` or `nonexistent:` rule"
            self.findings.problem_rows(mask, column="source_time", texts=texts, reason=why)
        self.plain = self.plain and not bool((utc == NAT).any())
        return np.where(local, utc, times)

    def by_unit(self, at: Ints, *, wanted: bool) -> list[tuple[str | None, Ints]]:
        """Return the positions in ``at``, grouped by the unit that the rows state."""
        every = np.arange(len(at))
        if self.unit is None or not wanted:
            return [(None, every)]
        encoded = self.unit if pa.types.is_dictionary(self.unit.type) else self.unit.dictionary_encode()
        codes = encoded.indices.take(pa.array(at)).fill_null(-1).to_numpy(zero_copy_only=False)
        terms = encoded.dictionary.to_pylist()
        return [(None if code < 0 else terms[code], every[codes == code]) for code in np.unique(codes).tolist()]

    def spelling(self, at: Ints) -> dict[int, str]:
        """Return position -> text of the cell, for the first hundred positions."""
        shown = at[:100].tolist()
        texts = [None] * len(shown) if self.text is None else self.text.take(pa.array(shown, pa.int64())).to_pylist()
        return {
            place: text if text is not None else str(self.value[place])
            for place, text in zip(shown, texts, strict=True)
        }

    def claims(
        self,
        layer: _Layer,
        plan: _TagPlan,
        *,
        series: npt.NDArray[np.int32],
        codes: npt.NDArray[np.int32],
        times: Ints,
        value: Floats,
        at: Ints | None,
    ) -> Claims:
        """Return the claims of the rows ``at`` (None: all rows); constant columns are broadcast, not copied."""
        count = len(codes)

        def some(column: Ints | None, constant: int) -> Ints:
            if column is None:
                return np.broadcast_to(np.int64(constant), count)
            return column if at is None else column[at]

        same = not len(layer.priority) or bool((layer.priority == layer.priority[0]).all())
        first = np.int16(layer.priority[0] if len(layer.priority) else 0)
        return Claims(
            series=layer.series,
            code=series,
            event_time=times,
            value=value,
            epoch=some(self.epoch, 0),
            sequence=some(self.sequence, -1),
            ordinal=self.ordinals if at is None else self.ordinals[at],
            op=self.op if at is None else self.op[at],
            tag=codes,
            tags=plan.tags,
            key=None if self.key is None else (self.key if at is None else self.key[at]),
            priority=np.broadcast_to(first, count) if same else layer.priority[codes],
            row_number=None if self.rows is None else (self.rows if at is None else self.rows[at]),
        )

    def harmonised(self, parts: list[Claims], model: TwinModel) -> Harmonised:
        """Return the result of this frame."""
        found = self.findings
        claims = Claims.concat(parts)
        report_overflows(claims, model, found)
        return Harmonised(
            claims=claims,
            unknown=found.unknown,
            problems=tuple(found.problems),
            problem_count=found.problem_count,
            missing=found.missing,
        )
