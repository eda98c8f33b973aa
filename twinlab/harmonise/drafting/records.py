"""Lines of YAML for the rows of a table that are records: events, and assets with properties."""

from __future__ import annotations

import re

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import Ints
from twinlab.harmonise.drafting.columns import in_degrees
from twinlab.harmonise.drafting.kinds.lifetimes import lifetime_question
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.model import EventPlan, ModelPlan, PropertyPlan
from twinlab.harmonise.drafting.plans.plan import TablePlan
from twinlab.harmonise.drafting.profiles import Profile, name_of
from twinlab.harmonise.drafting.questions import QuestionPlan
from twinlab.harmonise.drafting.signals import words_note
from twinlab.harmonise.drafting.tables import type_of
from twinlab.harmonise.drafting.times.columns import TimeColumn
from twinlab.harmonise.drafting.times.lines import clock_lines, duration_line, property_line, time_lines
from twinlab.harmonise.drafting.yaml_text import flow, quoted, unique
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.units import canonical_unit

__all__ = ["RecordLines"]


#: Columns of ids that say of what: "machine_id".
_ID_OF = re.compile(r"[^\W_]_(id|code|name|key)$", re.IGNORECASE)
#: Names of tables that say nothing about their rows.
_GENERIC = frozenset(["asset", "metadata", "meta", "info", "list", "master", "attribute", "overview", "description"])


