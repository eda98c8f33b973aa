"""Arguments that tools share: names, instants, spans, and parts of tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from twinlab.ask.plans.plan import Span
from twinlab.ask.present import present
from twinlab.assistants.results.texts import matching_text
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.assistants.tools.call import Call
    from twinlab.model.reader import TwinReader

__all__ = [
    "Arguments",
    "Instant",
    "Name",
    "OfSpan",
    "Paged",
    "asset_and_id",
    "checked_cells",
    "known_assets",
    "known_name",
    "span_of",
]

#: Span that is asked about if none is named, up to the end of the data.
_USUAL = pd.Timedelta(days=7)


def _utc(text: str) -> str:
    """Return an instant without a zone, in UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
        plain = found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        plain = datetime.min  # noqa: DTZ901  (refused below)
    if not 1700 < plain.year < 2200:
        msg = "expected an instant such as 2026-01-05T06:00Z, from 1701 to 2199"
        raise ValueError(msg)
    return plain.isoformat()


Name = Annotated[str, Field(min_length=1, max_length=400)]
Instant = Annotated[str, Field(max_length=40), AfterValidator(_utc)]


class Arguments(BaseModel):
    """Arguments of a tool."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class OfSpan(Arguments):
    """Arguments with a span."""

    start: Instant | None = None
    """First instant, ISO 8601; naive is UTC. By default seven days before `stop`."""
    stop: Instant | None = None
    """First instant after the span. By default the end of the data."""


class Paged(Arguments):
    """Arguments of a tool with a table."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """Most rows of the table."""
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Rows that are left out before."""


def span_of(twin: TwinReader, given: OfSpan) -> tuple[Span, tuple[str, ...]]:
    """Return the span that is asked about, and what was assumed for it.

    Raises
    ------
    SchemaError
        If it doesn't start before it stops.
    """
    stop = present(twin) if given.stop is None else pd.Timestamp(given.stop)
    start = stop - _USUAL if given.start is None else pd.Timestamp(given.start)
    if start >= stop:
        msg = f"expected a start before the stop, got {start.isoformat()} and {stop.isoformat()}"
        raise SchemaError(msg)
    assumed = []
    if given.stop is None:
        assumed.append("up to the end of the data, as no stop was named")
    if given.start is None:
        assumed.append("the seven days before the stop, as no start was named")
    return Span(start=start.isoformat(), stop=stop.isoformat()), tuple(assumed)


def known_name(given: str, names: Sequence[str], what: str) -> str:
    """Return the name that a client means.

    Raises
    ------
    UnknownTermError
        If the caller sees none such; shows the nearest that they see.
    """
    found = matching_text(given, names)
    if found not in names:
        msg = f"there is no {what} {given!r} that you may see{nearest(given, names)}"
        raise UnknownTermError(msg)
    return found


def known_assets(twin: TwinReader, asset_type: str, given: Sequence[str] | None) -> list[str] | None:
    """Return the ids of assets that a client means; None for all.

    Raises
    ------
    UnknownTermError
        If the caller sees none such.
    """
    kind = known_name(asset_type, list(twin.model.asset_types), "asset type")
    if given is None:
        return None
    ids = [str(one) for one in twin.assets(kind).index]
    return [known_name(one, ids, f"{kind}") for one in given]


def asset_and_id(twin: TwinReader, given: str) -> tuple[str, str]:
    """Return type and id of an asset that a client names as TYPE/ID.

    Raises
    ------
    SchemaError, UnknownTermError
        If it isn't named so, or the caller sees none such.
    """
    kind, slash, asset = given.partition("/")
    if not slash:
        msg = f"expected an asset as TYPE/ID, got {given!r}; the tool `assets` lists ids"
        raise SchemaError(msg)
    found = known_assets(twin, kind, [asset])
    assert found is not None
    return kind, found[0]


def checked_cells(
    call: Call, asset_type: str, signals: Sequence[str], assets: Sequence[str] | None, span: Span
) -> None:
    """Refuse to read more cells than a call may.

    Raises
    ------
    SchemaError
        Says how many there are, and how many may be.
    """
    twin = call.caller.twin
    specs = twin.model.asset_types[asset_type].signals
    number = len(twin.assets(asset_type)) if assets is None else len(assets)
    length = (pd.Timestamp(span.stop) - pd.Timestamp(span.start)) / pd.Timedelta(1, unit="ns")
    cells = sum(number * length / specs[name].cadence_ns for name in signals if name in specs)
    if cells > call.limits.cells:
        msg = f"expected a question about at most {call.limits.cells:,} cells, got {cells:,.0f}; ask about a shorter span, or fewer assets"
        raise SchemaError(msg)
