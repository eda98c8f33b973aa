"""The drafted model: asset types with signals and properties, event types; and its YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from twinlab.harmonise.drafting.kinds.limits import limits_among, signal_of_limits
from twinlab.harmonise.drafting.questions import QuestionPlan, question_lines
from twinlab.harmonise.drafting.yaml_text import comment, quoted
from twinlab.model.twinmodel import parse_duration

__all__ = ["AssetPlan", "EventPlan", "ModelPlan", "PropertyPlan", "SignalPlan", "model_yaml", "propose_limits"]


@dataclass
class SignalPlan:
    """A drafted signal."""

    kind: str
    unit: str | None
    decimals: int
    cadence: str
    title: str
    states: tuple[str, ...] = ()
    unit_note: str = ""
    # Units that the range of values fits, the likeliest first.
    unit_choices: tuple[str, ...] = ()
    cadence_note: str = ""
    # What the file's header says about the column.
    definition: str = ""
    kind_note: str = ""
    span: tuple[float, float] | None = None
    # Properties of the asset with the lowest and the highest value that is expected.
    expected: tuple[str, str] | None = None
    # Whether somebody found it out afterwards.
    label: bool = False
    # Whether some values have more decimals than ``decimals``.
    more_decimals: bool = False

    @property
    def wide(self) -> bool:
        """Whether 32 bits may be too few: values seen times a thousand, but at least a million, must fit."""
        reach = max(map(abs, self.span)) if self.span is not None else 0.0
        return max(1e6, 1e3 * reach) * 10.0**self.decimals >= 2**31

    def fits(self, other: SignalPlan) -> bool:
        """Whether the column of another file can be the same signal."""
        return (self.kind, self.unit, self.label) == (other.kind, other.unit, other.label)

    def join(self, other: SignalPlan) -> None:
        """Merge the column of another file: the finer resolution, the shorter cadence, all states."""
        self.decimals = max(self.decimals, other.decimals)
        self.more_decimals = self.more_decimals or other.more_decimals
        if parse_duration(other.cadence) < parse_duration(self.cadence):
            self.cadence, self.cadence_note = other.cadence, other.cadence_note
        self.states = (*self.states, *(state for state in other.states if state not in self.states))
        if self.span and other.span:
            self.span = (min(self.span[0], other.span[0]), max(self.span[1], other.span[1]))


@dataclass
class PropertyPlan:
    """A drafted property."""

    dtype: str = "text"
    unit: str | None = None
    note: str = ""
    title: str = ""
    # Lowest and highest value of a number.
    span: tuple[float, float] | None = None


@dataclass
class AssetPlan:
    """A drafted asset type."""

    note: str = ""
    signals: dict[str, SignalPlan] = field(default_factory=dict)
    properties: dict[str, PropertyPlan] = field(default_factory=dict)
    position: tuple[str, str] | None = None
    # "from" and "until" -> property with the date.
    lifetime: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


@dataclass
class EventPlan:
    """A drafted event type."""

    note: str = ""
    asset: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    properties: dict[str, PropertyPlan] = field(default_factory=dict)


@dataclass
class ModelPlan:
    """A drafted model of a whole twin."""

    name: str
    assets: dict[str, AssetPlan] = field(default_factory=dict)
    events: dict[str, EventPlan] = field(default_factory=dict)
    first_year: int | None = None
    questions: list[QuestionPlan] = field(default_factory=list)

    def asset(self, name: str, note: str = "") -> AssetPlan:
        """Return an asset type; it is added if it's new."""
        return self.assets.setdefault(name, AssetPlan(note))

    def type_with(self, ids: Iterable[str]) -> str | None:
        """Return the asset type that has nearly all (75 %) of these ids."""
        wanted = set(ids)
        for name, plan in self.assets.items():
            if plan.ids and len(wanted & plan.ids) >= 0.75 * len(wanted):
                return name
        return None

    def add_signal(self, asset_type: str, name: str, plan: SignalPlan, *, source: str) -> str:
        """Add a signal, or merge it with the same signal of another file; return its name."""
        signals = self.asset(asset_type).signals
        for candidate in (name, f"{name}_{source}", *(f"{name}_{source}_{number}" for number in range(2, 100))):
            known = signals.get(candidate)
            if known is None:
                signals[candidate] = plan
                return candidate
            if known.fits(plan):
                known.join(plan)
                return candidate
        return name


def propose_limits(plan: ModelPlan) -> Iterator[QuestionPlan]:
    """Take the limits of signals from properties that are named as such; yield the questions whether they are."""
    for kind, asset in plan.assets.items():
        numbers = {name: one.title or name for name, one in asset.properties.items() if one.span is not None}
        gauges = {name: one.unit for name, one in asset.signals.items() if one.kind == "gauge" and not one.label}
        for low, high, rest in limits_among(numbers):
            ends = [asset.properties[name] for name in (low, high)]
            (lows, highs), units = (one.span or (0.0, 0.0) for one in ends), {one.unit for one in ends}
            signal = signal_of_limits(rest, ends[0].unit, gauges) if len(units) == 1 else None
            if signal is None or asset.signals[signal].expected or not lows[0] < highs[1]:
                continue
            seen = asset.signals[signal].span
            evidence = (
                f"{ends[0].title!r} is {lows[0]:g} to {lows[1]:g}, {ends[1].title!r} {highs[0]:g} to {highs[1]:g}"
            )
            evidence += f"; {signal!r} {seen[0]:g} to {seen[1]:g}" if seen else ""
            if units == {None}:
                evidence += f"; the limits have no unit: taken as {gauges[signal]}"
                for one in ends:
                    one.dtype, one.unit = "number", gauges[signal]
            asset.signals[signal].expected = (low, high)
            ask = f"Are {ends[0].title!r} and {ends[1].title!r} the limits between which {signal!r} is expected?"
            yield QuestionPlan(f"asset_types.{kind}.signals.{signal}.expected_span.from", ask, evidence)


