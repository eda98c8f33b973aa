"""What the columns of a table of signals mean: names, positions, row numbers, unit columns and qualifiers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from twinlab.errors import UnitError
from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.drafting.kinds.versions import bare_name
from twinlab.harmonise.drafting.profiles import Profile, name_of
from twinlab.harmonise.drafting.units import Hint, unit_of
from twinlab.harmonise.drafting.yaml_text import unique
from twinlab.model.quantities.names import Name, name_parts
from twinlab.model.quantities.table import fits
from twinlab.model.units import canonical_unit, compatible, conversion

__all__ = [
    "ValueColumns",
    "in_degrees",
    "located",
    "qualifiers",
    "quantity_of",
    "row_numbers",
    "signal_names",
    "unit_column",
    "units_of_rows",
    "value_columns",
    "with_units_of_rows",
]

_ROW_NUMBER = re.compile(
    r"#|no\.?|nr\.?|num|record|rn|index|idx|row|row[_ ]?(no|num|number|id)|line[_ ]?(no|number)|seq|lfd\.? ?nr\.?|unnamed: ?0|column_?[01]?|__index_level_\d+__|",
    re.IGNORECASE,
)
_UNITS = re.compile(r"units?|einheit|uom|unité|unidad|unità|eenheid|(unit of|units of) \w+", re.IGNORECASE)
_QUALIFIER = re.compile(
    r"(?P<base>.+?)[\s_.-]*(cd|qc|flags?|quality|qualit[äy]|qual|status|qualifiers?|codes?|remarks?|qf)", re.IGNORECASE
)
_BARE_QUALIFIER = re.compile(
    r"flags?|qc|quality|qualit[äé]t?|qualifiers?|qf|qual|(data|value)[_ ](flag|quality|status)|qc[_ ]?flag",
    re.IGNORECASE,
)
#: Maximal number of distinct codes of a qualifier, and length of one code.
_MAX_CODES, _MAX_CODE = 12, 16
#: Minimal number of decimals of a position in degrees; the fifth is about a metre.
_POSITION_DECIMALS = 5
_LIMITS = {"latitude": 90.0, "longitude": 360.0}


def _parts(profile: Profile) -> Name:
    unit = canonical_unit(profile.unit.unit) if profile.unit.unit else None
    alone = unit is not None and profile.unit.unit == profile.name.strip()
    return name_parts("" if alone else profile.unit.stem or profile.name, unit=unit)


def quantity_of(profile: Profile) -> str | None:
    """Return the quantity that a column of numbers measures, by its name and unit."""
    return _parts(profile).quantity if profile.kind == "number" else None


def signal_names(profiles: Sequence[Profile]) -> dict[str, str]:
    """Return column -> name of its signal: the quantity, where that leaves no two columns with one name.

    >>> signal_names([Profile("Temp (°F)", "number", 1, 1, unit=Hint("°F", "", "Temp")), Profile("line_a", "number", 1, 1)])
    {'Temp (°F)': 'temperature', 'line_a': 'line_a'}
    """
    wanted = {}
    for profile in profiles:
        stem = profile.unit.stem or profile.name
        words = _parts(profile).words if profile.kind == "number" else ()
        wanted[profile.name] = name_of("_".join(words) if words else stem, fallback="signal")
    counts = Counter(wanted.values())
    stems = {profile.name: name_of(profile.unit.stem or profile.name, fallback="signal") for profile in profiles}
    names: dict[str, str] = {}
    for name, term in wanted.items():
        others = [stems[other] for other, same in wanted.items() if same == term]
        told_apart = stems[name] if len(set(others)) == len(others) else name_of(name, fallback="signal")
        names[name] = unique(term if counts[term] == 1 else told_apart, names.values())
    return names


def located(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """Return the pair of columns with latitude and longitude, in degrees; empty if there is no such pair.

    The names decide, in any spelling and nested ("gps.lat"); values outside the range of degrees rule a pair out.
    """
    pair: dict[str, Profile] = {}
    for quantity, profile in _angles(profiles):
        pair.setdefault(quantity, profile)
    return pair if len(pair) == len(_LIMITS) else {}


def in_degrees(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """Return all columns of latitudes and longitudes, in degrees; empty if one of both isn't there.

    An event may have several positions: "pickup_lat", "pickup_lon", "dropoff_lat", "dropoff_lon".
    """
    angles = list(_angles(profiles))
    both = len({quantity for quantity, _ in angles}) == len(_LIMITS)
    return {profile.name: profile for _, profile in angles} if both else {}


def _angles(profiles: Mapping[str, Profile]) -> Iterator[tuple[str, Profile]]:
    for profile in profiles.values():
        quantity = quantity_of(profile)
        limit = _LIMITS.get(quantity or "")
        if quantity is None or limit is None or not -limit <= profile.low <= profile.high <= limit:
            continue
        hint = profile.unit if profile.unit.unit else replace(profile.unit, unit="degree", evidence=f"a {quantity}")
        yield quantity, replace(profile, unit=hint, decimals=max(profile.decimals, _POSITION_DECIMALS))


def row_numbers(profiles: Mapping[str, Profile], rows: Rows) -> list[str]:
    """Return the columns that only count rows: called so, and rising by one from row to row."""
    found = []
    for name, profile in profiles.items():
        if not profile.whole or not _ROW_NUMBER.fullmatch(name.strip()) or profile.distinct < 2:
            continue
        number = rows.cells(name).number
        steps = np.diff(number[np.isfinite(number)])
        if len(steps) and (steps == 1).mean() >= 0.9:
            found.append(name)
    return found


def unit_column(profiles: Mapping[str, Profile]) -> str | None:
    """Return the column that states the unit of each row's values."""
    for name, profile in profiles.items():
        if profile.kind == "text" and _UNITS.fullmatch(name.strip()) and any(map(_known, profile.terms)):
            return name
    return None


