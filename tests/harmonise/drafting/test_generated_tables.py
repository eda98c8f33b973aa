"""Whole tables of any dialect, header, time format and shape: the draft reads what was generated, or asks."""

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.harmonise import Context, draft, harmonise
from twinlab.harmonise.drafting.samples import samples_of
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.model.questions import open_questions
from twinlab.model.units import canonical_unit
from twinlab.sources import open_source

#: Name in a header, spellings of a unit, least and greatest value, decimals.
QUANTITIES = [
    ("Temperature", ("°C", "degC", "deg C", "*C", "C"), -20, 40, 1),
    ("Temp out", ("°F", "degF", "deg F"), 10, 110, 1),
    ("Pressure", ("hPa", "mbar", "kPa"), 950, 1050, 2),
    ("Humidity", ("%",), 5, 99, 0),
    ("Wind speed", ("m/s", "km/h", "mph"), 0, 30, 1),
    ("Power", ("kW", "W"), 0, 500, 2),
    ("level_x", ("m", "mm", "ft"), 0, 9, 3),
]
#: Format of a time, and whether it may be read with day and month exchanged.
STAMPS = [
    ("%Y-%m-%d %H:%M:%S", False),
    ("%Y-%m-%dT%H:%M", False),
    ("%Y/%m/%d %H:%M", False),
    ("%d.%m.%Y %H:%M", True),
    ("%d/%m/%Y %H:%M:%S", True),
    ("%m/%d/%Y %I:%M:%S %p", True),
    ("%d-%b-%Y %H:%M", False),
    ("%Y%m%d%H%M%S", False),
]
SPLIT = [("%d.%m.%Y", "%H.%M.%S"), ("%Y-%m-%d", "%H:%M"), ("%m/%d/%y", "%I:%M %p"), ("%Y%m%d", "%H%M")]
#: Name of the column of times, and the offset in minutes that it states.
ZONED = [("Time (UTC)", 0), ("Date Time, GMT-05:00", -300), ("Timestamp [UTC+01:00]", 60)]
NAMED = ["time", "Date Time", "Zeitstempel", "timestamp"]
NOTES = ["fine", 'said "go"', "a;b,c", "Kühlung", "two\nlines", ""]


@dataclass(frozen=True)
class Table:
    """A file, and what is in it."""

    content: bytes
    # (asset or "", quantity, instant as UTC, or on the file's clock if no zone is stated) -> value.
    values: dict[tuple[str, str, dt.datetime], float]
    # Quantity -> unit as written, or None.
    units: dict[str, str | None]
    zone_stated: bool


