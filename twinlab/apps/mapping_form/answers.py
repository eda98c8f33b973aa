"""Open questions as the form asks them, and their answers as changes of the YAML texts. No widgets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from twinlab.apps.mapping_form.draft import parse_missing_codes
from twinlab.errors import UnknownTermError
from twinlab.harmonise.times.zones import MISSING, Zones, zone_name
from twinlab.languages import mark, tr
from twinlab.model.edits.yaml_edit import Path_, change, comment, document, drop, put, uncomment, value_of
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.quantities import name_parts, quantities
from twinlab.model.questions import Question, open_questions
from twinlab.model.twinmodel import TwinModel
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["MODEL_FILE", "Asked", "Choice", "answered", "asked_questions", "contradiction", "kept", "locate", "typed"]

#: The model's file, as questions name it.
MODEL_FILE = "twin.yaml"
#: Characters of a value that a button shows.
_LONGEST = 50
#: Keys whose values are lists: a choice is added.
_LISTS = ("missing", "ignore")
#: A comment beside ``unknown`` that no longer applies once the value is stated.
_UNSTATED = re.compile(r"not stated|don't fit|\bset it\b|\bcheck\b")
#: State of a signal at 1 -> its state at 0, for signals whose values are 0 and 1.
_AT_ZERO = {"on": "off", "open": "closed", "yes": "no", "fault": "ok", "true": "false", "active": "inactive"}
_FORMAT_PARTS = {
    "%d": "DD", "%m": "MM", "%b": mark("Mon"), "%B": mark("Month"), "%Y": "YYYY", "%y": "YY", "%H": "hh", "%I": "hh", "%M": "mm",
    "%S": "ss", "%f": "ffffff", "%p": "AM/PM",
}  # fmt: skip
_FIRST = {"%d": mark("day first"), "%m": mark("month first"), "%y": mark("year first"), "%Y": mark("year first")}


@dataclass(frozen=True)
class Choice:
    """A value that answers a question, with the label of its button."""

    value: str | float | bool
    label: str


@dataclass(frozen=True)
class Asked:
    """An open question with everything that the form shows of it.

    Attributes
    ----------
    question : Question
        The question; of the first place, if one answer is for several.
    places : tuple of (str, str)
        File and path of every value that the answer is written to. The unknown zones of one table are answered together,
        and so are the unknown unit of a signal and those of the columns that are mapped to it.
    choices : tuple of Choice
        The values to choose from, without the drafted one.
    keep : str
        Label of the button that accepts what was drafted; "" if the value is unknown and there is nothing to accept.
    field : str
        What can be typed instead: "unit", "zone", "list" (separated by commas), "number", "text", or "" for nothing.
    suggestions : tuple of str
        Units that fit the quantity, for the field.
    subject : str
        Name of the signal or column that a question about a unit is about; "" for other questions.
    value : str
        The value that is written now; "" if it is unknown or isn't written.
    wider : tuple of (str, str)
        Places of the same question in the other tables of the source, which one answer can be for as well.
    """

    question: Question
    places: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...] = ()
    keep: str = ""
    field: str = ""
    suggestions: tuple[str, ...] = ()
    subject: str = ""
    value: str = ""
    wider: tuple[tuple[str, str], ...] = ()


#: Counts, ratios and scores have no unit.
_NO_UNIT = Choice("1", mark("no unit (1)"))
#: For a signal with the values 0 and 1.
_NUMBER = Choice("gauge", mark("numbers, no states"))
#: Takes numbers off a list of `missing`, or texts, which can't be read as numbers or times.
_AS_VALUES = Choice("=values", mark("Not missing: keep as values"))
_REPORTED = Choice("=values", mark("Not missing: report these rows"))
#: Removes the key that was drafted.
_LEFT_OUT = Choice("=none", mark("No: leave it out"))
_DRAFTED_KEY = re.compile(r"\.(lifetime\.(from|until)|expected_span\.from)")
#: Units of a duration.
_DURATIONS = tuple(Choice(unit, unit) for unit in ("s", "min", "h", "d"))


def asked_questions(files: Mapping[str, str], model: TwinModel, mapping: SourceMapping) -> list[Asked]:
    """Return the open questions of a model and a mapping, as the form asks them.

    Parameters
    ----------
    files : mapping of str to str
        Texts of ``twin.yaml`` and ``mapping/SOURCE.yaml``, which ``model`` and ``mapping`` were read from.
    model : TwinModel
        The twin's model.
    mapping : Mapping
        The source's mapping.
    """
    made: dict[object, Asked] = {}
    for place, question in enumerate(open_questions(model, {mapping.source: mapping})):
        data = document(files[question.file]).data
        one = _asked(question, data)
        table = re.match(r"tables\[\d+\]", question.path)
        key: object = place
        if one.field == "zone" and table:
            # The clocks of a table are one clock, whatever is known about each of its times.
            key = (question.file, table[0], question.ask, one.value)
        elif one.field == "unit" and question.file == MODEL_FILE:
            key = question.path
        elif one.field == "unit":
            key = _signal_unit(data, locate(data, question.path) or ()) or place
        before = made.get(key)
        made[key] = one if before is None else _joined(before, one)
        if before is not None and before.choices == (_NO_UNIT,):
            made[key] = replace(made[key], choices=one.choices, suggestions=one.suggestions)
    return _with_wider(made)


def _joined(before: Asked, one: Asked) -> Asked:
    """Return one question for the places of both, with the evidence of both."""
    first, other = before.question, one.question
    evidence = "; ".join(dict.fromkeys(text for text in (first.evidence, other.evidence) if text))
    times = tuple(dict.fromkeys((*first.times, *other.times)))
    choices = before.choices
    if one.field == "zone":
        choices = tuple(sorted(dict.fromkeys((*choices, *one.choices)), key=lambda choice: choice.value == "UTC"))
    return replace(
        before,
        question=replace(first, evidence=evidence, times=times),
        places=(*before.places, *one.places),
        choices=choices,
    )


def _with_wider(made: Mapping[object, Asked]) -> list[Asked]:
    """Return the questions; those about the zones of tables with the same question in other tables."""
    groups: dict[object, list[Asked]] = {}
    for key, one in made.items():
        if isinstance(key, tuple):
            groups.setdefault((key[0], *key[2:]), []).append(one)
    wider = {
        id(one): tuple(place for other in group if other is not one for place in other.places)
        for group in groups.values()
        for one in group
    }
    return [replace(one, wider=wider.get(id(one), ())) for one in made.values()]


def contradiction(asked: Asked, zone: str) -> str:
    """Return which of the local times in the data doesn't exist in a zone; "" if all do, or the zone isn't known.

    >>> question = Question("a.yaml", "zone", "In which zone?", times=("2026-03-29T01:30",))
    >>> contradiction(Asked(question, ()), "Europe/London"), contradiction(Asked(question, ()), "Europe/Berlin")
    ('2026-03-29 01:30', '')
    """
    times = np.array(asked.question.times, "M8[ns]").astype(np.int64)
    if zone in ("", "offset", UNKNOWN) or not len(times):
        return ""
    try:
        found = Zones([zone_name(zone)]).lookup(times)
    except UnknownTermError:
        return ""
    absent = np.flatnonzero(found.kind == MISSING)
    return asked.question.times[absent[0]].replace("T", " ") if len(absent) else ""


def answered(files: Mapping[str, str], asked: Asked, value: object) -> dict[str, str]:
    """Return the files' texts with a question's answer: the value at its places, and no entry that is open in spite of it.

    Raises
    ------
    SchemaError
        If a text isn't YAML.
    """
    made = dict(files)
    for file, at in asked.places:
        made[file] = _with_answer(made[file], at, value, asked.question)
    for file, at in asked.places:
        question = replace(asked.question, file=file, path=at)
        entry = _entry(document(made[file]).data, question)
        if entry is not None and entry[1].get("drafted") in (None, value):
            made[file] = _without_entry(made[file], question)
    return made


def _with_answer(text: str, at: str, value: object, question: Question) -> str:
    path = locate(document(text).data, at)
    if path is None:
        return text
    if at.endswith(".states.1") and value == _NUMBER.value:
        return _as_gauge(text, path[:-2])
    before = value_of(document(text).data, path)
    if value == _LEFT_OUT.value:
        text = drop(text, path)
        return text if value_of(document(text).data, path[:-1]) else drop(text, path[:-1])
    if path[-1] == "missing" and value == _AS_VALUES.value:
        left = [one for one in before or [] if one not in _asked_codes(question, before)]
        return change(text, path, left) if left else drop(text, path)
    if str(path[-1]).endswith("format") and isinstance(value, str) and " | " in value:
        value = value.split(" | ")
    if isinstance(before, dict):
        path, before = (*path, "unit"), before.get("unit")
    if path[-1] in _LISTS and not isinstance(value, list):
        value = [*(before if isinstance(before, list) else ()), value]
    text = put(text, path, value)
    if before == UNKNOWN and _UNSTATED.search(comment(text, path)):
        text = uncomment(text, path)
    zero = _AT_ZERO.get(str(value).casefold())
    if zero is not None and at.endswith(".states.1"):
        other = locate(document(text).data, f"{at[:-1]}0")
        text = put(text, other, zero) if other is not None and value_of(document(text).data, other) == "0" else text
    return text


def _as_gauge(text: str, signal: Path_) -> str:
    """Return the model's text with a state signal of 0 and 1 as a gauge, whose unit is then a question."""
    text = uncomment(put(text, (*signal, "kind"), "gauge"), (*signal, "kind"))
    text = drop(text, (*signal, "states"))
    return put(put(text, (*signal, "unit"), UNKNOWN), (*signal, "resolution"), 1)