def _known(text: str) -> bool:
    try:
        return canonical_unit(text) != "unknown"
    except UnitError:
        return False


def units_of_rows(column: str, unit_texts: Sequence[str], values: Mapping[str, Profile]) -> dict[str, str]:
    """Return value column -> unit of its signal, for the columns whose rows' units a unit column states.

    Parameters
    ----------
    column : str
        The unit column.
    unit_texts : sequence of str
        Its texts, the most frequent first.
    values : mapping of str to Profile
        Columns of numbers whose unit no header states.
    """
    units = [canonical_unit(text) for text in unit_texts if _known(text)]
    if not units:
        return {}
    near = [name for name in values if column.casefold().endswith(name.casefold())]
    fitting = [name for name, profile in values.items() if (q := quantity_of(profile)) and fits(q, units[0])]
    chosen = near or fitting or (list(values) if len(values) == 1 else [])
    return dict.fromkeys(chosen, units[0])


def qualifiers(profiles: Mapping[str, Profile]) -> dict[str, str | None]:
    """Return the columns with the source's own status of values: column -> the column of values, or None for all.

    >>> names = ["00010", "00010_cd"]
    >>> qualifiers({"00010": Profile("00010", "number", 9, 5), "00010_cd": Profile("00010_cd", "text", 9, 2, ("A", "P"))})
    {'00010_cd': '00010'}
    """
    found: dict[str, str | None] = {}
    numbers = {name for name, profile in profiles.items() if profile.kind == "number"}
    stems = {str(profiles[name].unit.stem).casefold(): name for name in numbers if profiles[name].unit.stem}
    folded = stems | {name.casefold(): name for name in numbers}
    for name, profile in profiles.items():
        if profile.kind != "text" or not 0 < profile.distinct <= _MAX_CODES or max(map(len, profile.terms)) > _MAX_CODE:
            continue
        match = _QUALIFIER.fullmatch(name.strip())
        base = folded.get(match["base"].casefold()) if match else None
        if base is not None:
            found[name] = base
        elif numbers and _BARE_QUALIFIER.fullmatch(name.strip()):
            found[name] = None
    return found


