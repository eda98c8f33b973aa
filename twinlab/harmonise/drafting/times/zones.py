"""Zones that a source states: in a header, in lines above the table, in a column of codes, or after each value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.samples import Sample
from twinlab.harmonise.times.zones import available_zones
from twinlab.model.time_rule import fixed_offset
from twinlab.sources.loggers.base import HEAD_BYTES, first_lines
from twinlab.sources.opening import open_bytes, read_some

__all__ = ["StatedZone", "lines_above", "zone_column", "zone_in_header", "zone_in_preamble", "zone_in_values"]

#: Abbreviation -> (offset, a civil zone in which the clock changes, or in which the abbreviation is used all year).
_CODES: dict[str, tuple[str, str]] = {
    "UTC": ("UTC", ""), "GMT": ("UTC", "Europe/London"), "Z": ("UTC", ""),
    "EST": ("-05:00", "America/New_York"), "EDT": ("-04:00", "America/New_York"),
    "CST": ("-06:00", "America/Chicago"), "CDT": ("-05:00", "America/Chicago"),
    "MST": ("-07:00", "America/Denver"), "MDT": ("-06:00", "America/Denver"),
    "PST": ("-08:00", "America/Los_Angeles"), "PDT": ("-07:00", "America/Los_Angeles"),
    "AKST": ("-09:00", "America/Anchorage"), "AKDT": ("-08:00", "America/Anchorage"),
    "AST": ("-04:00", "America/Halifax"), "ADT": ("-03:00", "America/Halifax"),
    "HST": ("-10:00", "Pacific/Honolulu"),
    "CET": ("+01:00", "Europe/Berlin"), "CEST": ("+02:00", "Europe/Berlin"),
    "MEZ": ("+01:00", "Europe/Berlin"), "MESZ": ("+02:00", "Europe/Berlin"),
    "WET": ("+00:00", "Europe/Lisbon"), "WEST": ("+01:00", "Europe/Lisbon"),
    "EET": ("+02:00", "Europe/Helsinki"), "EEST": ("+03:00", "Europe/Helsinki"),
    "BST": ("+01:00", "Europe/London"), "MSK": ("+03:00", "Europe/Moscow"), "IST": ("+05:30", "Asia/Kolkata"),
    "JST": ("+09:00", "Asia/Tokyo"), "KST": ("+09:00", "Asia/Seoul"), "SGT": ("+08:00", "Asia/Singapore"),
    "SAST": ("+02:00", "Africa/Johannesburg"), "AWST": ("+08:00", "Australia/Perth"),
    "AEST": ("+10:00", "Australia/Sydney"), "AEDT": ("+11:00", "Australia/Sydney"),
    "NZST": ("+12:00", "Pacific/Auckland"), "NZDT": ("+13:00", "Pacific/Auckland"),
}  # fmt: skip
_TEXT_FILES = frozenset({".csv", ".tsv", ".txt", ".dat", ".asc", ".prn", ".log", ".rdb", ".tab"})
_SUMMER = frozenset({"EDT", "CDT", "MDT", "PDT", "AKDT", "ADT", "CEST", "MESZ", "WEST", "EEST", "BST", "AEDT", "NZDT"})
#: Zones whose clocks never change: stated by their abbreviation, they leave no question.
_NEVER_CHANGE = frozenset({"HST", "JST", "KST", "SGT", "SAST", "AWST", "MSK"})
_OFFSET = r"(?:(?:UTC|GMT)\s*[+\-\u2212]\d{1,2}(?::?\d\d)?|[+\-\u2212]\d{1,2}:\d\d)(?!\d)"
_IANA = r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[A-Za-z_/+\-0-9]+"
_ABBREVIATION = "|".join(sorted(_CODES, key=len, reverse=True))
# Case matters for abbreviations: "ist", "est" and "west" are words.
_IN_HEADER = re.compile(
    rf"(?:^|[\s,(\[_;/|]){{1}}(?P<zone>{_OFFSET}|{_IANA}|(?:{_ABBREVIATION})|utc|gmt)(?=$|[\s,)\]_;|])"
)
_IN_PREAMBLE = re.compile(
    rf"(?:time\s*-?zone|zeitzone|fuseau(?: horaire)?|zona horaria|fuso orario|utc[ _-]?offset|\btz)\b[^A-Za-z0-9+\-\u2212]{{1,12}}"
    rf"(?P<zone>{_OFFSET}|{_IANA}|(?:{_ABBREVIATION}))(?=$|[^A-Za-z0-9])",
    re.IGNORECASE,
)
_COLUMN = re.compile(
    r"(^|[\s_.])(tz|tz_?cd|time_?\s?zone|zone|timezone|zeitzone|utc[_\s]?offset|offset)($|[\s_.])", re.IGNORECASE
)


@dataclass(frozen=True)
class StatedZone:
    """A zone that the source states, as the keys of a time rule."""

    # IANA zone or fixed offset; "" if `column` states it row by row.
    zone: str
    # Where it was found, as a comment.
    note: str
    column: str = ""
    # Codes in the column -> zone.
    zones: Mapping[str, str] = field(default_factory=dict)
    # What is open: the code (or "" for `zone`) -> the civil zone that it could mean as well.
    doubts: Mapping[str, str] = field(default_factory=dict)


def zone_in_header(name: str) -> StatedZone | None:
    """Return the zone that a column's name states.

    >>> zone_in_header("Date Time, GMT-05:00").zone, zone_in_header("Time (UTC)").zone, zone_in_header("Departure time")
    ('-05:00', 'UTC', None)
    """
    match = _IN_HEADER.search(name)
    return None if match is None else _stated(match["zone"], f"stated in the header {name!r}")


def lines_above(path: Path, samples: Sequence[Sample]) -> list[str]:
    """Return the lines of a text file above the first row of its table; none for other files."""
    if len(samples) != 1 or path.suffix.lower() not in _TEXT_FILES or not len(samples[0].numbers):
        return []
    above = min(int(samples[0].numbers[0]) - 1, 100)
    with open_bytes(path) as stream:
        return first_lines(read_some(stream, HEAD_BYTES, path))[:above]


def zone_in_preamble(lines: Iterable[str]) -> StatedZone | None:
    """Return the zone that the lines above a table state after a word such as "time zone"; None if they name several.

    >>> zone_in_preamble(["# Station 7", "# Time zone: UTC+1"]).zone
    '+01:00'
    """
    found: dict[str, StatedZone] = {}
    for line in lines:
        for match in _IN_PREAMBLE.finditer(line):
            stated = _stated(match["zone"], f"stated above the table: {' '.join(line.split())[:80]!r}")
            if stated is not None:
                found.setdefault(stated.zone, stated)
    return next(iter(found.values())) if len(found) == 1 else None


def zone_in_values(suffixes: set[str]) -> StatedZone | None:
    """Return the zone that follows every value; None if there is none, or several."""
    if len(suffixes) != 1:
        return None
    return _stated(next(iter(suffixes)), "written after every value")


def zone_column(profiles: Mapping[str, Profile], *, taken: set[str]) -> StatedZone | None:
    """Return the column whose texts are zones, with the meaning of its codes."""
    for name, profile in profiles.items():
        named = _COLUMN.search(name) is not None
        if name in taken or not profile.terms or profile.distinct > 40 or not profile.filled:
            continue
        if profile.kind == "number" and not (
            named and re.search(r"offset|utc|tz", name, re.IGNORECASE) and profile.whole
        ):
            continue
        if profile.kind not in ("text", "number") or (not named and set(profile.terms) <= {"Z"}):
            continue
        meaning = {term: _meaning(term, number=profile.kind == "number") for term in profile.terms}
        if any(zone is None for zone in meaning.values()):
            continue
        codes = set(profile.terms)
        doubts = {code: _CODES[code][1] for code in sorted(codes) if _doubtful(code, codes)}
        # Codes that explain themselves need no entry.
        zones = {
            code: zone for code, zone in meaning.items() if zone is not None and not (zone == code or _plain(code))
        }
        return StatedZone("", f"each row states its zone in {name!r}", name, zones, doubts)
    return None


def _plain(code: str) -> bool:
    return code.casefold() in ("z", "utc", "gmt") or "/" in code or fixed_offset(code) is not None


def _meaning(code: str, *, number: bool) -> str | None:
    if number:
        hours = int(code)
        return f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00" if abs(hours) <= 14 else None
    if code in _CODES:
        return _CODES[code][0]
    seconds = fixed_offset(code)
    if seconds is not None:
        return _offset_text(seconds)
    return code if "/" in code and code in available_zones() else None


def _doubtful(code: str, together: set[str]) -> bool:
    """Whether a code for standard time could mean a civil clock, because no code for summer time is beside it."""
    return (
        code in _CODES
        and bool(_CODES[code][1])
        and code not in _NEVER_CHANGE
        and code != "GMT"
        and not together & _SUMMER
    )


def _stated(text: str, note: str) -> StatedZone | None:
    code = text.strip()
    if code.upper() in ("UTC", "GMT", "Z"):
        return StatedZone("UTC", note)
    seconds = fixed_offset(code)
    if seconds is not None:
        return StatedZone(_offset_text(seconds), note)
    if "/" in code:
        return StatedZone(code, note) if code in available_zones() else None
    known = _CODES.get(code.upper())
    if known is None:
        return None
    doubts = {"": known[1]} if _doubtful(code.upper(), {code.upper()}) or code.upper() in _SUMMER else {}
    return StatedZone(known[0], note, doubts=doubts)


def _offset_text(seconds: int) -> str:
    if seconds == 0:
        return "UTC"
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
