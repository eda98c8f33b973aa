"""Rows of a twin with the person whom each is about: as exact as the twin has them, and as a purpose shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinlab.errors import PurposeError, SchemaError
from twinlab.model.privacy.coarse import coarse_positions, coarse_times
from twinlab.model.privacy.policy import Policy
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.privacy.precision import Precision
    from twinlab.model.reader import TwinReader

__all__ = ["PersonRows", "coarse", "rows_of"]

_TIMES = ("start", "end", "planned_start", "planned_end")


@dataclass(frozen=True)
class PersonRows:
    """Exact rows, and whom they are about."""

    table: pd.DataFrame
    """The columns that are released, exact."""
    people: pd.Series
    """Name of the person of each row; the index is the table's."""
    position: tuple[str, str] | None
    """Columns with latitude and longitude."""


def rows_of(
    twin: TwinReader, policy: Policy, what: str, fields: Sequence[str] | None, *, start: object, stop: object
) -> PersonRows:
    """Return the rows of an event type or of an asset type's history that a purpose may see, with the person of each.

    Raises
    ------
    PurposeError
        If the purpose doesn't show a field.
    SchemaError
        If nothing says whom rows are about.
    UnknownTermError
        If there is no such type or field.
    """
    if what in twin.model.event_types:
        return _events(twin, policy, what, fields, start=start, stop=stop)
    if what in twin.model.asset_types:
        return _history(twin, policy, what, fields, start=start, stop=stop)
    known = [*twin.model.event_types, *twin.model.asset_types]
    msg = f"expected an event type or an asset type to release, got {what!r}{nearest(what, known)}"
    raise SchemaError(msg)


def _events(
    twin: TwinReader, policy: Policy, what: str, fields: Sequence[str] | None, *, start: object, stop: object
) -> PersonRows:
    event = twin.model.event_types[what]
    known = policy.fields("event_types", what)
    by = [name for name, one in known.items() if one.personal and one.subject is None]
    people = [
        name for name in ("asset", *event.links) if policy.people(event.asset if name == "asset" else event.links[name])
    ]
    if not by and not people:
        msg = f"{what!r} has no personal property that names people: nothing says how many people a row is about; declare one in twin.yaml"
        raise SchemaError(msg)
    who = [*by, *people][0]
    shown = [name for name in policy.shown("event_types", what) if not known[name].personal]
    columns = list(fields) if fields is not None else ["start", *(n for n in event.links if n not in people), *shown]
    allowed = {*_TIMES, "asset", *event.links, *policy.shown("event_types", what)} - {*by, *people}
    _check(columns, allowed, policy, what)
    table = twin.events(what, start=start, stop=stop)
    table = table[table[who].notna()]
    return PersonRows(table[columns].reset_index(drop=True), table[who].astype("str").reset_index(drop=True), None)


def _history(
    twin: TwinReader, policy: Policy, what: str, fields: Sequence[str] | None, *, start: object, stop: object
) -> PersonRows:
    kind = twin.model.asset_types[what]
    shown = policy.shown("asset_types", what, signals=True)
    wanted = list(kind.position or shown) if fields is None else [name for name in fields if name != "time"]
    _check(wanted, set(shown), policy, what)
    data = twin.history(what, signals=wanted, start=start, stop=stop)[wanted]
    table = data.to_dataframe().dropna(how="any").reset_index()
    position = kind.position if kind.position is not None and set(kind.position) <= set(wanted) else None
    return PersonRows(table[["time", *wanted]], table["asset"].astype("str"), position)


def _check(columns: Sequence[str], allowed: set[str], policy: Policy, what: str) -> None:
    for name in columns:
        if name not in allowed:
            msg = f"expected a field of {what!r} that the purpose {policy.name!r} may release, got {name!r}{nearest(name, allowed)}"
            raise PurposeError(msg)


def coarse(precision: Precision, position: tuple[str, str] | None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that gives rows in a precision."""

    def made(table: pd.DataFrame) -> pd.DataFrame:
        out = table.copy()
        for name in out.columns:
            if precision.time_ns is not None and out[name].dtype.kind == "M":
                out[name] = coarse_times(out[name].to_numpy("datetime64[ns]"), precision.time_ns)
        if position is not None and precision.location_m is not None:
            north, east = (out[name].to_numpy(dtype=np.float64) for name in position)
            found = coarse_positions(north, east, precision.location_m)
            out[position[0]], out[position[1]] = (np.round(one, 6) for one in found)
        return out

    return made
