"""Choose the call of a question about assets themselves: how many there are, which, or a fact about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from twinlab.ask.choosing.asset_limits import equal_assets, equal_numbers, limits_of
from twinlab.ask.choosing.asset_times import elapsed_of, later_of
from twinlab.ask.parsing.years import is_year
from twinlab.ask.plans.plan import AssetCall, Related

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.plans.plan import AssetMeasure, Span
    from twinlab.model.asset_types import AssetType

__all__ = ["asset_call"]


def asset_call(frame: Frame) -> AssetCall | None:
    """Return a call about assets themselves; None if the question names no asset type and no asset."""
    types = frame.asset_types or list(dict.fromkeys(one.of for _, found in frame.assets for one in found))
    if not types:
        having = {
            one.of for _, found in frame.items.unused("property") for one in found if one.of in frame.model.asset_types
        }
        types = list(having) if len(having) == 1 else []
    if not types:
        return None
    if len(types) > 1 and frame.items.has("highest", "lowest") and _is_linked(frame, types[1], types[0]):
        # "Which hub has the most parcels" counts parcels.
        types = [types[1], types[0]]
    return _AssetQuestion(frame, types[0]).call()


class _AssetQuestion:
    """A question about the assets of one type, read part by part.

    Parameters
    ----------
    frame : Frame
    on : str
        Asset type.
    """

    def __init__(self, frame: Frame, on: str) -> None:
        self.frame, self.on, self.kind = frame, on, frame.model.asset_types[on]
        self.known: str | None = None
        self.column: str | None = None
        self.during: str | None = None

    def call(self) -> AssetCall:
        """Return the call."""
        frame = self.frame
        frame.items.take("now", "latest")
        self._read_which()
        self._read_column()
        self._read_order()
        self._read_known()
        assets = frame.take_assets(self.on) or None
        measure = self._measure(assets)
        if assets is not None and frame.which_type and self.column is None and measure == "list":
            # "Which airline is B6" asks for its name.
            self.column = self.kind.label
        named = (
            self.column,
            self.elapsed,
            self.limits,
            self.where,
            self.related,
            self.later,
            self.by,
            self.lacking,
            self.known,
        )
        if assets is not None and measure in ("list", "count") and not any(named) and not frame.items.has("list"):
            # A list of one asset answers nothing.
            frame.refuse("about_asset", asset=", ".join(assets))
        span = self._span(measure)
        if frame.per in ("weekday", "hour"):
            frame.refuse("no_per", per=frame.per)
        per = frame.per if self.during is not None else None
        return AssetCall(
            on=self.on, measure="count" if per else measure, column=None if per else self.column, elapsed=self.elapsed, assets=assets,
            where=self.where, related=self.related, span=span, during=self.during if span or per else None, per=per,
            limits=self.limits, later=self.later, by=self.by, lacking=self.lacking, known=self.known, at=frame.at.isoformat(), order=self.order,
            top=frame.top or (1 if self.order and (frame.which_type or self.by or per) else None),
        )  # fmt: skip

    def _read_which(self) -> None:
        """Read which assets: their values, times, links and limits."""
        frame, on = self.frame, self.on
        self.where = frame.take_ends(on) | equal_numbers(frame, on) | equal_assets(frame, on)
        self.later = later_of(frame, on)
        self.elapsed = elapsed_of(frame, on)
        # "Which trucks are based in Hamburg": the hub is what they are linked to.
        self.related = _of_linked(frame, on) or frame.take_related(on)
        self.by = _counted_by(frame, on)
        frame.take_asset_type(on)
        self.limits = limits_of(frame, on)
        self.lacking = _lacking(frame, on)

    def _read_column(self) -> None:
        """Read the property that is asked for."""
        frame, on = self.frame, self.on
        self.distinct = _distinct(frame, on)
        self.summed = _summed(frame, on)
        self.where |= frame.take_values(on)
        if not frame.per:
            self.where |= _booleans(frame, on)
        chosen = self.distinct or self.summed
        self.column, self.during = (chosen, None) if chosen else _property(frame, on)
        if self.column is not None and is_year(self.column, self.kind.properties[self.column].title):
            frame.items.take("unit year")
        if self.column in self.where:
            # "Made by Airbus".
            self.column = None
        self.counted = frame.items.take("count", "how_often") is not None
        self.share = frame.items.take("share") is not None

    def _read_order(self) -> None:
        """Read which come first, and by what."""
        frame, properties = self.frame, self.kind.properties
        self.order, hint = _order(frame)
        if self.order is None:
            return
        if hint in properties and self.column is None:
            self.column = hint
        alone = self.column is None and self.by is None and self.elapsed is None
        if not hint and alone and "altitude" in properties:
            # "The highest airport".
            self.column, alone = "altitude", False
            frame.note("ordered", name="altitude")
        if self.by is not None and (self.column is None or _of_a_verb(self.kind, self.column)):
            # "Which manufacturer built the most".
            self.column, self.counted = None, True
        elif alone and self.column is None:
            frame.refuse("order")

    def _read_known(self) -> None:
        """Read whether a time has to have come: "how many parcels are delivered"."""
        frame = self.frame
        counts = self.counted or (frame.which_type and not frame.items.has("when"))
        timed = self.column is not None and self.kind.properties[self.column].dtype == "time"
        if timed and self.order is None and counts:
            self.known, self.column = self.column, None

    def _measure(self, assets: list[str] | None) -> AssetMeasure:
        """Return what is asked of the assets."""
        frame, column = self.frame, self.column
        alone = assets is not None and len(assets) == 1
        if self.share or self.distinct or (self.summed and not alone):
            return "share" if self.share else "distinct" if self.distinct else "sum"
        measure = _measure(
            frame, counted=self.counted or (self.by is not None and column is None and self.elapsed is None)
        )
        if measure == "count" and column is not None and assets is not None:
            measure = "list"
        numeric = column is not None and self.kind.properties[column].dtype in ("number", "integer")
        if measure not in ("count", "list") and self.elapsed is None and not numeric:
            frame.refuse("no_number", type=self.kind.title or self.on)
        if frame.items.take("in_total") and measure == "list" and numeric and self.order is None:
            measure = "sum"
        return measure

    def _implied_time(self) -> str | None:
        """Return the time that begins the title of a property which is used: "handed in at Hamburg" says when, too."""
        titles = [item.text.casefold() for item in self.frame.items.all if item.used and item.of_kind("property")]
        for name, one in self.kind.properties.items():
            title = (one.title or name).casefold()
            if one.dtype == "time" and any(text.startswith(f"{title} ") for text in titles):
                return name
        return None

    def _span(self, measure: str) -> Span | None:
        """Return the span of the time that the question names; raises if nothing of the assets is in it."""
        frame = self.frame
        if not frame.whens:
            return None
        if self.during is None:
            self.during = self.later.column if self.later is not None else self._implied_time()
        if self.during is not None:
            return frame.span
        if all(one is None for one in (self.related, self.by, self.lacking, self.known)):
            key = "time_unused" if measure != "count" else "no_time_of_assets"
            frame.refuse(key, type=self.kind.title or self.on)
        return None


def _of_a_verb(kind: AssetType, column: str) -> bool:
    """Return whether a property is a time or a year, which is named by what was done: built, delivered."""
    return kind.properties[column].dtype == "time" or is_year(column, kind.properties[column].title)


def _is_linked(frame: Frame, source: str, target: str) -> bool:
    return any((link.source, link.target) == (source, target) for link in frame.model.relationships.values())


def _booleans(frame: Frame, on: str) -> dict[str, str]:
    """Use properties that are so or not: "chilled parcels"."""
    properties = frame.model.asset_types[on].properties
    found: dict[str, str] = {}
    for place, meanings in frame.items.unused("property"):
        for one in meanings:
            if one.of == on and properties[one.name].dtype == "boolean":
                frame.items.use(place)
                found[one.name] = "False" if frame.items.take("not") else "True"
    return found


def _of_linked(frame: Frame, on: str) -> Related | None:
    """Use an asset that those which are asked for are linked from: "which truck has parcel 10001", "at which hub does F01 work"."""
    for place, meanings in frame.assets:
        for one in meanings:
            links = frame.model.relationships.items()
            names = [name for name, link in links if link.source == one.of and link.target == on and one.of != on]
            named = [meaning.name for _, found in frame.items.unused("relationship") for meaning in found]
            chosen = next((name for name in names if name in named), names[0] if names else None)
            if chosen is None:
                continue
            frame.items.use(place)
            for other, found in frame.items.unused("relationship"):
                if any(meaning.name == chosen for meaning in found):
                    frame.items.use(other)
            frame.take_asset_type(one.of)
            if len(names) > 1 and chosen not in named:
                frame.note("relationship", name=chosen)
            return Related(relationship=chosen, target=one.name, inverse=True, span=frame.past_span(chosen))
    return None


def _distinct(frame: Frame, on: str) -> str | None:
    """Use a text whose different values are counted: "how many manufacturers are there"."""
    properties = frame.model.asset_types[on].properties
    if not frame.items.has("count"):
        return None
    for place, meanings in frame.items.unused("property"):
        names = [one.name for one in meanings if one.of == on and properties[one.name].dtype == "text"]
        if names and frame.preceded_by(place, "count", "distinct"):
            frame.items.use(place)
            while frame.items.take("count", "distinct"):
                pass
            return names[0]
    return None


def _summed(frame: Frame, on: str) -> str | None:
    """Use a number right after "how many": the seats of all aircraft together, or those of one."""
    properties = frame.model.asset_types[on].properties
    if frame.items.has("mean", "median", "maximum", "minimum", "by", "highest", "lowest"):
        return None
    for place in range(len(frame.items) - 1):
        if not frame.items.is_symbol(place, "count", "how_much") or not frame.items.free(place + 1):
            continue
        for one in frame.items[place + 1].of_kind("property"):
            if one.of == on and properties[one.name].dtype in ("number", "integer"):
                frame.items.use(place, place + 1)
                return one.name
    return None


def _measure(frame: Frame, *, counted: bool) -> AssetMeasure:
    """Return what is asked of the assets: how many, which, or a statistic."""
    measure: AssetMeasure = "count" if counted else "list"
    for symbol, name in (
        ("mean", "mean"),
        ("median", "median"),
        ("maximum", "max"),
        ("minimum", "min"),
        ("sum", "sum"),
    ):
        if frame.items.take(symbol):
            measure = name  # type: ignore[assignment]
    return measure


def _order(frame: Frame) -> tuple[Literal["highest", "lowest"] | None, str]:
    """Return which end is asked for first, and the property that the word implies ("heaviest")."""
    found = frame.items.take("highest", "lowest", "highest ", "lowest ")
    if found is None:
        return None, ""
    direction, _, hint = found.partition(" ")
    return ("highest" if direction == "highest" else "lowest"), hint


def _counted_by(frame: Frame, on: str) -> str | None:
    """Use what assets are counted by: "trucks per hub", "aircraft by manufacturer"."""
    model = frame.model
    most = frame.items.has("highest", "lowest")
    for place in range(len(frame.items) - 1):
        after = place + 1
        asked = most and frame.items.is_symbol(place, "which", "common")
        while asked and frame.items.is_symbol(after, "filler", "highest", "lowest", "common"):
            after += 1
        if not (asked or frame.items.is_symbol(place, "by")) or not frame.items.free(after):
            continue
        for one in frame.items[after].of_kind("property", "asset_type", "relationship"):
            names = [
                name for name, link in model.relationships.items()
                if link.source == on and one.name == (link.target if one.kind == "asset_type" else name)
            ]  # fmt: skip
            if one.kind == "property" and one.of == on and model.asset_types[on].properties[one.name].dtype == "text":
                names = [one.name]
            if names and (not asked or one.kind == "property" or len(frame.asset_types) > 1):
                frame.items.use(place, after)
                frame.items.take("common")
                if len(names) > 1:
                    frame.note("relationship", name=names[0])
                return names[0]
    return None


def _lacking(frame: Frame, on: str) -> str | None:
    """Use a time that hasn't come: "not delivered yet"."""
    properties = frame.model.asset_types[on].properties
    if frame.whens or not frame.items.has("not"):
        return None
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of == on and properties[one.name].dtype == "time":
                frame.items.use(place)
                frame.items.take("not")
                return one.name
    return None


def _property(frame: Frame, on: str) -> tuple[str | None, str | None]:
    """Return the property that is asked for, and the time that has to be in the span."""
    column: str | None = None
    during: str | None = None
    kind = frame.model.asset_types[on]
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of != on:
                continue
            if kind.properties[one.name].dtype == "time" and (frame.whens or frame.per) and during is None:
                during = one.name
            elif column is None:
                column = one.name
            elif one.name != column:
                continue
            frame.items.use(place)
            break
    return column, during
