"""What running a call gives: a table, the number that was asked for, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from twinlab.ask.errors import NotUnderstoodError

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import Related, Span
    from twinlab.model.reader import TwinReader

__all__ = ["MOST_EXPLAINED", "Evidence", "Result", "assets_of", "cannot_tell", "linked", "of_span"]


@dataclass(frozen=True)
class Evidence:
    """What a number rests on.

    Parameters
    ----------
    rows : int
        Cells, events or assets that were used.
    coverage : float or None
        Share of the cells or events asked about whose value is known.
    data_until : Timestamp or None
        Latest observation among them.
    why : mapping or None
        Arguments of ``twin.why`` that explain the number, or its most important part.
    each : mapping
        Name of a row of the table -> arguments of ``twin.why`` that explain it; for the first rows.
    """

    rows: int
    coverage: float | None = None
    data_until: pd.Timestamp | None = None
    why: Mapping[str, Any] | None = None
    each: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


#: Rows of a table whose numbers can be explained one by one.
MOST_EXPLAINED = 12


@dataclass(frozen=True)
class Result:
    """What running a call gives.

    Parameters
    ----------
    table : DataFrame
        What the sentence sums up, a row for each asset, event or group.
    value : float, str, Timestamp or None
        The number that was asked for; None if the answer is the table alone.
    unit : str
        Of the number.
    sentence : str
        Key of the sentence that says it, of the languages.
    names : mapping
        What the sentence names.
    evidence : Evidence
    notes : sequence of (key, values)
        What limits the answer.
    """

    table: pd.DataFrame
    value: float | int | str | pd.Timestamp | None
    unit: str
    sentence: str
    names: Mapping[str, Any]
    evidence: Evidence
    notes: Sequence[tuple[str, Mapping[str, str]]] = field(default_factory=tuple)


def cannot_tell(key: str, **values: str) -> NoReturn:
    """Raise the error that says why there is no answer; ``key`` is a sentence of the languages."""
    raise NotUnderstoodError(key, values)


def of_span(span: Span) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the start and stop of a span."""
    return pd.Timestamp(span.start), pd.Timestamp(span.stop)


def linked(twin: TwinReader, related: Related, at: pd.Timestamp) -> pd.Series:
    """Return the ids of the assets that are linked to one: at an instant, or at any time of the span that is named."""
    links = twin.relationships(related.relationship)
    start, stop = (at, at) if related.span is None else of_span(related.span)
    begun = links["valid_from"] <= start if related.span is None else links["valid_from"] < stop
    valid = (links["valid_from"].isna() | begun) & (links["valid_until"].isna() | (links["valid_until"] > start))
    near, far = ("source", "target") if related.inverse else ("target", "source")
    found: pd.Series = links.loc[valid & (links[near] == related.target), far]
    return found


def assets_of(
    twin: TwinReader,
    on: str,
    *,
    assets: Sequence[str] | None,
    where: Mapping[str, str],
    related: Related | None,
    at: pd.Timestamp,
) -> list[str] | None:
    """Return the ids of the assets that a call is about; None for all.

    Parameters
    ----------
    at : Timestamp
        When links are looked at.
    """
    if assets is None and not where and related is None:
        return None
    table = twin.assets(on)
    keep = np.ones(len(table), dtype=bool)
    if assets is not None:
        lacking = [one for one in assets if one not in table.index]
        if lacking:
            cannot_tell("no_asset", asset=", ".join(lacking), type=on)
        keep &= table.index.isin(assets)
    for name, value in where.items():
        if twin.model.asset_types[on].properties[name].dtype in ("number", "integer"):
            keep &= (pd.to_numeric(table[name], errors="coerce") == float(value)).to_numpy()
        else:
            keep &= (table[name].astype("string").fillna("") == value).to_numpy()
    if related is not None:
        keep &= table.index.isin(linked(twin, related, at))
    return [str(one) for one in table.index[keep]]
