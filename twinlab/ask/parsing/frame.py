"""What a question names, each in its place: asset types, assets, signals, states, events, rules, KPIs, times, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.parsing.instants import When
from twinlab.ask.parsing.quantities import (
    Comparison,
    read_comparisons,
    read_days,
    read_lasting,
    read_per,
    read_top,
    read_unit,
)
from twinlab.ask.parsing.spans import read_when
from twinlab.ask.parsing.years import read_years
from twinlab.ask.plans.plan import Related, Span

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ask.languages import Language
    from twinlab.ask.parsing.items import Items
    from twinlab.ask.parsing.vocabulary import Meaning
    from twinlab.model.twinmodel import TwinModel

__all__ = ["FIRST_ENDS", "LAST_ENDS", "Frame", "read_frame"]

#: Names of links and properties that say where something begins, and where it ends.
FIRST_ENDS, LAST_ENDS = ("origin", "from", "source", "start"), ("destination", "to", "target", "end")


@dataclass
class Frame:
    """The parts of a question.

    Parameters
    ----------
    items : Items
    model : TwinModel
    now, data : instants
        The present, and the span of the data.
    whens : list of When
        Spans that the question names.
    comparisons : list of Comparison
    lasting : str or None
        Least duration.
    top : int or None
    unit : str or None
        Of the answer: "in km/h".
    longer : bool
        Whether `lasting` itself is too short: "longer than 6 hours".
    all_events : callable, optional
        Event type -> the span of all its events that happened, which may be longer than that of the history.
    is_event : callable, optional
        Event type and text -> whether there is an event with this id.
    notes : list of (key, values)
        What was assumed; keys of the sentences of a language.
    per : str or None
        The windows that values are for: day, week or month; weekday or hour of the day.
    which_per : bool
        Whether windows are asked for, "which month", rather than a value of each.
    days : bool
        Whether a number of days is asked for.
    target : bool
        Whether it is asked if a KPI meets its target.
    compared : bool
        Whether two assets or times are compared: "warmer" is then about means.
    through : bool
        Whether assets are asked for that have events in common with one that is named.
    """

    items: Items
    model: TwinModel
    now: pd.Timestamp
    data: When
    whens: list[When]
    comparisons: list[Comparison]
    lasting: str | None
    top: int | None
    unit: str | None = None
    longer: bool = False
    all_events: Callable[[str], When] | None = None
    is_event: Callable[[str, str], bool] | None = None
    notes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    per: str | None = None
    which_per: bool = False
    days: bool = False
    target: bool = False
    compared: bool = False
    through: bool = False

    # -- time -----------------------------------------------------------------------------------------------------
    @property
    def span(self) -> Span:
        """The span of the question; all data if it names none."""
        if self.whens:
            return span_of(self.whens[0])
        self.note("no_time")
        return span_of(self.data)

    def span_of_events(self, on: str) -> Span:
        """Return the span of the question; if it names none, that of all events of a type."""
        if self.whens or self.all_events is None:
            return self.span
        self.note("no_time")
        return span_of(self.all_events(on))

    @property
    def at(self) -> pd.Timestamp:
        """The instant of the question; the present if it names none."""
        if not self.whens:
            return self.now
        when = self.whens[0]
        return min(when.stop, self.now) if when.whole else when.start

    def note(self, key: str, **values: str) -> None:
        """Note what was assumed; ``key`` is one of the sentences of a language."""
        if (key, values) not in self.notes:
            self.notes.append((key, values))

    # -- names ----------------------------------------------------------------------------------------------------
    @property
    def asset_types(self) -> list[str]:
        """Asset types that are named, in order, also by an asset of theirs."""
        return list(dict.fromkeys(one.name for _, found in self.items.unused("asset_type") for one in found))

    @property
    def assets(self) -> list[tuple[int, list[Meaning]]]:
        """Assets that are named, with their places; several meanings if several types have one of the name.

        Raises
        ------
        NotUnderstoodError
            If a name may be that of several assets of a type.
        """
        named = list(self.items.unused("asset"))
        for place, found in named:
            item = self.items[place]
            if len(found) == len(item.meanings) > len({one.of for one in found}):
                self.refuse("which_one", text=item.text, names=", ".join(one.name for one in found))
        return named

    def signals(self, of: str | None = None) -> list[tuple[int, list[Meaning]]]:
        """Signals that are named, of one asset type if given."""
        found = []
        for place, meanings in self.items.unused("signal"):
            fitting = [
                one for one in meanings if (of is None or one.of == of) and not self._rather_property(place, one)
            ]
            if fitting:
                found.append((place, fitting))
        return found

    def _rather_property(self, place: int, signal: Meaning) -> bool:
        """Return whether a word is the name of a property, and only another word for a signal: the size of a tank, not what is in it."""
        if (
            signal.name in self.items[place].text.casefold()
            or self.whens
            or self.items.has("now", "latest", "how_much")
        ):
            return False
        text = self.items[place].text.casefold()
        return any(one.of == signal.of and text.startswith(one.name) for one in self.items[place].of_kind("property"))

    def take_assets(self, asset_type: str) -> list[str]:
        """Use the assets of a type that are named, and return their ids."""
        found = []
        for place, meanings in self.assets:
            for one in meanings:
                if one.of == asset_type:
                    found.append(one.name)
                    self.items.use(place)
                    break
        return list(dict.fromkeys(found))

    def take_asset_type(self, name: str) -> None:
        """Use all words for an asset type."""
        for place, meanings in self.items.unused("asset_type"):
            if any(one.name == name for one in meanings):
                self.items.use(place)

    def take_values(self, of: str) -> dict[str, str]:
        """Use the property values of a type that are named: "frozen", "Linde"; property -> value."""
        found: dict[str, str] = {}
        for place, meanings in self.items.unused("value"):
            for one in meanings:
                if one.of == of and one.within not in found:
                    found[one.within] = one.name
                    self.items.use(place)
                    break
        return found

    def take_ends(self, asset_type: str) -> dict[str, str]:
        """Use assets that are the value of a property: "parcels to Hamburg" have it as destination."""
        found: dict[str, str] = {}
        properties = self.model.asset_types[asset_type].properties
        for place, meanings in self.assets:
            for word, names in (("from", FIRST_ENDS), ("to", LAST_ENDS)):
                fitting = [name for name in names if name in properties and properties[name].dtype == "text"]
                if fitting and self.preceded_by(place, word):
                    found[fitting[0]] = meanings[0].name
                    self.note("link", name=fitting[0], text=self.items[place].text)
                    self.items.use(place)
                    break
        return found

    def take_related(self, asset_type: str) -> Related | None:
        """Use an asset of another type that assets of this one are linked to: "cold rooms in Hamburg"."""
        for place, meanings in self.assets:
            for one in meanings:
                names = [
                    name
                    for name, link in self.model.relationships.items()
                    if link.source == asset_type and link.target == one.of and one.of != asset_type
                ]
                named = [meaning.name for _, found in self.items.unused("relationship") for meaning in found]
                chosen = [name for name in names if name in named] or names
                if chosen:
                    self.items.use(place)
                    for other, found in self.items.unused("relationship"):
                        if any(meaning.name == chosen[0] for meaning in found):
                            self.items.use(other)
                    self.take_asset_type(one.of)
                    if len(chosen) > 1:
                        self.note("relationship", name=chosen[0])
                    elif not named and (self.whens or not self.model.relationships[chosen[0]].locates):
                        # "In Hamburg" of a truck that is based there.
                        self.note("relationship", name=chosen[0])
                    return Related(relationship=chosen[0], target=one.name, span=self.past_span(chosen[0]))
        return None

    def past_span(self, relationship: str) -> Span | None:
        """Return the span in which a link of the past may have been; None if it is asked for an instant.

        "Which parcels did T020 carry" is about all that it ever did, "which are on it" about those of now.
        """
        if not self.model.relationships[relationship].locates or (self.whens and not self.whens[0].whole):
            return None
        if self.items.take("past") is None or self.items.has("present_tense"):
            return None
        span = self.span
        self.note("past", when=f"{span.start[:16]} – {span.stop[:16]}")
        return span

    def take_group(self) -> list[tuple[int, Meaning]]:
        """Return what follows "by", "per", "for each" or "which": candidates of a group, with their places."""
        found = []
        for place in range(len(self.items)):
            if (
                self.items.is_symbol(place, "by", "which", "which_of", "highest", "lowest", "highest ", "lowest ")
                is None
            ):
                continue
            after = place + 1
            while after < len(self.items) and (
                self.items[after].used or self.items[after].symbol("filler", "highest", "lowest", "common")
            ):
                after += 1
            if self.items.free(after):
                found += [
                    (after, one)
                    for one in self.items[after].of_kind("asset_type", "link", "property", "relationship", "event_type")
                ]
        return found

    def grouped_by(self, asset_type: str) -> bool:
        """Return whether each asset of a type is asked for: "for each forklift", "by cold room"."""
        return any(
            self.items.is_symbol(place, "by")
            and self.items.free(place + 1)
            and any(one.name == asset_type for one in self.items[place + 1].of_kind("asset_type"))
            for place in range(len(self.items) - 1)
        )

    def preceded_by(self, place: int, *names: str) -> bool:
        """Return whether an item comes right after one of these symbols, fillers and types aside."""
        before = place - 1
        while (
            before >= 0
            and (self.items[before].symbol("filler") or self.items[before].of_kind("asset_type"))
            and not self.items[before].symbol(*names)
        ):
            before -= 1
        return before >= 0 and self.items[before].symbol(*names) is not None

    @property
    def which_type(self) -> bool:
        """Whether the question asks which assets: "which cold rooms"."""
        for place in range(len(self.items)):
            if self.items[place].symbol("which", "which_of"):
                after = place + 1
                while (
                    after < len(self.items)
                    and not self.items[after].of_kind("asset_type")
                    and (
                        self.items[after].symbol("filler", "highest", "lowest", "number ")
                        or self.items[after].kind == "number"
                        or self.items[after].of_kind("value")
                    )
                ):
                    after += 1
                if after < len(self.items) and self.items[after].of_kind("asset_type"):
                    return True
        return False

    def counted(self, kinds: Iterable[str]) -> bool:
        """Return whether "how many" is followed by one of these kinds of names: "how many cold rooms"."""
        for place in range(len(self.items)):
            if self.items[place].symbol("count") and place + 1 < len(self.items):
                after = place + 1
                while after < len(self.items) and (
                    self.items[after].symbol("filler") or self.items[after].of_kind("value")
                ):
                    after += 1
                if after < len(self.items) and any(one.kind in kinds for one in self.items[after].meanings):
                    return True
        return False

    def refuse(self, key: str, **values: str) -> NoReturn:
        """Raise the error that says what of the question isn't understood."""
        raise NotUnderstoodError(key, values)


