"""Conformance check of a kind of live source: what the historian relies on so that it loses no row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from twinlab.errors import SourceError
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.schema import OBSERVATIONS
from twinlab.sources.base import RowBatch
from twinlab.sources.live import LIVE_KINDS, Catalogue, Filled, Gap, Health, LiveBatch, LiveContext, LiveSource

__all__ = ["check_live_source"]

#: Rows that a source may have received and not yielded while nobody asks for the next batch.
_MOST_HELD = 250_000
_STATES = ("connecting", "connected", "ended", "failed")


def check_live_source(
    kind: LiveKind | str,
    given: Mapping[str, object],
    *,
    rows: int,
    folder: Path | None = None,
    mapping: SourceMapping | None = None,
    keeps: bool = True,
    seconds: float = 60.0,
) -> None:
    r"""Check a kind of live source with a peer that has rows for it.

    It refuses unknown options; yields rows that the ledger can store, with offsets that JSON can represent; reads no further
    than a bound while nobody asks; yields again what wasn't acknowledged; continues from offsets; ends its tasks when it is
    closed; and has a state at any moment.

    Parameters
    ----------
    kind : LiveKind or str
        The kind, or its name in the registry.
    given : mapping
        The options, as ``live:`` of a mapping has them, without ``kind``.
    rows : int
        Number of rows that the peer has at least; files count as one row each.
    folder : Path, optional
        Folder of the twin, where relative paths begin.
    mapping : Mapping, optional
        The source's mapping, if it reads its tags from there.
    keeps : bool
        Whether the peer has rows again that weren't acknowledged. A device without a memory hasn't.
    seconds : float
        How long a peer may take.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("time,value\n2026-03-01,1\n2026-03-02,2\n")
    >>> check_live_source("replay", {"file": "a.csv", "rows": 1}, rows=2, folder=folder)
    """
    found = LIVE_KINDS.get(kind) if isinstance(kind, str) else kind
    _check(isinstance(found, LiveKind), f"expected a LiveKind, got a {type(found).__name__}")
    _check(bool(found.needs) == bool(found.extra), f"{found.name}: `needs` and `extra` belong together")
    found.check_installed()
    try:
        found.parse({**given, "no_such_option": 1})
    except ValidationError:
        pass
    else:
        _check(passed=False, message=f"{found.name}: expected an unknown option to be refused")
    context = LiveContext("check", folder or Path(), mapping)
    asyncio.run(_run(found, dict(given), context, rows=rows, keeps=keeps, seconds=seconds))


async def _run(
    kind: LiveKind, given: dict[str, object], context: LiveContext, *, rows: int, keeps: bool, seconds: float
) -> None:
    def opened(offsets: Mapping[str, object]) -> LiveSource:
        source: LiveSource = kind.open(
            kind.parse(given), LiveContext(context.name, context.folder, context.mapping, offsets=offsets)
        )
        _check(isinstance(source, LiveSource), f"{kind.name}: expected a LiveSource, got a {type(source).__name__}")
        _check(source.name == context.name, f"{kind.name}: expected the name of the context, got {source.name!r}")
        _check_health(kind, source)
        return source

    source = opened({})
    with suppress(SourceError):
        catalogue = await asyncio.wait_for(source.catalogue(), seconds)
        _check(isinstance(catalogue, Catalogue), f"{kind.name}: catalogue() returned a {type(catalogue).__name__}")
    # Nothing is acknowledged: as if the historian had been killed.
    unacknowledged = await _take(kind, source, 1, seconds=seconds)
    _check(bool(unacknowledged), f"{kind.name}: expected rows within {seconds:g} s, got none")
    await _check_pause(kind, source)
    source = opened({})
    batches = await _take(kind, source, rows, seconds=seconds, acknowledge=True)
    got = sum(map(_size, batches))
    _check(got >= rows, f"{kind.name}: expected {rows} rows, got {got}; what isn't acknowledged has to come again")
    if keeps:
        again, first = _values(batches), _values(unacknowledged)
        lost = [row for row in first if row not in again]
        _check(not lost, f"{kind.name}: a row that wasn't acknowledged didn't come again: {lost[:1]}")
    with suppress(SourceError):
        why: object = await source.fill(Gap("no such stream", "a check"))
        _check(
            isinstance(why, str) and bool(why),
            f"{kind.name}: expected fill() to return why a stream that it doesn't have can't be filled, got {why!r}",
        )
    offsets = {stream: at for batch in batches for stream, at in batch.offsets.items()}
    source = opened(json.loads(json.dumps(offsets)))
    more = await _take(kind, source, rows, seconds=1.0)
    if keeps and offsets:
        came = sum(map(_size, more))
        _check(came < rows, f"{kind.name}: all rows came again after a restart with the offsets {offsets}")


async def _take(
    kind: LiveKind, source: LiveSource, rows: int, *, seconds: float, acknowledge: bool = False
) -> list[LiveBatch]:
    """Return batches until they have so many rows, the source ends or the time is over; then close the source."""
    found: list[LiveBatch] = []
    before = asyncio.all_tasks()

    async def read() -> None:
        async with aclosing(source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                _check_batch(kind, batch)
                found.append(batch)
                _check_health(kind, source)
                if acknowledge:
                    answer: object = await source.acknowledge(batch)  # type: ignore[func-returns-value]
                    _check(answer is None, f"{kind.name}: expected acknowledge() to return nothing, got {answer!r}")
                if sum(map(_size, found)) >= rows:
                    return

    with suppress(TimeoutError):
        await asyncio.wait_for(read(), seconds)
    await asyncio.sleep(0.05)
    left = asyncio.all_tasks() - before
    _check(not left, f"{kind.name}: closing it left {len(left)} tasks: {left}")
    return found


async def _check_pause(kind: LiveKind, source: LiveSource) -> None:
    """Check that a source reads no further than a bound while nobody asks for the next batch."""
    async with aclosing(source.batches()) as batches:  # type: ignore[type-var]
        with suppress(StopAsyncIteration, TimeoutError):
            before = source.health.rows
            batch = await asyncio.wait_for(anext(batches), 5.0)
            await asyncio.sleep(0.2)
            held = source.health.rows - before - batch.rows
            _check(
                held <= _MOST_HELD, f"{kind.name}: it read {held:,} rows ahead; wait until the next batch is asked for"
            )


def _size(batch: LiveBatch) -> int:
    return batch.rows + (batch.file is not None)


def _values(batches: list[LiveBatch]) -> list[object]:
    """Return the rows of batches, apart from where they came in their batch."""
    out: list[object] = []
    for batch in batches:
        if batch.file is not None:
            out += [str(path) for path in batch.file.files()]
        for part in batch.parts:
            out += (part.rows if isinstance(part, RowBatch) else part).to_pylist()
    return out


def _check_batch(kind: LiveKind, batch: object) -> None:
    _check(isinstance(batch, LiveBatch), f"{kind.name}: expected a LiveBatch, got a {type(batch).__name__}")
    assert isinstance(batch, LiveBatch)
    try:
        json.dumps(dict(batch.offsets), allow_nan=False)
    except (TypeError, ValueError) as error:
        _check(
            passed=False,
            message=f"{kind.name}: expected offsets that JSON can represent, got {batch.offsets} ({error})",
        )
    _check(not (batch.parts and batch.file), f"{kind.name}: expected rows or a file in a batch, got both")
    for one in batch.filled:
        _check(isinstance(one, Filled), f"{kind.name}: expected a Filled, got a {type(one).__name__}")
    _check(batch.received_ns > 0, f"{kind.name}: expected received_ns, got {batch.received_ns}")
    for part in batch.parts:
        if isinstance(part, RowBatch):
            _check(len(part.row_numbers) == part.rows.num_rows, f"{kind.name}: expected a number for each row")
            continue
        _check(
            isinstance(part, pa.RecordBatch),
            f"{kind.name}: expected a RecordBatch or a RowBatch, got a {type(part).__name__}",
        )
        unknown = set(part.schema.names) - set(OBSERVATIONS.names)
        _check(not unknown, f"{kind.name}: expected columns of observations, got {sorted(unknown)} as well")
        for name in ("tag", "source_time"):
            _check(
                name in part.schema.names and part.column(name).null_count == 0,
                f"{kind.name}: expected a {name} in each row",
            )


def _check_health(kind: LiveKind, source: LiveSource) -> None:
    found = source.health
    _check(isinstance(found, Health), f"{kind.name}: expected a Health, got a {type(found).__name__}")
    _check(found.state in _STATES, f"{kind.name}: expected one of {', '.join(_STATES)} as state, got {found.state!r}")
    _check(found.since_ns > 0, f"{kind.name}: expected since when the state is {found.state}")


def _check(passed: bool, message: str) -> None:  # noqa: FBT001
    if not passed:
        raise AssertionError(message)