class RecordLines:
    """Lines of YAML for the records of one table of the mapping."""

    def __init__(self, source: str, plan: TablePlan, model: ModelPlan, path: str) -> None:
        self.source, self.plan, self.model, self.path = source, plan, model, path
        self.questions: list[QuestionPlan] = []
        self.rows = Rows(plan.sample)
        self.used: set[str] = set()
        # Column -> why it is ignored.
        self.notes: dict[str, str] = {}
        self._known_cadence: tuple[str, str] | None = None

    def _time_lines(self, time: TimeColumn, indent: str, at: str = "time") -> list[str]:
        self.used |= set(time.columns)
        if time.zone is not None and time.zone.column:
            self.used.add(time.zone.column)
        lines, questions = time_lines(time, self.plan.profiles, indent=indent, at=f"{self.path}.{at}")
        self.questions += questions
        return lines

    def _groups(self, *columns: str | None) -> Ints:
        groups = np.zeros(self.rows.count, dtype=np.int64)
        for column in columns:
            if column is not None:
                codes, terms = encode(self.rows.texts(column))
                groups = groups * (len(terms) + 1) + codes
        return groups

    def _ask_words(self, profile: Profile, at: str) -> None:
        """Ask whether the words among a column's numbers mean that there is no value."""
        if profile.words and profile.kind == "number":
            ask = f"Do these texts among the numbers of {profile.name!r} mean that there is no value?"
            self.questions.append(QuestionPlan(f"{self.path}.{at}.missing", ask, words_note(profile)))

    def _properties(
        self, skip: set[str], at: str, *, reserved_as: str = ""
    ) -> tuple[dict[str, PropertyPlan], list[str]]:
        """Return the other columns as properties; ``reserved_as`` is put before names of an event's own columns."""
        found: dict[str, PropertyPlan] = {}
        lines: list[str] = []
        for name, profile in {**self.plan.profiles, **in_degrees(self.plan.profiles)}.items():
            if name in skip or profile.kind == "empty":
                continue
            term = name_of(profile.unit.stem or name)
            term = unique(f"{reserved_as}_{term}" if reserved_as and term in EVENT_COLUMNS else term, found)
            unit = canonical_unit(profile.unit.unit) if profile.unit.unit else None
            dtype = {"text": "text", "bool": "boolean", "time": "time"}.get(
                profile.kind, "integer" if profile.whole and unit is None else "number"
            )
            note = profile.unit.evidence if profile.kind == "number" else ""
            span = (profile.low, profile.high) if profile.kind == "number" else None
            found[term] = PropertyPlan(dtype, unit, note, name, span)
            self.used.add(name)
            parts = [f"column: {quoted(name)}"]
            parts += [f"unit: {quoted(profile.unit.unit)}"] if profile.unit.unit else []
            no_values = profile.no_values if profile.kind == "number" else profile.missing
            parts += [f"missing: {flow(no_values)}"] if no_values else []
            self._ask_words(profile, f"{at}.properties.{term}")
            lines.append(
                f"          {term}: {{{', '.join(parts)}}}" if len(parts) > 1 else f"          {term}: {quoted(name)}"
            )
        return found, ["        properties:", *lines] if lines else []

    def _assets(self) -> list[str]:
        key = self.plan.key[0]
        self.used.add(key)
        table, column = type_of(self.plan.sample.record_type), type_of(spaced(key))
        by_column = column != "asset" and (_ID_OF.search(spaced(key)) is not None or table in _GENERIC)
        kind = column if by_column else table
        asset = self.model.asset(kind, f"named after the {'column' if by_column else 'table'}")
        asset.ids |= set(self.plan.profiles[key].terms)
        properties, lines = self._properties({key, *self.plan.times.columns}, "assets[0]")
        lines = self._time_properties(properties, lines, "assets[0]")
        asset.properties |= properties
        terms = {one.title: term for term, one in properties.items() if one.dtype == "time"}
        walls = {time.name: time.wall for time in self.plan.other_times}
        for end, date in self.plan.lifetime.items():
            if date in terms and asset.lifetime.get(end) != terms[date]:
                asset.lifetime[end] = terms[date]
                self.model.questions.append(lifetime_question(kind, end, terms[date], date, walls[date]))
        latitude = next(
            (n for n, p in properties.items() if re.fullmatch(r"lat(itude)?", n) and p.dtype == "number"), None
        )
        longitude = next(
            (n for n, p in properties.items() if re.fullmatch(r"lon(g|gitude)?|lng", n) and p.dtype == "number"), None
        )
        if latitude and longitude:
            asset.position = (latitude, longitude)
        return ["    assets:", f"      - type: {kind}", f"        id: {quoted(key)}  # different in every row", *lines]

    def _events(self) -> list[str]:
        plan = self.plan
        kind = unique(
            type_of(plan.sample.record_type if len(plan.sample.record_type) > 2 else self.source), self.model.events
        )
        kind = f"{kind}_event" if kind == "asset" else kind
        event = self.model.events[kind] = EventPlan("one event per row")
        lines = ["    events:", f"      - type: {kind}", f"        key: {flow(plan.key)}  # unique in the sample"]
        self.used |= set(plan.key) - set(plan.also)
        if plan.asset_column is not None:
            self.used.add(plan.asset_column)
            event.asset = self._type_of_ids(plan.asset_column)
            lines.append(f"        asset: {{type: {event.asset}, column: {quoted(plan.asset_column)}}}")
        for role in ("planned_start", "planned_end", "start", "end"):
            if role in plan.roles:
                lines += [f"        {role}:", *self._role_lines(role)]
        if plan.duration is not None:
            self.used.add(plan.duration)
            line, asked = duration_line(
                plan.profiles[plan.duration], indent="        ", at=f"{self.path}.events[0].duration"
            )
            lines.append(line)
            self.questions += asked
        if plan.links:
            lines.append("        links:")
        for link, column in plan.links.items():
            self.used.add(column)
            named = "place" if link in ("origin", "destination") else type_of(spaced(column))
            event.links[link] = self.model.type_with(plan.profiles[column].terms) or named
            self.model.asset(event.links[link], "places that events link to").ids |= set(plan.profiles[column].terms)
            lines.append(f"          {link}: {quoted(column)}")
        event.properties, properties = self._properties(
            self.used | set(plan.times.columns), "events[0]", reserved_as=kind
        )
        return lines + self._time_properties(event.properties, properties, "events[0]")

    def _time_properties(self, properties: dict[str, PropertyPlan], lines: list[str], record: str) -> list[str]:
        """Return the lines of properties with further times, such as the one of recording, added."""
        lines = [*lines] if lines or not self.plan.other_times else ["        properties:"]
        for time in self.plan.other_times:
            if len(time.columns) > 1:
                continue
            term = unique(name_of(time.name), properties)
            properties[term] = PropertyPlan("time", None, "", time.name)
            self.used.add(time.name)
            at = f"{self.path}.{record}.properties"
            line, questions = property_line(term, time, self.plan.profiles, indent="          ", at=at)
            lines.append(line)
            self.questions += questions
        return lines

    def _beside(self, kind: str, asset: list[str]) -> list[str]:
        """Return the lines of the events in a table of signals; ``kind`` and ``asset`` are those of its rows."""
        plan, lines = self.plan, []
        for place, one in enumerate(plan.beside):
            name = unique(name_of(one.name, fallback="event"), self.model.events)
            event = self.model.events[name] = EventPlan(f"rows with {one.column!r}", asset=kind)
            self.used.add(one.column)
            which = (
                quoted(one.column)
                if one.text is None
                else f"{{column: {quoted(one.column)}, values: {flow([one.text])}}}"
            )
            lines += [f"      - type: {name}", f"        key: {flow(one.key)}", f"        where: [{which}]"]
            lines += [f"    {line}" for line in asset]
            # The table's own rule, so that one answer about its clock is enough.
            lines += ["        start: *time", "        end: *time"]
            skip = set(plan.profiles) - set(one.properties)
            event.properties, properties = self._properties(skip, f"events[{place}]", reserved_as=name)
            lines += properties
        return ["    events:", *lines] if lines else []

    def _type_of_ids(self, column: str) -> str:
        ids = self.plan.profiles[column].terms
        kind = self.model.type_with(ids) or type_of(spaced(column))
        self.model.asset(kind, f"named after the column {column!r}").ids |= set(ids)
        return kind

    def _role_lines(self, role: str) -> list[str]:
        plan, time = self.plan, self.plan.roles[role]
        if isinstance(time, TimeColumn):
            return self._time_lines(time, "          ", f"events[0].{role}")
        lines, used = clock_lines(
            role, time, roles=plan.roles, parts=plan.times.parts, profiles=plan.profiles, day=plan.times.day
        )
        self.used |= used
        return lines