def span_of(when: When) -> Span:
    """Return a span as it is written in a plan."""
    return Span(start=when.start.isoformat(), stop=when.stop.isoformat())


def read_frame(
    items: Items,
    model: TwinModel,
    *,
    now: pd.Timestamp,
    data: When,
    language: Language,
    all_events: Callable[[str], When] | None = None,
    is_event: Callable[[str, str], bool] | None = None,
) -> Frame:
    """Read the times, durations and comparisons of a question; names are taken by those who need them."""
    (lasting, longer), top = read_lasting(items), read_top(items)
    days = read_days(items)
    per, which_per = read_per(items)
    years = read_years(items, model)
    # Times first: "between 6 and 9 am" isn't between two values.
    whens, _ = read_when(items, now, language, data)
    seasons = [item for item in items.all if item.used and item.symbol("season ")]
    notes = [
        ("season", {"name": item.text, "start": f"{when.start:%Y-%m-%d}", "stop": f"{when.stop:%Y-%m-%d}"})
        for item, when in zip(seasons, whens, strict=False)
    ]
    return Frame(
        items,
        model,
        now,
        data,
        whens,
        [*years, *read_comparisons(items)],
        lasting,
        top,
        read_unit(items),
        longer,
        all_events,
        is_event,
        per=per,
        which_per=which_per,
        days=days,
        notes=list(notes),
    )