def kept(files: Mapping[str, str], asked: Asked) -> dict[str, str]:
    """Return the files' texts without the entries of a question; the last entry goes with its section."""
    made = dict(files)
    for file, at in asked.places:
        made[file] = _without_entry(made[file], replace(asked.question, file=file, path=at))
    return made


def _without_entry(text: str, question: Question) -> str:
    data = document(text).data
    entry = _entry(data, question)
    if entry is None or not isinstance(data, dict):
        return text
    return drop(text, ("questions",) if len(data["questions"]) == 1 else ("questions", entry[0]))


def _asked_codes(question: Question, codes: object) -> list[object]:
    """Return the codes of a list that a question is about: those that it names, else all."""
    listed = codes if isinstance(codes, list) else []
    said = f"{question.ask} {question.evidence}"
    return [one for one in listed if re.search(rf"(?<![\w.-]){re.escape(repr(one))}(?![\w.])", said)] or listed


def typed(asked: Asked, text: str) -> object:
    """Return what a person typed as the value to write: a list, a number where a number is written, else the text.

    >>> typed(Asked(Question("twin.yaml", "a", "?"), (), field="list"), "-9999, NA")
    [-9999, 'NA']
    """
    if asked.field == "list":
        return parse_missing_codes(text)
    text = text.strip()
    return next(iter(parse_missing_codes(text)), text) if asked.field == "number" else text


