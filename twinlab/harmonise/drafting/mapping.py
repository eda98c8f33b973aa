"""Draft the mapping of one file as YAML, and add its asset types, signals and events to the model."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.drafting.model import EventPlan, ModelPlan, PropertyPlan, SignalPlan
from twinlab.harmonise.drafting.profiles import Profile, Sample, name_of, profile_of
from twinlab.harmonise.drafting.questions import QuestionPlan, question_lines
from twinlab.harmonise.drafting.signals import rule_lines, signal_of, stated_unit
from twinlab.harmonise.drafting.tables import TablePlan, cadence_of, type_of
from twinlab.harmonise.drafting.times.columns import TimeColumn
from twinlab.harmonise.drafting.times.lines import NO_ZONE, missing_line, property_line, time_lines
from twinlab.harmonise.drafting.units import range_hint
from twinlab.harmonise.drafting.yaml_text import comment, flow, quoted, unique
from twinlab.model.units import canonical_unit

__all__ = ["mapping_yaml"]


def mapping_yaml(source: str, file: str, plans: Sequence[TablePlan], model: ModelPlan) -> str:
    """Return the mapping of one file, and add its asset types, signals and event types to the model."""
    lines = [
        f"# Drafted from {' '.join(file.split())}: please check the comments (#).",
        f"source: {source}",
        f"files: [{quoted(file)}]",
    ]
    lines.append("tables:")
    questions: list[QuestionPlan] = []
    for place, plan in enumerate(plans):
        table = _TableLines(source, plan, model, f"tables[{place}]")
        lines += table.lines()
        questions += table.questions
    return "\n".join([*lines, *question_lines(questions)]) + "\n"


class _TableLines:
    """Lines of YAML for one table of the mapping."""

    def __init__(self, source: str, plan: TablePlan, model: ModelPlan, path: str) -> None:
        self.source, self.plan, self.model, self.path = source, plan, model, path
        self.questions: list[QuestionPlan] = []
        self.rows = Rows(plan.sample)
        self.used: set[str] = set()

    def lines(self) -> list[str]:
        plan = self.plan
        made = {
            "signals": self._signals,
            "long": self._long,
            "events": self._events,
            "assets": self._assets,
            "nothing": list,
        }[plan.content]()
        head = [f"  - table: {quoted(plan.sample.record_type)}"]
        if plan.content == "nothing":
            head[0] += comment(
                "no times and no unique ids were recognised: its rows stay in the ledger and are counted"
            )
        for time in plan.times.unread:
            if time is not plan.time:
                self.questions += [QuestionPlan(f"{self.path}.ignore", one.ask, one.evidence) for one in time.asked]
        return head + made + self._ignored()

    def _ignored(self) -> list[str]:
        lines = []
        for name, profile in self.plan.profiles.items():
            if name in self.used or (profile.kind == "empty" and not profile.filled):
                continue
            shown = {"text": f"texts, {profile.distinct} different", "empty": "no values"}.get(
                profile.kind, profile.kind
            )
            lines.append(f"      - {quoted(name)}{comment(shown)}")
        return ["    ignore:  # columns without a rule yet; move the ones you need up", *lines] if lines else []

    def _time_lines(self, time: TimeColumn, indent: str, at: str = "time") -> list[str]:
        self.used |= set(time.columns)
        if time.zone is not None and time.zone.column:
            self.used.add(time.zone.column)
        lines, questions = time_lines(time, self.plan.profiles, indent=indent, at=f"{self.path}.{at}")
        self.questions += questions
        return lines

    def _asset(self) -> tuple[str, list[str]]:
        """Return the asset type of the rows, and the lines for the asset of each row."""
        column = self.plan.asset_column
        if column is not None:
            self.used.add(column)
            ids = self.plan.profiles[column].terms
            kind = self.model.type_with(ids) or type_of(column)
            self.model.asset(kind, f"named after the column {column!r}").ids |= set(ids)
            return kind, [f"    asset: {{type: {kind}, column: {quoted(column)}}}"]
        kind = type_of(self.source)
        self.model.asset(kind, "named after the file")
        name = self.source if self.plan.sample.record_type in {self.source, ""} else self.plan.sample.record_type
        return kind, [
            f"    asset: {{type: {kind}, id: {quoted(name)}}}  # the table has no column of assets: named after the table"
        ]

    def _cadence(self) -> tuple[str, str]:
        time = self.plan.time
        if time is None:
            return "1min", ""
        groups = np.zeros(self.rows.count, dtype=np.int64)
        for column in (self.plan.asset_column, self.plan.tag):
            if column is not None:
                codes, terms = encode(self.rows.texts(column))
                groups = groups * (len(terms) + 1) + codes
        cadence, step = cadence_of(time.wall, groups)
        return (
            cadence,
            "the sample has no two different times: set it" if step is None else f"rows come every {step:g} s (median)",
        )

    def _signals(self) -> list[str]:
        plan = self.plan
        kind, asset = self._asset()
        lines = ["    time:", *(self._time_lines(plan.time, "      ") if plan.time else []), *asset]
        columns: list[str] = []
        taken: set[str] = set()
        patterns: dict[str, str] = {}
        for name, profile in plan.profiles.items():
            signal = None if name in self.used or name in plan.times.columns else self._signal(profile)
            if signal is None:
                continue
            self.used.add(name)
            if name in plan.family:
                columns += self._family(name, signal, profile, patterns)
                continue
            wanted = unique(name_of(profile.unit.stem or name, fallback="signal"), taken)
            term = self.model.add_signal(kind, wanted, signal, source=self.source)
            taken.add(term)
            columns += [f"      {quoted(name)}:", *rule_lines(term, signal, profile, "        ")]
        return [*lines, *(["    columns:", *columns] if columns else [])]

    def _family(self, name: str, signal: SignalPlan, profile: Profile, patterns: dict[str, str]) -> list[str]:
        pattern, number = self.plan.family[name]
        prefix, _, suffix = name.partition(number)
        kind = type_of(prefix)
        self.model.asset(kind, "named after the headers").ids.add(f"{kind}_{number}")
        base = unique(name_of(suffix.strip(" _-.") or prefix.strip(" _-."), fallback="signal"), [])
        stem = (
            name_of((profile.unit.stem or "").partition(number)[2].strip(" _-."), fallback=base)
            if profile.unit.stem
            else base
        )
        known = patterns.get(pattern)
        if known is not None:
            self.model.asset(kind).signals[known].join(signal)
            return []
        signal.title = f"{prefix}…{suffix}".strip()
        term = patterns[pattern] = self.model.add_signal(kind, stem, signal, source=self.source)
        return [
            f"      {quoted(pattern)}:  # one asset per number",
            f"        asset: {quoted(kind + '/' + kind + '_{id}')}",
            *rule_lines(term, signal, profile, "        "),
        ]

    def _signal(self, profile: Profile) -> SignalPlan | None:
        cadence, note = self._cadence()
        return signal_of(profile, cadence=cadence, cadence_note=note)

    def _long(self) -> list[str]:
        plan = self.plan
        kind, asset = self._asset()
        tag, value = plan.tag or "", plan.value or ""
        self.used |= {tag, value}
        lines = [
            "    time:",
            *(self._time_lines(plan.time, "      ") if plan.time else []),
            *asset,
            f"    tag: {quoted(tag)}",
            f"    value: {quoted(value)}",
        ]
        units = [
            name
            for name, p in plan.profiles.items()
            if p.kind == "text" and re.fullmatch(r"units?|einheit|uom", name.strip(), re.IGNORECASE)
        ]
        if units:
            self.used.add(units[0])
            lines.append(f"    unit_column: {quoted(units[0])}")
        lines.append("    tags:")
        codes, terms = encode(self.rows.texts(tag))
        for place in np.argsort(np.array(terms, dtype=str), kind="stable").tolist():
            part = _part(plan.sample, codes == place)
            profile = profile_of(value, Rows(part))
            signal = self._signal(profile)
            if signal is None:
                continue
            if units:
                stated = profile_of(units[0], Rows(part)).terms
                signal.unit, signal.unit_note = stated_unit(stated)
            else:
                signal.unit_note = f"unit not stated: {range_hint(terms[place], profile.low, profile.high)}"
            signal.title = terms[place]
            term = self.model.add_signal(kind, name_of(terms[place], fallback="signal"), signal, source=self.source)
            lines += [
                f"      {quoted(terms[place])}:",
                *rule_lines(term, signal, profile, "        ", written=not units),
            ]
        return lines

    def _properties(self, skip: set[str]) -> tuple[dict[str, PropertyPlan], list[str]]:
        found: dict[str, PropertyPlan] = {}
        lines: list[str] = []
        for name, profile in self.plan.profiles.items():
            if name in skip or profile.kind == "empty":
                continue
            term = unique(name_of(profile.unit.stem or name), found)
            unit = canonical_unit(profile.unit.unit) if profile.unit.unit else None
            dtype = {"text": "text", "bool": "boolean", "time": "time"}.get(
                profile.kind, "integer" if profile.whole and unit is None else "number"
            )
            note = profile.unit.evidence if profile.kind == "number" else ""
            found[term] = PropertyPlan(dtype, unit, note, name)
            self.used.add(name)
            parts = [f"column: {quoted(name)}"]
            parts += [f"unit: {quoted(profile.unit.unit)}"] if profile.unit.unit else []
            parts += [f"missing: {flow(profile.missing)}"] if profile.missing else []
            lines.append(
                f"          {term}: {{{', '.join(parts)}}}" if len(parts) > 1 else f"          {term}: {quoted(name)}"
            )
        return found, ["        properties:", *lines] if lines else []

    def _assets(self) -> list[str]:
        key = self.plan.key[0]
        self.used.add(key)
        kind = type_of(self.plan.sample.record_type)
        asset = self.model.asset(kind, "named after the table")
        asset.ids |= set(self.plan.profiles[key].terms)
        properties, lines = self._properties({key})
        asset.properties |= properties
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
        self.used |= set(plan.key)
        if plan.asset_column is not None:
            self.used.add(plan.asset_column)
            event.asset = self._type_of_ids(plan.asset_column)
            lines.append(f"        asset: {{type: {event.asset}, column: {quoted(plan.asset_column)}}}")
        for role in ("planned_start", "planned_end", "start", "end"):
            if role in plan.roles:
                lines += [f"        {role}:", *self._role_lines(role)]
        if plan.links:
            lines.append("        links:")
        for link, column in plan.links.items():
            self.used.add(column)
            event.links[link] = self.model.type_with(plan.profiles[column].terms) or "place"
            self.model.asset(event.links[link], "places that events link to").ids |= set(plan.profiles[column].terms)
            lines.append(f"          {link}: {quoted(column)}")
        event.properties, properties = self._properties(self.used | set(plan.times.columns))
        return lines + self._time_properties(event, properties)

    def _time_properties(self, event: EventPlan, lines: list[str]) -> list[str]:
        """Return the lines of an event's properties with its further times, such as the one of recording, added."""
        lines = [*lines] if lines or not self.plan.other_times else ["        properties:"]
        for time in self.plan.other_times:
            if len(time.columns) > 1:
                continue
            term = unique(name_of(time.name), event.properties)
            event.properties[term] = PropertyPlan("time", None, "", time.name)
            self.used.add(time.name)
            at = f"{self.path}.events[0].properties"
            line, questions = property_line(term, time, self.plan.profiles, indent="          ", at=at)
            lines.append(line)
            self.questions += questions
        return lines

    def _type_of_ids(self, column: str) -> str:
        ids = self.plan.profiles[column].terms
        kind = self.model.type_with(ids) or type_of(column)
        self.model.asset(kind, f"named after the column {column!r}").ids |= set(ids)
        return kind

    def _role_lines(self, role: str) -> list[str]:
        plan, time = self.plan, self.plan.roles[role]
        if isinstance(time, TimeColumn):
            return self._time_lines(time, "          ", f"events[0].{role}")
        self.used.add(time)
        lines = [f"          clock: {quoted(time)}  # clock times such as 517 for 05:17"]
        columns = [time]
        first = "planned_start" if "planned_start" in plan.roles else "start"
        if role == first:
            parts = {part: plan.times.parts[part] for part in ("year", "month", "day")}
            self.used |= set(parts.values())
            day = ", ".join(f"{part}: {quoted(name)}" for part, name in parts.items())
            lines.append(f"          date: {{{day}}}")
        elif role == "start":
            lines.append(f"          near: {first}")
            head = re.split(r"[_\s]", time)[0].casefold()
            delay = [
                name
                for name, p in plan.profiles.items()
                if p.kind == "number" and re.search(r"delay|late", name) and name.casefold().startswith(head)
            ]
            lines += [f"          plus: {quoted(delay[0])}  # read as minutes"] if delay else []
            columns += delay[:1]
        else:
            lines.append(f"          after: {'start' if role == 'end' and 'start' in plan.roles else first}")
        return [*lines, *missing_line(columns, plan.profiles, "          "), "          " + NO_ZONE]


def _part(sample: Sample, where: np.ndarray) -> Sample:
    return Sample(sample.record_type, sample.rows_.filter(pa.array(where)), sample.units, sample.numbers[where])