@dataclass(frozen=True)
class ValueColumns:
    """The columns of a wide table that may be signals, and what was found about the others."""

    # Column -> profile, with the unit that was found for it.
    profiles: Mapping[str, Profile]
    # Column -> why it is no signal.
    ignored: Mapping[str, str]
    # Qualifier column -> column of values, or None for all.
    qualifiers: Mapping[str, str | None]
    # The column that states the unit of each row, if there is one.
    unit_column: str | None = None
    # Column -> unit of its signal, where each row states its own.
    by_row: Mapping[str, str] = field(default_factory=dict)


def value_columns(profiles: Mapping[str, Profile], rows: Rows) -> ValueColumns:
    """Return the columns of a wide table that may be signals; times and the column of assets are left out before."""
    ignored = dict.fromkeys(row_numbers(profiles, rows), "counts the rows")
    codes = qualifiers(profiles)
    for name, value in codes.items():
        whose = f"of {value!r}" if value else "of the row's values"
        ignored[name] = f"codes {', '.join(profiles[name].terms)}: the source's own status {whose}"
    unit = unit_column(profiles)
    left = _with_units_of_versions({name: profile for name, profile in profiles.items() if name not in ignored})
    left |= {profile.name: profile for profile in located(left).values()}
    if unit is None:
        return ValueColumns(left, ignored, codes)
    bare = {name: profile for name, profile in left.items() if profile.kind == "number" and not profile.unit.unit}
    found = units_of_rows(unit, _frequent(rows, unit), bare)
    if not found:
        return ValueColumns(left, ignored, codes)
    del left[unit]
    for name, its in found.items():
        hint = Hint(its, f"each row's unit is in the column {unit!r}", left[name].unit.stem)
        extra = max((_extra_decimals(text, its) for text in profiles[unit].terms if _known(text)), default=0)
        left[name] = replace(left[name], unit=hint, decimals=left[name].decimals + extra)
    return ValueColumns(left, ignored, codes, unit, found)


def _with_units_of_versions(profiles: dict[str, Profile]) -> dict[str, Profile]:
    """Return the profiles with the units before a word such as "raw" or "corrected" in a header."""
    found = dict(profiles)
    for name, profile in profiles.items():
        bare = bare_name(name, "corrected") or bare_name(name, "raw")
        if bare is not None and profile.kind == "number" and not profile.unit.unit:
            hint = unit_of(bare)
            found[name] = replace(profile, unit=replace(hint, stem=hint.stem or bare))
    return found


def with_units_of_rows(profile: Profile, column: str, rows: Rows) -> Profile:
    """Return the profile of one tag of a long table, with the unit that most of its rows state."""
    texts = _frequent(rows, column)
    found = units_of_rows(column, texts, {profile.name: profile})
    if not found:
        return replace(
            profile, unit=Hint(None, f"the rows say {', '.join(map(repr, texts)) or 'nothing'}", profile.name)
        )
    unit = found[profile.name]
    extra = max((_extra_decimals(text, unit) for text in texts if _known(text)), default=0)
    hint = Hint(unit, f"the rows say {' and '.join(map(repr, texts[:4]))}", profile.unit.stem)
    return replace(profile, unit=hint, decimals=profile.decimals + extra)


def _frequent(rows: Rows, column: str) -> list[str]:
    codes, terms = encode(rows.texts(column))
    counts = np.bincount(codes[codes >= 0], minlength=len(terms))
    return [terms[place] for place in np.argsort(-counts, kind="stable").tolist()]


def _extra_decimals(written: str, unit: str) -> int:
    """Return the decimals that a conversion needs beyond those written, so that no written step is lost."""
    source = canonical_unit(written)
    if source == unit or not compatible(source, unit):
        return 0
    factor = abs(float(conversion(source, unit)[1]))
    return max(0, math.ceil(-math.log10(factor / 2)))