def cell(text, delimiter, *, always=False):
    if always or any(mark in text for mark in (delimiter, '"', "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text


@st.composite
def tables(draw):
    """Return a table of signals of one or several assets, in a wide or long shape."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = "," if delimiter != "," and draw(st.booleans()) else "."
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    quoted = draw(st.booleans())
    count = draw(st.integers(12, 40))
    step = draw(st.sampled_from([1, 10, 60, 1440]))
    start = dt.datetime(2024, draw(st.integers(1, 12)), draw(st.integers(1, 28)), draw(st.integers(0, 23)))
    chosen = draw(st.lists(st.sampled_from(QUANTITIES), min_size=1, max_size=3, unique_by=lambda q: q[0]))
    shape = draw(st.sampled_from(["wide", "assets", "long"]))
    assets = [""] if shape == "wide" else draw(st.sampled_from([["R1", "R2"], ["north", "south", "east"]]))
    heading = (
        draw(st.sampled_from(["plain", "row", "brackets", "parentheses", "comma"])) if shape != "long" else "plain"
    )
    top = draw(st.sampled_from(["none", "comments", "commented", "preamble"]))
    stamp = draw(st.sampled_from(["one", "split", "zoned", "offset", "epoch"]))
    preamble_zone = top in ("preamble", "comments", "commented") and stamp in ("one", "split") and draw(st.booleans())
    missing = draw(st.sampled_from(["", "NA", "n/a", "-9999", "---"]))
    noted = draw(st.booleans()) and shape != "long"
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    units = {q[0]: None if heading == "plain" else draw(st.sampled_from(q[1])) for q in chosen}
    offset, names, write = times(draw, stamp)
    if preamble_zone:
        offset = 120
    # Header.
    titles = []
    for name, unit in units.items():
        form = {"brackets": "{} [{}]", "parentheses": "{} ({})", "comma": "{}, {}"}.get(heading, "{}")
        titles.append(form.format(name, unit))
    front = [*names, *(["Station"] if shape != "wide" else [])]
    header = [*front, "tag", "value"] if shape == "long" else [*front, *titles, *(["note"] if noted else [])]
    units_row = [""] * len(front) + [unit or "" for unit in units.values()] + ([""] if noted else [])
    lines = []
    zone_line = ["Time zone: UTC+2"] if preamble_zone else []
    if top == "preamble":
        lines += ["Export of the plant", *zone_line, ""]
    elif top in ("comments", "commented"):
        lines += ["# exported by a logger", *("# " + line for line in zone_line)]
    body = [header, *([units_row] if heading == "row" else [])]
    lines += [delimiter.join(cell(text, delimiter, always=quoted) for text in row) for row in body]
    if top == "commented":
        first = len(lines) - len(body)
        lines[first:] = ["# " + line for line in lines[first:]]
    # Rows.
    values = {}
    for i in range(count):
        wall = start + dt.timedelta(minutes=i * step)
        instant = wall - dt.timedelta(minutes=offset or 0)
        for asset in assets:
            cells = {}
            for name, _, low, high, decimals in chosen:
                number = round(float(rng.uniform(low, high)), decimals)
                if rng.random() < 0.05 and i:
                    cells[name] = missing
                else:
                    cells[name] = f"{number:.{decimals}f}".replace(".", decimal)
                    values[asset, name, instant] = number
            common = [*write(wall, instant), *([asset] if asset else [])]
            note = [NOTES[int(rng.integers(len(NOTES)))]] if noted else []
            rows = (
                [[*common, name, text] for name, text in cells.items()]
                if shape == "long"
                else [[*common, *cells.values(), *note]]
            )
            lines += [delimiter.join(cell(text, delimiter, always=quoted) for text in row) for row in rows]
    content = (ending.join(lines) + ending).encode(encoding)
    return Table(content, values, units, zone_stated=offset is not None)


def times(draw, stamp):
    """Return the offset in minutes that the file states (or None), the names of the columns and a writer of their cells."""
    if stamp == "epoch":
        factor = draw(st.sampled_from([1, 1000]))
        return 0, ["timestamp"], lambda _, instant: [str(int(instant.replace(tzinfo=dt.UTC).timestamp()) * factor)]
    if stamp == "offset":
        text, minutes = draw(st.sampled_from([("Z", 0), ("+00:00", 0), ("+01:00", 60), ("-0330", -210)]))
        return minutes, [draw(st.sampled_from(NAMED))], lambda wall, _: [wall.strftime("%Y-%m-%dT%H:%M:%S") + text]
    if stamp == "split":
        date, clock = draw(st.sampled_from(SPLIT))
        names = draw(st.sampled_from([("Date", "Time"), ("Datum", "Uhrzeit")]))
        return None, list(names), lambda wall, _: [wall.strftime(date), wall.strftime(clock)]
    form = draw(st.sampled_from(STAMPS))[0]
    name, offset = draw(st.sampled_from(ZONED)) if stamp == "zoned" else (draw(st.sampled_from(NAMED)), None)
    return offset, [name], lambda wall, _: [wall.strftime(form)]


def drafted(table):
    """Draft a table; return the open questions and the values of the whole file: (asset, signal, instant) -> value."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(table.content)
        made = draft([path], name="x")
        if not made.mappings:
            return made, None, [], {}, {}
        model, mapping = parse_model(made.model_yaml), parse_mapping(made.mappings["log"])
        check_mapping(mapping, model)
        found, units = {}, {}
        for sample in samples_of(open_source(path)):
            done = harmonise(sample, mapping, Context(model))
            for code, at, value in zip(
                done.claims.code.tolist(), done.claims.event_time.tolist(), done.claims.value.tolist(), strict=True
            ):
                series = done.claims.series[code]
                instant = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=at // 1000)
                found[series.asset, series.signal, instant] = value
                units[series.signal] = model.asset_types[series.asset_type].signals[series.signal].unit
    return made, model, open_questions(model, {"log": mapping}), found, units


@settings(max_examples=int(__import__("os").environ.get("N", "60")))
@given(tables())
def test_a_generated_table_is_read_as_it_was_written_or_asked_about(table):
    made, _, questions, found, units = drafted(table)
    paths = [question.path for question in questions]
    shown = "\n".join(
        [
            table.content[:600].decode("utf-16" if table.content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"),
            made.model_yaml,
            *made.mappings.values(),
            *made.evidence,
        ]
    )
    order = any(path.endswith("format") for path in paths)
    zone = any(path.endswith("zone") for path in paths)
    assert zone != table.zone_stated, shown
    several = len({asset for asset, _, _ in table.values}) > 1
    by_value = {}
    for (asset, signal, instant), value in found.items():
        by_value.setdefault((asset if several else "", instant), {})[signal] = value
    if order and not by_value:
        return
    expected = {}
    for (asset, name, instant), value in table.values.items():
        expected.setdefault((asset, instant), {})[name] = value
    if order and set(by_value) != set(expected):
        return  # it's asked which comes first, the day or the month
    numbers = {signal for values in by_value.values() for signal in values if signal != "note"}
    signals = {}
    for name in table.units:
        mine = {key: values[name] for key, values in expected.items() if name in values}
        alike = [s for s in numbers if {k: v[s] for k, v in by_value.items() if s in v} == mine]
        assert len(alike) == 1, f"{name}: {alike}\n{shown}"
        signals[name] = alike[0]
    for name, unit in table.units.items():
        assert units[signals[name]] == ("unknown" if unit is None else canonical_unit(unit)), f"{name}\n{shown}"
        if unit is None:
            assert any(path.endswith(f"signals.{signals[name]}.unit") for path in paths), shown