def locate(data: object, at: str) -> Path_ | None:
    """Return the path that a question names, as keys of the document; None if its parts aren't there.

    The only rule of a column or tag may be written in a list. The last part may be missing: it is the one to be added.

    >>> locate({"columns": {"a.b": [{"signal": "t"}]}}, "columns.a.b.unit")
    ('columns', 'a.b', 0, 'unit')
    """
    for add in (False, True):
        found = next(_located(data, at, (), add=add), None)
        if found is not None:
            return found
    return None


def _located(node: object, rest: str, path: Path_, *, add: bool) -> Iterator[Path_]:
    if not rest:
        yield path
    elif isinstance(node, list):
        index = re.match(r"\[(\d+)\]\.?", rest)
        if index is not None and int(index[1]) < len(node):
            yield from _located(node[int(index[1])], rest[index.end() :], (*path, int(index[1])), add=add)
        elif len(node) == 1 and len(path) > 1 and path[-2] in ("columns", "tags"):
            yield from _located(node[0], rest, (*path, 0), add=add)
    elif isinstance(node, dict):
        # Names of columns may contain dots and brackets: the longest that fits first.
        for key in sorted(node, key=lambda one: -len(str(one))):
            after = rest[len(str(key)) :]
            if rest.startswith(str(key)) and (not after or after[0] in ".["):
                yield from _located(node[key], after.removeprefix("."), (*path, key), add=add)
        if add and re.fullmatch(r"\w+", rest):
            yield (*path, rest)