def model_yaml(plan: ModelPlan) -> str:
    """Return ``twin.yaml``, with comments on everything that a person has to check."""
    year = 2000 if plan.first_year is None else plan.first_year
    lines = [
        "# Drafted from your files. Please check: comments (#) are findings and questions; nothing is guessed.",
        f"twin: {plan.name}",
        f'origin: "{year:04d}-01-01"  # history begins here'
        + ("" if plan.first_year is None else "; the year of the first time seen (zones may move it back a day)"),
        "asset_types:"
        if plan.assets
        else "asset_types: {}  # no table of signals or assets was recognised: add them here",
    ]
    for name, asset in plan.assets.items():
        lines += _asset_lines(name, asset)
    if plan.events:
        lines.append("event_types:")
    for name, event in plan.events.items():
        lines += [f"  {name}:{comment(event.note)}"]
        body = [f"    asset: {event.asset}"] if event.asset else []
        body += (
            ["    links:", *(f"      {link}: {target}" for link, target in event.links.items())] if event.links else []
        )
        body += _property_lines(event.properties)
        lines += body or ["    title: " + quoted(name)]
    lines += question_lines([*_unit_questions(plan), *plan.questions])
    return "\n".join(lines) + "\n"


def _unit_questions(plan: ModelPlan) -> list[QuestionPlan]:
    return [
        QuestionPlan(
            f"asset_types.{kind}.signals.{name}.unit",
            "In which unit are these values?",
            signal.unit_note.removeprefix("unit not stated: "),
            signal.unit_choices,
            drafted="unknown",
        )
        for kind, asset in plan.assets.items()
        for name, signal in asset.signals.items()
        if signal.kind != "state" and signal.unit is None
    ]


def _asset_lines(name: str, asset: AssetPlan) -> list[str]:
    lines = [f"  {name}:{comment(asset.note)}"]
    body: list[str] = []
    if asset.position:
        body.append(f"    position: [{asset.position[0]}, {asset.position[1]}]")
    if asset.lifetime:
        dates = ", ".join(f"{end}: {name}" for end, name in asset.lifetime.items())
        body.append(f"    lifetime: {{{dates}}}  # outside it, no value is missing")
    if asset.signals:
        body.append("    signals:")
    for signal, plan in asset.signals.items():
        body += _signal_lines(signal, plan)
    body += _property_lines(asset.properties)
    return lines + (body or ["    title: " + quoted(name)])


def _signal_lines(name: str, plan: SignalPlan) -> list[str]:
    lines = [f"      {name}:", f"        title: {quoted(plan.title)}"]
    lines += [f"        definition: {quoted(plan.definition)}"] if plan.definition else []
    if plan.kind == "state":
        states = ", ".join(f"{code}: {quoted(state)}" for code, state in enumerate(plan.states))
        lines += [f"        kind: state{comment(plan.kind_note)}", f"        states: {{{states}}}"]
    else:
        lines.append(f"        kind: {plan.kind}{comment(plan.kind_note)}")
        lines.append(f"        unit: {quoted(plan.unit or 'unknown')}{comment(plan.unit_note)}")
        step = "1" if plan.decimals == 0 else f"{10.0**-plan.decimals:.{plan.decimals}f}"
        seen = f"decimals seen: {f'more than {plan.decimals}, values are rounded' if plan.more_decimals else plan.decimals}"
        lines.append(f"        resolution: {step}{comment(seen)}")
        if plan.wide:
            lines.append(f"        storage: int64{comment('int32 might not represent every value at this resolution')}")
        if plan.span is not None:
            lines.append(
                f"        # sensor_span: [low, high]   what the sensor can report; seen: {plan.span[0]:g} to {plan.span[1]:g}"
            )
    if plan.expected is not None:
        lines.append(f"        expected_span: {{from: [{', '.join(plan.expected)}]}}  # properties of each asset")
    lines += ["        role: label"] if plan.label else []
    lines.append(f"        cadence: {plan.cadence}{comment(plan.cadence_note)}")
    return lines


def _property_lines(properties: dict[str, PropertyPlan]) -> list[str]:
    if not properties:
        return []
    lines = ["    properties:"]
    for name, plan in properties.items():
        parts = [f"dtype: {plan.dtype}"]
        parts += [f"unit: {quoted(plan.unit)}"] if plan.unit else []
        parts += [f"title: {quoted(plan.title)}"] if plan.title and plan.title != name else []
        lines.append(f"      {name}: {{{', '.join(parts)}}}{comment(plan.note)}")
    return lines
