"""Time rules as lines of YAML, with the questions that they leave open."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.questions import QuestionPlan
from twinlab.harmonise.drafting.times.changes import clock_changes
from twinlab.harmonise.drafting.times.columns import TimeColumn
from twinlab.harmonise.drafting.times.zones import StatedZone
from twinlab.harmonise.drafting.yaml_text import comment, flow, quoted

__all__ = ["clock_lines", "duration_line", "property_line", "time_lines"]

_NO_ZONE = "zone: unknown  # not stated in the file: set it, for example Europe/Berlin; until then it is read as UTC"


def time_lines(
    time: TimeColumn, profiles: Mapping[str, Profile], *, indent: str, at: str
) -> tuple[list[str], list[QuestionPlan]]:
    """Return the lines of a time rule, and its questions; ``at`` is the rule's path in the mapping."""
    noted = next((key for key in ("format", "parts", "elapsed", "clock") if key in time.rule), "")
    lines = [
        f"{indent}{key}: {_value(value)}{comment(time.note) if key == noted else ''}"
        for key, value in time.rule.items()
    ]
    lines += _missing_line(time.columns, profiles, indent, words=time.words)
    questions = [
        QuestionPlan(
            f"{at}.{one.key}", one.ask, one.evidence, one.choices, drafted=_drafted(time.rule.get(one.key), one.choices)
        )
        for one in time.asked
    ]
    questions += _words_question(time, at)
    counted = str(time.rule.get("format", "")).startswith("epoch")
    if counted:
        return [*lines, f"{indent}zone: UTC  # counted from 1970 in UTC"], questions
    if time.fixed:
        return [*lines, f"{indent}zone: offset  # every value has its own offset"], questions
    if time.zone is None:
        return [*lines, indent + _NO_ZONE], [*questions, *_unknown_zone(time, at)]
    return [*lines, *_zone_lines(time.zone, indent)], [*questions, *_zone_questions(time.zone, at)]


def _drafted(value: object, choices: Sequence[str]) -> str | None:
    # A list of formats is no single value to compare with: its question is open until it is removed.
    return value if isinstance(value, str) and choices else None


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{part}: {quoted(name)}' for part, name in value.items())}}}"
    return flow(value) if isinstance(value, list) else quoted(str(value))


def _zone_lines(zone: StatedZone, indent: str) -> list[str]:
    if not zone.column:
        return [f"{indent}zone: {quoted(zone.zone)}{comment(zone.note)}"]
    codes = ", ".join(f"{quoted(code)}: {quoted(name)}" for code, name in zone.zones.items())
    lines = [f"{indent}zone_column: {quoted(zone.column)}{comment(zone.note)}"]
    return [*lines, f"{indent}zones: {{{codes}}}"] if codes else lines


def _unknown_zone(time: TimeColumn, at: str) -> list[QuestionPlan]:
    """Return the question of a zone with what the times show about it; without evidence, ``unknown`` is the question."""
    if "elapsed" in time.rule:
        return []
    found = clock_changes(time.wall)
    if not found.evidence:
        return []
    ask = "In which zone does this clock run?"
    return [QuestionPlan(f"{at}.zone", ask, found.evidence, found.fitting, drafted="unknown", times=found.times)]


def _zone_questions(zone: StatedZone, at: str) -> list[QuestionPlan]:
    found = []
    for code, civil in zone.doubts.items():
        drafted = zone.zones[code] if zone.column else zone.zone
        ask = f"Is this clock at {drafted} all year, or is it the civil time of {civil}?"
        path = f"{at}.zones.{code}" if zone.column else f"{at}.zone"
        evidence = f"every row of {zone.column!r} says {code!r}" if zone.column else zone.note
        found.append(QuestionPlan(path, ask, evidence, (drafted, civil), drafted=drafted))
    return found


def _words_question(time: TimeColumn, at: str) -> list[QuestionPlan]:
    if not time.words:
        return []
    ask = f"Do these texts among the times of {time.name!r} mean that there is no time?"
    counts = ", ".join(f"{word!r} in {rows} rows" for word, rows in time.words.items())
    return [QuestionPlan(f"{at}.missing", ask, counts)]