def _asked(question: Question, data: object) -> Asked:
    path = locate(data, question.path)
    value = None if path is None else value_of(data, path)
    found = _entry(data, question)
    rule = found[1] if found is not None else {}
    key = question.path.rpartition(".")[2]
    here = ((question.file, question.path),)
    written = "" if value in (None, UNKNOWN) or isinstance(value, dict) else _shown(value)
    if value == UNKNOWN and key == "unit":
        fitting = _fitting_units(data, path or ())
        values = question.choices or fitting
        choices = tuple(Choice(unit, unit) for unit in values if unit != "1")
        suggestions = tuple(dict.fromkeys((*values, *fitting)))
        named = next((str(part) for part in reversed((path or ())[:-1]) if isinstance(part, str)), "")
        return Asked(question, here, (*choices, _NO_UNIT), field="unit", suggestions=suggestions, subject=named)
    if value == UNKNOWN and key == "zone":
        values = tuple(dict.fromkeys((*question.choices, "UTC")))
        return Asked(question, here, tuple(Choice(zone, zone) for zone in values), field="zone")
    drafted = rule.get("drafted")
    listed = rule.get("choices")
    choices = tuple(
        Choice(one, _label(key, one)) for one in (listed if isinstance(listed, list) else ()) if one != drafted
    )
    if question.path.endswith(".states.1"):
        choices = (*choices, _NUMBER)
    if key == "missing":
        texts = any(isinstance(one, str) for one in _asked_codes(question, value))
        choices = (*choices, _REPORTED if texts else _AS_VALUES)
    if key in ("duration", "planned_duration") and isinstance(value, dict):
        choices = _DURATIONS
    if _DRAFTED_KEY.search(question.path):
        choices = (*choices, _LEFT_OUT)
    if key == "ignore":
        return Asked(question, here, choices, tr("Leave it out"))
    accepted = _label(key, drafted) if drafted is not None else written if isinstance(value, list) else ""
    keep = tr("Keep {accepted}", accepted=accepted) if 0 < len(accepted) <= _LONGEST else tr("Keep as drafted")
    return Asked(question, here, choices, keep, _field(key, value, path), value=written)


def _field(key: str, value: object, path: Path_ | None) -> str:
    """Return what can be typed for a value of this kind."""
    if path is None or key == "ignore" or isinstance(value, dict):
        return ""
    if key in ("unit", "zone"):
        return key
    if isinstance(value, list) or key == "missing":
        return "list"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else "text"


def _fitting_units(data: object, path: Path_) -> tuple[str, ...]:
    """Return the units of the quantity that a signal or column is named after; none if it isn't known."""
    rule = value_of(data, path[:-1])
    title = rule.get("title") if isinstance(rule, dict) else None
    names = (title, *(part for part in path[-3:-1] if isinstance(part, str)))
    found = (name_parts(str(name)).quantity for name in names if name)
    quantity = next((quantities()[one] for one in found if one is not None), None)
    return tuple(quantity.units) if quantity is not None else ()


def _signal_unit(data: object, path: Path_) -> str | None:
    """Return the place of the unit in the model of the signal that a column or tag is mapped to."""
    rule = value_of(data, path[:-1])
    signal, own = (rule.get("signal"), rule.get("asset")) if isinstance(rule, dict) else (None, None)
    kind = str(own).partition("/")[0] if own else value_of(data, (*path[:2], "asset", "type"))
    return f"asset_types.{kind}.signals.{signal}.unit" if signal and kind else None


def _label(key: str, value: object) -> str:
    """Return a choice as its button shows it; orders of day and month in letters.

    >>> _label("format", "%d/%m/%y %H")
    'DD/MM/YY hh (day first)'
    """
    text = str(value)
    if not key.endswith("format") or "%" not in text:
        return {"True": "true", "False": "false"}.get(text, text)
    order = next((said for part in re.findall(r"%[a-zA-Z]", text) if (said := _FIRST.get(part))), "")
    for part, letters in _FORMAT_PARTS.items():
        text = text.replace(part, letters)
    return f"{text} ({order})" if order else text


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _entry(data: object, question: Question) -> tuple[int, dict[str, Any]] | None:
    """Return position and content of a question's entry under ``questions:``."""
    rules: Sequence[object] = data.get("questions") or () if isinstance(data, dict) else ()
    entries = [(place, rule) for place, rule in enumerate(rules) if isinstance(rule, dict)]
    same = [(place, rule) for place, rule in entries if rule.get("at") == question.path]
    return next((one for one in same if one[1].get("ask") == question.ask), None)
