"""The zone of every row of a frame: one for all, a property of an asset, or the code in a column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twinlab.errors import UnknownTermError
from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import Context, Ints
from twinlab.harmonise.times.zones import Zones, zone_name
from twinlab.model.mapping import TimeRule, ZoneOf
from twinlab.model.time_rule import fixed_offset
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["row_zones"]

#: Codes that mean UTC wherever they are written.
_UTC_CODES = frozenset({"z", "utc", "gmt"})


def row_zones(rule: TimeRule, rows: Rows, context: Context) -> Zones | None:
    """Return the zone of every row; None if each value has its own offset.

    Codes and assets whose zone is unknown are added to the findings, and their rows have no zone.
    """
    if rule.zone_of is not None:
        return _zones_of(rule.zone_of, rows, context)
    if rule.zone_column is not None:
        return _zones_in(rule.zone_column, rule, rows)
    # A clock whose zone isn't stated is read as UTC; its zone remains an open question of the twin.
    name = "UTC" if rule.zone in (None, UNKNOWN) else rule.zone
    return None if name == "offset" else Zones([zone_name(name)])


def _zones_of(rule: ZoneOf, rows: Rows, context: Context) -> Zones:
    codes, terms = encode(rows.texts(rule.column))
    known = context.properties.get(rule.asset_type, {})

    def found(term: str) -> str | None:
        name = rule.also.get(term) or known.get(term, {}).get(rule.property)
        return None if not name else str(name)

    def message(term: str, error: str) -> str:
        reason = error or ("it isn't a known asset" if term not in known else f"it has no {rule.property!r}")
        return (
            f"the zone of {rule.asset_type} {term!r} (column {rule.column!r}) is unknown: {reason}; add "
            f"`also: {{{term}: <IANA zone>}}` to this zone_of, or give the asset its property {rule.property!r}"
        )

    return _looked_up(
        codes, terms, found, lambda term, error: (f"{rule.asset_type} {term!r}", message(term, error)), rows
    )


def _zones_in(column: str, rule: TimeRule, rows: Rows) -> Zones:
    codes, terms = encode(rows.texts(column))

    def found(term: str) -> str | None:
        stated = rule.zones.get(term)
        if stated is not None:
            return stated
        if term.casefold() in _UTC_CODES:
            return "UTC"
        # A bare abbreviation such as CET has several meanings, even where the tz database has a zone of this name.
        return term if "/" in term or fixed_offset(term) is not None else None

    def message(term: str, error: str) -> str:
        return (
            f"the zone code {term!r} (column {column!r}) is unknown{': ' if error else ''}{error}; add it to `zones:`, for "
            f"example zones: {{{term}: -05:00}} for a clock that never changes, or {{{term}: America/New_York}}"
        )

    return _looked_up(codes, terms, found, lambda term, error: (f"zone {term!r}", message(term, error)), rows)


def _looked_up(
    codes: Ints,
    terms: list[str],
    found: Callable[[str], str | None],
    report: Callable[[str, str], tuple[str, str]],
    rows: Rows,
) -> Zones:
    """Return the zones of coded texts; those without a zone are reported."""
    counts = np.bincount(codes[codes >= 0], minlength=len(terms))
    names: list[str] = []
    lut = np.full(len(terms) + 1, -1, dtype=np.int64)
    for position, term in enumerate(terms):
        name, error = found(term), ""
        try:
            name = None if name is None else zone_name(name)
        except UnknownTermError as fault:
            name, error = None, str(fault)
        if name is None:
            what, message = report(term, error)
            rows.findings.unknown_term(what, int(counts[position]), message)
            continue
        if name not in names:
            names.append(name)
        lut[position] = names.index(name)
    return Zones(names or ["UTC"], lut[codes])
