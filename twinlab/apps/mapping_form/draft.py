"""A mapping that is being edited: its YAML text, from which form and preview are derived. No widgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dictionary
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from twinlab.apps.mapping_form.keys import with_another
from twinlab.errors import SchemaError, TwinlabError
from twinlab.languages import mark, tr
from twinlab.model.edits.yaml_edit import Path_, comment, document, drop, put, uncomment, without_comments
from twinlab.model.load import check_mapping, parse_mapping
from twinlab.model.mapping import Mapping, rules_for
from twinlab.model.twinmodel import TwinModel
from twinlab.model.units.spelling import UNKNOWN
from twinlab.model.yamltext import path_text

__all__ = ["LONG_ROLES", "ROLES", "MappingDraft", "parse_draft", "parse_missing_codes", "parse_states"]

#: Roles of a column other than a signal: value -> label.
ROLES = {"": mark("not mapped"), "=ignore": "ignore", "=time": "time", "=asset": "asset"}
LONG_ROLES = {"=tag": "tag", "=value": "value", "=unit": mark("unit of the value")}
_KEYS = {"=tag": "tag", "=value": "value", "=unit": "unit_column"}
_TIME_WAYS = (
    "column", "parts", "clock", "clock_format", "elapsed", "step", "since", "date", "date_column", "date_pattern", "after",
    "near", "plus", "plus_unit",
)  # fmt: skip
_NO_UNIT = re.compile("unit not stated", re.IGNORECASE)
_EVENT_TIMES = ("planned_start", "planned_end", "start", "end")
_DOUBT = re.compile(
    r"\?|check|confirm|stat(e|es|ed)\b|assum|guess|unset|unknown|unsure|doubt|candidate|todo", re.IGNORECASE
)


@dataclass(frozen=True)
class MappingDraft:
    """One version of the text with its data and errors; made by `parse_draft`. Each change returns a new draft."""

    text: str
    model: TwinModel
    name: str
    source: str
    data: Dictionary[str, Any] | None = None
    """Content as plain values; None while the text isn't YAML."""
    mapping: Mapping | None = None
    """The checked mapping; None while anything is wrong."""
    errors: tuple[str, ...] = ()
    """One line for each error: file, line, path, what was expected."""

    # -- reading ---------------------------------------------------------------------------------------------------
    def rule_place(self, table: str) -> int | None:
        """Return the position of the rule for a table: by its name, else by pattern, else "*"."""
        rules = self._rules()
        names = [str(rule.get("table", "*")) if isinstance(rule, dict) else "" for rule in rules]
        return next(iter(rules_for(names, table)), None)

    def rule(self, table: str) -> dict[str, Any]:
        """Return a table's rule as plain values; empty if it has none."""
        place = self.rule_place(table)
        found = self._rules()[place] if place is not None else {}
        return found if isinstance(found, dict) else {}

    def get(self, table: str, *path: str | int) -> Any:
        """Return the value at ``path`` of a table's rule; None if there is none."""
        found: Any = self.rule(table)
        for key in path:
            if isinstance(key, int):
                found = found[key] if isinstance(found, list) and key < len(found) else None
            else:
                found = found.get(key) if isinstance(found, dict) else None
        return found

    def entries(self, table: str, name: str, *, tags: bool = False) -> list[dict[str, Any]]:
        """Return the rules of a column or tag; none if one of them is no mapping, which the form can't show."""
        found = self.get(table, "tags" if tags else "columns", name)
        rules = found if isinstance(found, list) else [found]
        return rules if all(isinstance(one, dict) for one in rules) else []

    def entry(self, table: str, name: str, *, tags: bool = False, place: int = 0) -> dict[str, Any] | None:
        """Return a rule of a column or tag, the first one by default; None if there is none that the form can show."""
        found = self.entries(table, name, tags=tags)
        return found[place] if place < len(found) else None

    def entry_path(self, table: str, name: str, *, tags: bool = False, place: int = 0) -> Path_ | None:
        """Return the path of a rule of a column or tag in the document; None where `entry` is None."""
        if self.entry(table, name, tags=tags, place=place) is None:
            return None
        kind = "tags" if tags else "columns"
        return (*self.rule_path(table), *self._single(table, (kind, name, place)))

    def note(self, table: str, name: str, *, tags: bool = False) -> str:
        """Return why the form can't show a column's rule; "" if it can."""
        kind = "tags" if tags else "columns"
        found = self.get(table, kind, name)
        if found is not None and self.entry(table, name, tags=tags) is None:
            return tr("edit this rule in the YAML")
        patterns = self.get(table, kind)
        for pattern in patterns if found is None and isinstance(patterns, dict) else ():
            if len(pattern) > 2 and pattern[0] == pattern[-1] == "/" and _matches(pattern[1:-1], name):
                return tr("matched by the pattern {pattern}: edit it in the YAML", pattern=pattern)
        return ""

    def role(self, table: str, name: str, *, tags: bool = False, place: int = 0) -> str:
        """Return a column's role: "" (none), "=time", "=ignore", …, or the name of the signal of one of its rules."""
        entry = self.entry(table, name, tags=tags, place=place)
        if entry is not None:
            return str(entry.get("signal", ""))
        return "" if place else self.own_role(table, name, tags=tags)

    def own_role(self, table: str, name: str, *, tags: bool = False) -> str:
        """Return a column's role beside its signals: "" (none), "=time", "=ignore", …."""
        rule = self.rule(table)
        if name in _texts(rule.get("ignore")):
            return "=ignore"
        if tags:
            return ""
        if name in set(_time_columns(rule.get("time"))):
            return "=time"
        if self.get(table, "asset", "column") == name:
            return "=asset"
        return next((role for role, key in _KEYS.items() if rule.get(key) == name), "")

    def used(self, table: str, name: str) -> str:
        """Return which of events, assets and relationships read a column; the label of a column without another role."""
        rule = self.rule(table)
        return ", ".join(key for key in ("events", "assets", "relationships") if name in set(_leaves(rule.get(key))))

    def asset_type(self, table: str, name: str, *, tags: bool = False, place: int = 0) -> str | None:
        """Return the asset type that a column's signals are chosen from: its own, else the table's."""
        own = (self.entry(table, name, tags=tags, place=place) or {}).get("asset")
        kind = str(own).partition("/")[0] if own else self.get(table, "asset", "type")
        return kind if isinstance(kind, str) else None

    def clocks(self, table: str) -> list[Path_]:
        """Return the paths, within a table's rule, of all times that have a zone of their own (or none yet)."""
        return [path for path, rule in _clocks(self.rule(table)) if not {"zone_of", "zone_column"} & rule.keys()]

    def zone(self, table: str) -> str:
        """Return the zone of a table's clock: of its time, else of the first time of its events."""
        return next((str(self.get(table, *path).get("zone") or "") for path in self.clocks(table)), "")

    def zone_question(self, table: str) -> str:
        """Return why a person has to check the zone of a table's clock; "" if it was checked."""
        for path in self.clocks(table):
            zone = self.get(table, *path).get("zone")
            said = comment(self.text, (*self.rule_path(table), *path, "zone")) if zone else ""
            if _DOUBT.search(said) or zone in (None, "", UNKNOWN):
                return said or tr("no zone is set")
        return ""

    def error_at(self, table: str, *path: str, place: int = 0) -> str:
        """Return the errors of one value of a table's rule, and of the values within it; ``place``: in a list of rules."""
        rule = self.rule_place(table)
        if rule is None:
            return ""
        where = re.escape(path_text(("tables", rule, *path)))
        pattern = re.compile(rf"(?:^|: ){where}(?:\[{place}\]){'' if place else '?'}(?:\.\w+)*: (.*)$")
        found = (pattern.search(line) for line in self.errors)
        return "; ".join(match[1] for match in found if match)

    # -- changing --------------------------------------------------------------------------------------------------
    def with_text(self, text: str) -> MappingDraft:
        """Return this draft with another text."""
        return self if text == self.text else parse_draft(text, self.model, source=self.source, name=self.name)

    def with_value(self, table: str, path: Path_, value: object) -> MappingDraft:
        """Return this draft with a value of a table's rule set, or removed where it is None, "" or empty."""
        text, where = self._ensured(table)
        whole = (*where, *self._single(table, path))
        gone = value is None or value in ("", [], {})
        text = drop(text, whole) if gone else put(text, whole, value)
        if path[-1] == "unit" and not gone:
            text = without_comments(text, whole[:-1], _NO_UNIT)
        return self.with_text(text)

    def with_zone(self, table: str, zone: str | None) -> MappingDraft:
        """Return this draft with a zone that a person chose; it replaces a zone by asset and removes the comment that asks.

        All times of the table's rows with the same zone as the first one, including those of events, get the new zone.
        """
        old = self.zone(table)
        made = self
        for other in [key for key in ("zone_of", "zone_column", "zones") if self.get(table, "time", key) is not None]:
            made = made.with_value(table, ("time", other), None)
        for path in made.clocks(table) or [("time",)]:
            if str((made.get(table, *path) or {}).get("zone") or "") != old and path != ("time",):
                continue
            made = made.with_value(table, (*path, "zone"), zone or None)
            whole = (*made.rule_path(table), *path, "zone")
            if zone and _DOUBT.search(comment(made.text, whole)):
                made = made.with_text(uncomment(made.text, whole))
        return made

    def with_clock(self, table: str, key: str, value: object) -> MappingDraft:
        """Return this draft with a clock option set in a table's time, or in all times of its events."""
        made = self
        for path in [("time",)] if self.get(table, "time") else self.clocks(table):
            made = made.with_value(table, (*path, key), value)
        return made

    def with_another(self, table: str, name: str, signal: str, *, tags: bool = False) -> MappingDraft:
        """Return this draft with another rule for a column or tag beside those that it has; its other roles stay."""
        text, where = self._ensured(table)
        return self.with_text(with_another(text, (*where, "tags" if tags else "columns", name), {"signal": signal}))

    def with_role(self, table: str, name: str, role: str, *, tags: bool = False, place: int = 0) -> MappingDraft:
        """Return this draft with another role for a column or tag, instead of its present one, or that of one rule."""
        before = self.role(table, name, tags=tags, place=place)
        if role == before:
            return self
        kind = "tags" if tags else "columns"
        if role and not role.startswith("="):
            made = self.without_role(table, name, before) if before.startswith("=") else self
            if made.entry(table, name, tags=tags) is None:
                return made.with_value(table, (kind, name), {"signal": role})
            return made.with_value(table, (kind, name, place, "signal"), role)
        if len(self.entries(table, name, tags=tags)) > 1:
            return self.with_value(table, (kind, name, place), None)
        made = self.with_value(table, (kind, name), None)
        made = made.without_role(table, name, before)
        if role == "=ignore":
            return made.with_value(table, ("ignore",), [*_texts(made.get(table, "ignore")), name])
        if role == "=time":
            return made.with_time_way(table, "column", name)
        if role == "=asset":
            made = made.with_value(table, ("asset", "id"), None).with_value(table, ("asset", "name_of"), None)
            return made.with_value(table, ("asset", "column"), name)
        return made.with_value(table, (_KEYS[role],), name) if role in _KEYS else made

    def with_time_way(self, table: str, way: str, value: object) -> MappingDraft:
        """Return this draft with another way to compose the time, "column" or "parts"; the rest of its rule stays."""
        time = self.get(table, "time")
        old = time if isinstance(time, dict) else {}
        kept = {key: item for key, item in old.items() if key not in _TIME_WAYS}
        if all(key not in old for key in _TIME_WAYS if key != way):
            return self.with_value(table, ("time", way), value)
        made = self.with_value(table, ("time", way), value)
        for key in _TIME_WAYS:
            if key != way and key in old:
                made = made.with_value(table, ("time", key), None)
        return made if made.get(table, "time") else self.with_value(table, ("time",), {way: value, **kept})

    def without_role(self, table: str, name: str, role: str) -> MappingDraft:
        """Return this draft without a column's role."""
        if role == "=ignore":
            return self.with_value(table, ("ignore",), [x for x in _texts(self.get(table, "ignore")) if x != name])
        if role == "=time" and self.get(table, "time", "column") == name:
            return self.with_value(table, ("time", "column"), None)
        if role == "=asset":
            return self.with_value(table, ("asset", "column"), None)
        return self.with_value(table, (_KEYS[role],), None) if role in _KEYS else self

    def _rules(self) -> list[Any]:
        rules = (self.data or {}).get("tables")
        return rules if isinstance(rules, list) else []

    def rule_path(self, table: str) -> Path_:
        """Return the path of a table's rule in the document."""
        return ("tables", self.rule_place(table) or 0)

    def _ensured(self, table: str) -> tuple[str, Path_]:
        """Return the text with a rule for the table, and the rule's path."""
        place = self.rule_place(table)
        if place is not None:
            return self.text, ("tables", place)
        path: Path_ = ("tables", len(self._rules()))
        return put(self.text, path, {"table": table}), path

    def _single(self, table: str, path: Path_) -> Path_:
        """Return a path within a column's or tag's rule with its position, where they are written as a list; else without."""
        if len(path) > 2 and path[0] in ("columns", "tags"):
            place, rest = (path[2:3], path[3:]) if isinstance(path[2], int) else ((0,), path[2:])
            listed = isinstance(self.get(table, *path[:2]), list)
            return (*path[:2], *(place if listed else ()), *rest)
        return path


