"""What people enter: timed searches and minutes in ``measurements.csv``, complaints of customers in ``complaints.csv``.

Each row has a source, so that the committee can ask. A wrong row is an error with its file, row and column; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from twinlab.errors import SchemaError, SourceError, UnitError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.model.units import canonical_unit, compatible, convert
from twinlab.model.yamltext import read_text
from twinlab.pilots.settings import PilotSettings

__all__ = [
    "COMPLAINTS",
    "COMPLAINT_COLUMNS",
    "ENTERED",
    "MEASUREMENTS",
    "MEASUREMENT_COLUMNS",
    "read_complaints",
    "read_measurements",
]

MEASUREMENTS, COMPLAINTS = "measurements.csv", "complaints.csv"
MEASUREMENT_COLUMNS = ("measure", "day", "value", "unit", "source")
COMPLAINT_COLUMNS = ("time", "about", "noticed", "source")
#: What people measure -> its unit. Alarms and false alarms are those of the old way, a row a day.
ENTERED = {"time_to_find": "s", "cleaning_time": "min", "alarms": "1", "false_alarms": "1"}
#: What the twin counts itself during the pilot.
_BEFORE_ONLY = ("alarms", "false_alarms")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


@dataclass(frozen=True)
class _Row:
    """One row of a file: its texts by column, and where it is."""

    texts: dict[str, str]
    place: str

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        found = self.texts[column]
        if not found:
            msg = f"{self.place}, column {column!r}: expected a value, got an empty cell; fill it in or remove the row"
            raise SchemaError(msg)
        return found


def read_measurements(folder: Path, settings: PilotSettings) -> pd.DataFrame:
    """Read ``measurements.csv``.

    Parameters
    ----------
    folder : Path
        The pilot's.
    settings : PilotSettings
        Its spans say which phase a day belongs to.

    Returns
    -------
    DataFrame
        ``phase, measure, day, value`` (in the unit of `ENTERED`), ``source``, ``row``; in the order of the file.

    Raises
    ------
    SourceError
        If the file isn't there.
    SchemaError
        If a cell is empty, no number, no day, or a day of neither span; if false alarms and alarms don't fit.
    UnitError
        If a unit is none of time.
    UnknownTermError
        If there is no such measure.
    """
    rows = []
    for row in _rows(folder / MEASUREMENTS, MEASUREMENT_COLUMNS):
        name = row.text("measure")
        if name not in ENTERED:
            msg = f"{row.place}, column 'measure': {name!r} is no measure{nearest(name, ENTERED)}; known are {', '.join(ENTERED)}"
            raise UnknownTermError(msg)
        day = _day(row)
        phase = settings.phase(day)
        if phase is None:
            spans = f"{settings.before.first} to {settings.before.last} or {settings.during.first} to {settings.during.last}"
            msg = f"{row.place}, column 'day': expected a day of {spans} (pilot.yaml), got {day}"
            raise SchemaError(msg)
        if phase == "during" and name in _BEFORE_ONLY:
            msg = f"{row.place}: {name} of the pilot are counted by the twin (alerts and verdicts), got a row of {day}; remove it"
            raise SchemaError(msg)
        made = {"phase": phase, "measure": name, "day": pd.Timestamp(day), "value": _value(row, name)}
        rows.append({**made, "source": row.text("source"), "row": row.place})
    table = pd.DataFrame(rows, columns=["phase", "measure", "day", "value", "source", "row"])
    _check_alarms(table)
    return table


def _value(row: _Row, name: str) -> float:
    text, target = row.text("value"), ENTERED[name]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        msg = f"{row.place}, column 'value': expected a number of at least 0, with a decimal point, got {text!r}"
        raise SchemaError(msg)
    if target == "1":
        if number != int(number) or row.texts["unit"] not in ("", "1"):
            given = f"{text} {row.texts['unit']}".strip()
            msg = (
                f"{row.place}: expected a whole number of {name.replace('_', ' ')} a day, without a unit, got {given!r}"
            )
            raise SchemaError(msg)
        return number
    unit = row.text("unit")
    try:
        canonical = canonical_unit(unit)
        fits = compatible(canonical, target)
    except UnitError:
        fits, canonical = False, ""
    if not fits:
        msg = f"{row.place}, column 'unit': expected a unit of time (s, min or h), got {unit!r}"
        raise UnitError(msg)
    return float(convert(number, canonical, target))


def _check_alarms(table: pd.DataFrame) -> None:
    """Refuse days with false alarms but no alarms, or more of them, or a day twice."""
    counts = {name: table[table["measure"] == name] for name in _BEFORE_ONLY}
    for name, part in counts.items():
        twice = part[part["day"].duplicated()]
        if len(twice):
            msg = f"{twice['row'].iloc[0]}: {name} of {twice['day'].iloc[0]:%Y-%m-%d} are there twice; one row a day"
            raise SchemaError(msg)
    every, false = (counts[name].set_index("day") for name in _BEFORE_ONLY)
    for part, other, lacking in ((every, false, "false_alarms"), (false, every, "alarms")):
        alone = part[~part.index.isin(other.index)]
        if len(alone):
            msg = f"{alone['row'].iloc[0]}: expected a row of {lacking} of the same day, got none; a share needs both"
            raise SchemaError(msg)
    wrong = false[false["value"] > every["value"].reindex(false.index)]
    if len(wrong):
        msg = f"{wrong['row'].iloc[0]}: expected at most as many false alarms as alarms on {wrong.index[0]:%Y-%m-%d}"
        raise SchemaError(msg)


def read_complaints(folder: Path, settings: PilotSettings, *, types: Callable[[str], bool]) -> pd.DataFrame:
    """Read ``complaints.csv``: when a customer complained about what, and when we had noticed it ourselves, if we had.

    Parameters
    ----------
    folder : Path
        The pilot's.
    settings : PilotSettings
        Its zone is that of times without an offset.
    types : callable
        Whether the twin has an asset type or event type of a name.

    Returns
    -------
    DataFrame
        ``phase, time, kind, id, noticed`` (naive UTC; NaT: not before the complaint), ``source``, ``row``.

    Raises
    ------
    SourceError
        If the file isn't there.
    SchemaError
        If a cell is empty, or a time is none, is in neither span or in an hour that the clock has twice.
    UnknownTermError
        If ``about`` names a type that the twin doesn't have.
    """
    rows = []
    for row in _rows(folder / COMPLAINTS, COMPLAINT_COLUMNS):
        at = _time(row, "time", settings.zone)
        phase = next((one for one in ("before", "during") if _inside(at, settings.bounds(one))), None)
        if phase is None:
            msg = f"{row.place}, column 'time': {row.texts['time']} is in neither span of pilot.yaml; correct it or remove the row"
            raise SchemaError(msg)
        kind, sign, name = row.text("about").partition("/")
        if not sign or not name or not types(kind):
            msg = (
                f"{row.place}, column 'about': expected an asset or event of the twin as type/id, such as parcel/P17, "
                f"got {row.texts['about']!r}"
            )
            raise UnknownTermError(msg)
        noticed = _time(row, "noticed", settings.zone) if row.texts["noticed"] else pd.NaT
        made = {"phase": phase, "time": at, "kind": kind, "id": name, "noticed": noticed}
        rows.append({**made, "source": row.text("source"), "row": row.place})
    table = pd.DataFrame(rows, columns=["phase", "time", "kind", "id", "noticed", "source", "row"])
    return table.astype({"time": "datetime64[ns]", "noticed": "datetime64[ns]"})


def _inside(at: pd.Timestamp, bounds: tuple[pd.Timestamp, pd.Timestamp]) -> bool:
    return bool(bounds[0] <= at < bounds[1])


def _day(row: _Row) -> date:
    text = row.text("day")
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{row.place}, column 'day': expected a day such as 2026-03-02, got {text!r}"
        raise SchemaError(msg) from None


def _time(row: _Row, column: str, zone: str) -> pd.Timestamp:
    text = row.text(column)
    try:
        # A day alone would be its midnight, before everything that was noticed on it.
        if not _TIME.match(text):
            raise ValueError(text)  # noqa: TRY301
        at = pd.Timestamp(text)
        if at.tzinfo is None:
            at = at.tz_localize(ZoneInfo(zone))
    except ValueError:
        msg = (
            f"{row.place}, column {column!r}: expected a time such as 2026-03-02T14:05 of the zone {zone}, with an offset in the "
            f"hour that the clock has twice, got {text!r}"
        )
        raise SchemaError(msg) from None
    return at.tz_convert("UTC").tz_localize(None)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Yield the rows of a CSV file, of a spreadsheet with semicolons and decimal commas, too; empty rows are left out."""
    if not path.is_file():
        msg = f"there is no {path.name} in {path.parent}; twinlab pilot {path.parent} writes an empty one"
        raise SourceError(msg)
    text = read_text(path)
    head = text.partition("\n")[0]
    semicolons = head.count(";") > head.count(",")
    reader = csv.reader(io.StringIO(text), delimiter=";" if semicolons else ",")
    names = [name.strip() for name in next(reader, [])]
    missing = [name for name in columns if name not in names]
    if missing:
        msg = f"{path}:1: expected the columns {', '.join(columns)}, got {', '.join(names) or 'none'}; {', '.join(missing)} missing"
        raise SchemaError(msg)
    for cells in reader:
        place = f"{path}:{reader.line_num}"
        if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
            continue
        if len(cells) > len(names):
            msg = f"{place}: expected {len(names)} cells, got {len(cells)}; put a text with {'a semicolon' if semicolons else 'a comma'} in quotes"
            raise SchemaError(msg)
        texts = dict(zip(names, [cell.strip() for cell in cells] + [""] * (len(names) - len(cells)), strict=True))
        if semicolons and "value" in texts:
            texts["value"] = texts["value"].replace(",", ".")
        yield _Row(texts, place)
