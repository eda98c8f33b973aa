"""Draft the mapping of one file as YAML, and add its asset types, signals and events to the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.drafting.columns import (
    located,
    quantity_of,
    signal_names,
    unit_column,
    value_columns,
    with_units_of_rows,
)
from twinlab.harmonise.drafting.counters import counter_evidence, may_count
from twinlab.harmonise.drafting.kinds.versions import versions
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.model import ModelPlan, SignalPlan
from twinlab.harmonise.drafting.plans.plan import TablePlan
from twinlab.harmonise.drafting.profiles import Profile, name_of, profile_of
from twinlab.harmonise.drafting.questions import QuestionPlan, question_lines
from twinlab.harmonise.drafting.records import RecordLines
from twinlab.harmonise.drafting.signals import rule_lines, signal_of, signal_questions
from twinlab.harmonise.drafting.statuses import status_line, status_questions
from twinlab.harmonise.drafting.tables import cadence_of, type_of
from twinlab.harmonise.drafting.units import serial_of, unit_of
from twinlab.harmonise.drafting.yaml_text import comment, flow, quoted

__all__ = ["mapping_yaml"]


def mapping_yaml(
    source: str, files: Sequence[str], plans: Sequence[TablePlan], model: ModelPlan, *, reading: str | None = None
) -> str:
    """Return the mapping of one source, and add its asset types, signals and event types to the model.

    ``files`` are the names of its files, or patterns.
    ``reading`` is the format that the mapping has to state, because its reader names the columns.
    """
    lines = [
        f"# Drafted from {' '.join(', '.join(files).split())}: please check the comments (#).",
        f"source: {source}",
        f"files: {flow(files)}",
    ]
    lines += [f"reading: {{format: {reading}}}  # recognised by its first lines"] if reading else []
    lines.append("tables:")
    questions: list[QuestionPlan] = []
    tables = [_TableLines(source, plan, model, f"tables[{place}]") for place, plan in enumerate(plans)]
    # Lists of assets first, so that the ids in other tables are recognised.
    made = {table.path: table.lines() for table in sorted(tables, key=lambda table: table.plan.content != "assets")}
    for table in tables:
        lines += made[table.path]
        questions += table.questions
    return "\n".join([*lines, *question_lines(questions)]) + "\n"


#: Minimal number of columns that are named as assets.
_MIN_MATRIX = 3


class _TableLines(RecordLines):
    """Lines of YAML for one table of the mapping."""

    def lines(self) -> list[str]:
        plan = self.plan
        made = {
            "signals": self._signals,
            "long": self._long,
            "events": self._events,
            "assets": self._assets,
            "nothing": list,
        }[plan.content]()
        head = [f"  - table: {quoted(plan.sample.pattern or plan.sample.record_type)}"]
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
            lines.append(
                f"      - {quoted(name)}{comment(self.notes.get(name) or self.plan.sample.notes.get(name, shown))}"
            )
        return ["    ignore:  # columns without a rule yet; move the ones you need up", *lines] if lines else []

    def _asset(self) -> tuple[str, list[str]]:
        """Return the asset type of the rows, and the lines for the asset of each row."""
        column, named = self.plan.asset_column, self.plan.named
        if named is not None:
            shared = type_of(named.shared) if named.shared else "asset"
            kind = self.model.type_with(named.ids) or ("site" if shared == "asset" else shared)
            self.model.asset(kind, f"named after the {named.name_of}").ids |= set(named.ids)
            pattern = f", pattern: {quoted(named.pattern)}" if named.pattern else ""
            note = f"one asset a {named.name_of}: {', '.join(dict.fromkeys(named.ids[:3]))} …"
            return kind, [f"    asset: {{type: {kind}, name_of: {named.name_of}{pattern}}}{comment(note)}"]
        if column is not None:
            self.used.add(column)
            ids = self.plan.profiles[column].terms
            kind = self.model.type_with(ids) or type_of(spaced(column))
            self.model.asset(kind, f"named after the column {column!r}").ids |= set(ids)
            if self.plan.asset_doubt:
                ask = f"Does {column!r} name the asset that a row is about?"
                at = f"{self.path}.asset.column"
                self.questions.append(QuestionPlan(at, ask, self.plan.asset_doubt, (column,), drafted=column))
            return kind, [f"    asset: {{type: {kind}, column: {quoted(column)}}}"]
        serials = {serial for name in self.plan.profiles if (serial := serial_of(name))}
        if len(serials) == 1:
            self.model.asset("logger", "named by the serial number in the headers").ids |= serials
            return "logger", [
                f"    asset: {{type: logger, id: {quoted(min(serials))}}}  # the logger's serial number, from the headers"
            ]
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
        if self._known_cadence is None:
            cadence, step = cadence_of(time.wall, self._groups(self.plan.asset_column, self.plan.tag))
            note = (
                "the sample has no two different times: set it"
                if step is None
                else f"rows come every {step:g} s (median)"
            )
            self._known_cadence = cadence, note
        return self._known_cadence

    def _signals(self) -> list[str]:
        plan = self.plan
        kind, asset = self._asset_of_columns() or self._asset()
        named = "    time: &time" if plan.beside else "    time:"
        lines = [named, *(self._time_lines(plan.time, "      ") if plan.time else []), *asset]
        beside = self._beside(kind, asset)
        found = value_columns(
            {n: p for n, p in plan.profiles.items() if n not in self.used | plan.known_columns}, self.rows
        )
        self.notes |= {**found.ignored, **plan.sample.ignored}
        status_of: dict[str | None, str] = {}
        for name, value in found.qualifiers.items():
            if status_of.setdefault(value, name) != name:
                ask = f"Is {name!r} another status of the source? Its codes aren't used, since {status_of[value]!r} is one."
                self.questions.append(QuestionPlan(f"{self.path}.ignore", ask, found.ignored[name]))
        asked: set[str] = set()
        if None in status_of:
            lines += self._status(status_of[None], "    ", f"{self.path}.status", asked)
        if found.unit_column is not None:
            self.used.add(found.unit_column)
            lines.append(f"    unit_column: {quoted(found.unit_column)}")
        corrected = versions({name: one for name, one in found.profiles.items() if name not in plan.family})
        names = signal_names([one for name, one in found.profiles.items() if name not in {*plan.family, *corrected}])
        names |= {name: names[raw] for name, raw in corrected.items()}
        columns, matrix = self._asset_columns(found.profiles)
        patterns: dict[str, str] = {}
        terms: dict[str, str] = {}
        for name, profile in found.profiles.items():
            if name in matrix:
                continue
            signal = self._signal(_like_siblings(profile, found.profiles))
            if signal is None:
                continue
            signal.definition = plan.sample.notes.get(name, "")
            self.used.add(name)
            if name in plan.family:
                columns += self._family(name, signal, profile, patterns)
                continue
            term = terms[name] = self.model.add_signal(kind, names[name], signal, source=self.source)
            stated = name not in found.by_row
            columns += [f"      {quoted(name)}:", *rule_lines(term, signal, profile, "        ", written=stated)]
            self._ask_words(profile, f"columns.{name}")
            if name in corrected and term == terms.get(corrected[name]):
                columns.append("        priority: 1  # where both have a value, this one counts")
                ask = f"Is {name!r} the corrected version of {corrected[name]!r}?"
                evidence = "named so; if it isn't, give it a signal of its own"
                self.questions.append(QuestionPlan(f"{self.path}.columns.{name}.priority", ask, evidence))
            else:
                self.model.questions += signal_questions(f"asset_types.{kind}.signals.{term}", signal)
            if name in status_of:
                columns += self._status(status_of[name], "        ", f"{self.path}.columns.{name}.status", asked)
            if found.unit_column and stated and signal.kind != "state" and signal.unit is None:
                columns.append(f"        unit: unknown  # the units in {found.unit_column!r} don't fit")
        self._locate(kind, found.profiles, terms)
        return [*lines, *(["    columns:", *columns] if columns else []), *beside]

    def _locate(self, kind: str, profiles: Mapping[str, Profile], terms: Mapping[str, str]) -> None:
        """Make a pair of latitude and longitude the position of the assets."""
        pair = [profile.name for _, profile in sorted(located(profiles).items())]
        if pair and all(name in terms for name in pair):
            self.model.asset(kind).position = (terms[pair[0]], terms[pair[1]])

    def _named_columns(self, profiles: Mapping[str, Profile]) -> tuple[str | None, list[str]]:
        """Return the asset type that columns of numbers are named as, and these columns."""
        numbers = [name for name, one in profiles.items() if one.kind == "number"]
        kind = self.model.type_with(numbers) if len(numbers) >= _MIN_MATRIX else None
        return kind, [name for name in numbers if kind is not None and name in self.model.asset(kind).ids]

    def _asset_of_columns(self) -> tuple[str, list[str]] | None:
        """Return the asset type of the columns if all values are in columns named as assets: the rows then name none."""
        plan = self.plan
        left = {n: p for n, p in plan.profiles.items() if n not in plan.known_columns and p.kind != "empty"}
        kind, names = self._named_columns(left)
        return (kind, []) if kind is not None and len(names) == len(left) else None

    def _asset_columns(self, profiles: Mapping[str, Profile]) -> tuple[list[str], set[str]]:
        """Return the lines for columns that are named as assets of another table, and these columns: one signal of each."""
        kind, mine = self._named_columns(profiles)
        signals = [signal for name in mine if (signal := self._signal(profiles[name])) is not None]
        if kind is None or len(signals) < _MIN_MATRIX:
            return [], set()
        for signal in signals[1:]:
            signals[0].join(signal)
        signals[0].title = self.plan.sample.record_type
        term = self.model.add_signal(kind, name_of(self.plan.sample.record_type), signals[0], source=self.source)
        no_values = sorted({str(code): code for name in mine for code in profiles[name].no_values}.items())
        missing = f", missing: {flow(code for _, code in no_values)}" if no_values else ""
        self.used |= set(mine)
        pattern = "|".join(map(re.escape, mine)) if len(mine) < len(profiles) else ".+"
        lines = [
            f"      {quoted(f'/^(?P<id>{pattern})$/')}:  # {len(mine)} columns, each named as a {kind}",
            f"        {{signal: {term}, asset: {quoted(kind + '/{id}')}{missing}}}",
        ]
        return lines, set(mine)

    def _status(self, column: str, indent: str, path: str, asked: set[str]) -> list[str]:
        """Return the line of the source's own status of values, which is in a column beside them."""
        self.used.add(column)
        profile = self.plan.profiles[column]
        self.questions += status_questions(column, profile, path, asked)
        return [status_line(column, profile, indent)]

    def _family(self, name: str, signal: SignalPlan, profile: Profile, patterns: dict[str, str]) -> list[str]:
        pattern, number = self.plan.family[name]
        prefix, _, suffix = name.partition(number)
        kind = type_of(prefix)
        self.model.asset(kind, "named after the headers").ids.add(f"{kind}_{number}")
        bare = (profile.unit.stem or name).partition(number)[2].strip(" _-.") or prefix.strip(" _-.")
        stem = signal_names([replace(profile, name=bare, unit=replace(profile.unit, stem=bare))])[bare]
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

    def _signal(self, profile: Profile, *, where: np.ndarray | None = None) -> SignalPlan | None:
        """Return a column as a signal; ``where``: the rows of one tag."""
        cadence, note = self._cadence()
        counter = None
        time = self.plan.time
        if profile.kind == "number" and time is not None and may_count(profile.name, quantity_of(profile)):
            column = profile.name if where is None else self.plan.value or ""
            values = self.rows.without_codes(column, profile.missing).number
            values = values if where is None else np.where(where, values, np.nan)
            counter = counter_evidence(values, self._groups(self.plan.asset_column), time.wall)
        return signal_of(profile, cadence=cadence, cadence_note=note, counter=counter)

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
        unit = unit_column(plan.profiles)
        if unit is not None:
            self.used.add(unit)
            lines.append(f"    unit_column: {quoted(unit)}")
        lines.append("    tags:")
        codes, terms = encode(self.rows.texts(tag))
        profiles: dict[str, tuple[Profile, np.ndarray]] = {}
        for place in np.argsort(np.array(terms, dtype=str), kind="stable").tolist():
            where = codes == place
            part = Rows(plan.sample.where(where))
            profile = replace(profile_of(value, part), name=terms[place], unit=unit_of(terms[place]))
            if unit is not None:
                profile = with_units_of_rows(profile, unit, part)
            profiles[terms[place]] = profile, where
        names = signal_names([profile for profile, _ in profiles.values()])
        for name, (profile, where) in profiles.items():
            signal = self._signal(profile, where=where)
            if signal is None:
                continue
            term = self.model.add_signal(kind, names[name], signal, source=self.source)
            self.model.questions += signal_questions(f"asset_types.{kind}.signals.{term}", signal)
            lines += [f"      {quoted(name)}:", *rule_lines(term, signal, profile, "        ", written=unit is None)]
            self._ask_words(profile, f"tags.{name}")
        return lines


def _like_siblings(profile: Profile, profiles: Mapping[str, Profile]) -> Profile:
    """Return a column of 0 and 1 as plain numbers if columns that differ by a number only have other values."""
    if profile.terms != ("0", "1"):
        return profile
    stem = re.sub(r"\d+", "#", profile.name)
    others = [one for name, one in profiles.items() if re.sub(r"\d+", "#", name) == stem and name != profile.name]
    measured = any(one.kind == "number" and one.terms != ("0", "1") and one.high > 1 for one in others)
    return replace(profile, terms=()) if measured else profile