def parse_draft(text: str, model: TwinModel, *, source: str, name: str = "mapping.yaml") -> MappingDraft:
    """Parse a text into its data, its mapping and all of its errors.

    Parameters
    ----------
    text : str
        YAML of a mapping.
    model : TwinModel
        The twin's model: the names that the mapping may use.
    source : str
        Name of the source it must be for.
    name : str
        Name of the file, for messages.
    """
    data: Dictionary[str, Any] | None = None
    # Invalid YAML is reported by `parse_mapping`, with the file's name.
    with suppress(SchemaError):
        read = document(text).data
        data = read if isinstance(read, dict) else None
    try:
        mapping = parse_mapping(text, name)
        check_mapping(mapping, model, name)
        if mapping.source != source:
            msg = f"{name}: source: expected {source!r}, which this form is for, got {mapping.source!r}"
            raise SchemaError(msg)
    except TwinlabError as error:
        return MappingDraft(text, model, name, source, data, None, tuple(str(error).splitlines()))
    return MappingDraft(text, model, name, source, data, mapping)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _time_columns(rule: object) -> Iterator[str]:
    if isinstance(rule, dict):
        for key in ("column", "clock", "date_column", "plus"):
            if isinstance(rule.get(key), str):
                yield rule[key]
        for key in ("parts", "date"):
            if isinstance(rule.get(key), dict):
                yield from map(str, rule[key].values())