def clock_lines(
    role: str,
    column: str,
    *,
    roles: Collection[str],
    parts: Mapping[str, str],
    profiles: Mapping[str, Profile],
    day: TimeColumn | None = None,
) -> tuple[list[str], set[str]]:
    """Return the lines of an event's time that is a clock time, and the columns whose meaning they give.

    The day of the first time is given by ``day``, or by columns of year, month and day; the other times are near or after it.
    """
    indent, columns, used = 10 * " ", [column], {column}
    lines = [f"{indent}clock: {quoted(column)}  # clock times such as 517 for 05:17"]
    first = "planned_start" if "planned_start" in roles else "start"
    if role == first and day is not None:
        used |= set(day.columns)
        lines += [f"{indent}date_column: {quoted(day.name)}", f"{indent}format: {_value(day.rule['format'])}"]
    elif role == first:
        date = {part: parts[part] for part in ("year", "month", "day")}
        used |= set(date.values())
        lines.append(f"{indent}date: {_value(date)}")
    elif role == "start":
        lines.append(f"{indent}near: {first}")
        head = re.split(r"[_\s]", spaced(column))[0].casefold()
        delay = [
            name
            for name, profile in profiles.items()
            if profile.kind == "number" and re.search(r"(?i)delay|late", name) and name.casefold().startswith(head)
        ]
        lines += [f"{indent}plus: {quoted(delay[0])}  # read as minutes"] if delay else []
        columns += delay[:1]
    else:
        lines.append(f"{indent}after: {'start' if role == 'end' and 'start' in roles else first}")
    return [*lines, *_missing_line(columns, profiles, indent), indent + _NO_ZONE], used


def duration_line(profile: Profile, *, indent: str, at: str) -> tuple[str, list[QuestionPlan]]:
    """Return the line of an event's duration, and the question of its unit if nothing states it."""
    unit = profile.unit.unit if profile.unit.unit in ("ms", "s", "min", "h", "d") else None
    parts = [f"column: {quoted(profile.name)}"]
    parts += [f"unit: {unit}"] if unit else []
    parts += [f"missing: {flow(profile.missing)}"] if profile.missing else []
    line = f"{indent}duration: {{{', '.join(parts)}}}"
    if unit or profile.kind == "text":
        return line, []
    evidence = f"values {profile.low:g}..{profile.high:g}; add its unit, such as unit: min, and remove this question"
    return f"{line}  # unit not stated", [QuestionPlan(at, "In which unit is this duration?", evidence)]


def _missing_line(
    columns: Sequence[str], profiles: Mapping[str, Profile], indent: str, *, words: Mapping[str, int] | None = None
) -> list[str]:
    """Return the line of texts and codes that mean "no time"; none if there are none."""
    found = _missing(columns, profiles, words or {})
    if not found:
        return []
    counts = "".join(f", {word!r} in {rows} rows" for word, rows in (words or {}).items())
    return [f"{indent}missing: {flow(found)}{comment('texts and codes that are no time' + counts)}"]


def _missing(columns: Sequence[str], profiles: Mapping[str, Profile], words: Mapping[str, int]) -> list[float | str]:
    codes = [code for name in columns for code in profiles[name].missing]
    found = {str(code): code for code in (*codes, *words)}
    return [found[key] for key in sorted(found)]


def property_line(
    term: str, time: TimeColumn, profiles: Mapping[str, Profile], *, indent: str, at: str
) -> tuple[str, list[QuestionPlan]]:
    """Return the line of a property that is a time, and its questions; ``at`` is the path of the properties.

    A date without a clock needs no zone: it stays the same day.
    """
    parts = [f"column: {quoted(time.name)}"]
    form = time.rule.get("format", "iso")
    parts += [] if form == "iso" else [f"format: {_value(form)}"]
    missing = _missing(time.columns, profiles, time.words)
    parts += [f"missing: {flow(missing)}"] if missing else []
    zone = "" if time.fixed or time.is_date else "unknown" if time.zone is None or time.zone.column else time.zone.zone
    parts += [f"zone: {quoted(zone)}"] if zone else []
    questions = [
        QuestionPlan(f"{at}.{term}.{one.key}", one.ask, one.evidence, one.choices, drafted=_drafted(form, one.choices))
        for one in time.asked
        if one.key == "format"
    ]
    questions += _words_question(time, f"{at}.{term}")
    note = comment("; ".join(f"{word!r} in {rows} rows" for word, rows in time.words.items())) if time.words else ""
    value = quoted(time.name) if len(parts) == 1 else "{" + ", ".join(parts) + "}"
    return f"{indent}{term}: {value}{note}", questions