def _clocks(rule: dict[str, Any]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    if isinstance(rule.get("time"), dict):
        yield ("time",), rule["time"]
    for key, names in (("events", _EVENT_TIMES), ("relationships", ("valid_from", "valid_until"))):
        for place, entry in enumerate(rule[key] if isinstance(rule.get(key), list) else ()):
            for name in names:
                if isinstance(entry, dict) and isinstance(entry.get(name), dict):
                    yield (key, place, name), entry[name]


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value


def parse_missing_codes(text: str) -> list[float | int | str]:
    """Parse missing-value codes as a person types them; numbers become numbers.

    >>> parse_missing_codes("-9999, NA")
    [-9999, 'NA']
    """
    return [_number(part.strip()) for part in text.split(",") if part.strip()]


def _number(text: str) -> float | int | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def parse_states(text: str) -> dict[str, str]:
    """Parse states as a person types them: the source's text -> the state's name in the model.

    Raises
    ------
    SchemaError
        If a part isn't ``written = state``.

    >>> parse_states("auf = open, 0 = closed")
    {'auf': 'open', '0': 'closed'}
    """
    made: dict[str, str] = {}
    for part in text.split(","):
        written, sign, state = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (written and sign and state):
            msg = f"expected states such as '1 = open, 0 = closed', got {part.strip()!r}"
            raise SchemaError(msg)
        made[written] = state
    return made
