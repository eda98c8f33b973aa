"""Parameters of the signal explorer, whose choices depend on one another, and how a link sets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import param

from twinlab.errors import SchemaError
from twinlab.explore.charts.reading import Window, data_span
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.signals.compare import parse_shift
from twinlab.explore.views.signals.periods import Anchor, parse_anchor
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.charts.choices import Choices

__all__ = ["MAX_ASSETS", "MAX_MULTIPLES", "MAX_SIGNALS", "SignalParameters", "link_parameters"]

#: Largest number of assets in one chart; more curves are hard to distinguish.
MAX_ASSETS = 6
#: Largest number of small charts.
MAX_MULTIPLES = 24
MAX_SIGNALS = 4


class SignalParameters(Explorer):
    """Asset type, signals, assets, window and display options; any change updates the charts once."""

    asset_type = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="kind of asset")
    signal = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="the first signal")
    signals = param.ListSelector(default=[], objects=[], check_on_set=True, doc="what is measured, up to four")
    assets = param.ListSelector(default=[], objects=[], check_on_set=True, doc="selected assets")
    window = param.DateRange(default=None, allow_None=True, doc="visible span, UTC, half-open; None is everything")
    layout = param.Selector(
        default="together", objects=["together", "multiples"], check_on_set=True, doc="one chart, or one an asset"
    )
    compare = param.String(default="", doc="another period: -7d, +1y, or event for earlier events; '' is none")
    zone = param.String(default="", doc="IANA zone by whose clock periods are aligned; '' is UTC")
    anchor = param.ClassSelector(class_=Anchor, default=None, allow_None=True, doc="the event to align by")
    show_flags = param.Boolean(default=True, doc="mark suspect, failed and missing samples")
    full_range = param.Boolean(default=False, doc="let failed samples stretch the value axis")
    follow = param.Boolean(default=False, doc="move the window's end with the newest sample")
    selecting = param.Boolean(default=False, doc="dragging selects a span instead of zooming to it")
    brush = param.Parameter(default=None, allow_None=True, doc="selected span")
    marked = param.Parameter(default=None, allow_None=True, doc="span of a selected event, drawn behind the curves")

    _span: Window | None = None
    # Whether the span could be read.
    _known = True

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice, and missing ones the default."""
        types = self.param.asset_type.objects
        wanted, problems = link_parameters(link, types, self.shared.choices, list(self.param.layout.objects))
        with self._silently():
            if types:
                self.asset_type = wanted.pop("asset_type")
                self._update_choices()
            # Parameters that the link leaves out are unchanged.
            self.param.update(**wanted)
            self.signal = next(iter(self.signals), None)
        self.notice = " · ".join(problems)
        self._selection_changed()

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Change several parameters with one update at the end."""
        with self._silently():
            yield
        if not self._quiet:
            self._selection_changed()

    def _update_choices(self) -> None:
        """Update the choices for the selected asset type; signals and assets that are still valid stay selected."""
        kind = str(self.asset_type)
        names, labels = self.shared.choices.signals(kind), self.shared.choices.assets(kind)
        signals = [s for s in self.signals if s in names.values()] or list(names.values())[:1]
        assets = [a for a in self.assets if a in labels.values()] or self.shared.choices.first(kind)
        # Values are cleared first, so that none is ever outside its choices.
        self.param.update(signal=None, signals=[], assets=[])
        self.param.signal.objects, self.param.signals.objects = names, names
        self.param.assets.objects = labels
        self.param.update(signal=signals[0], signals=signals, assets=assets)

    def _find_span(self) -> None:
        spans = [self._span_of(str(self.asset_type), signal) for signal in self.signals]
        known = [span for span in spans if span is not None]
        self._span = (min(s[0] for s in known), max(s[1] for s in known)) if known else None

    def _span_of(self, kind: str, signal: str) -> Window | None:
        """Return the span of a signal, cached for all readers."""

        def read() -> Window | None:
            return data_span(self.twin, asset_type=kind, signal=signal)

        return self.shared.cached(("span", kind, signal), read)

    @param.depends("asset_type", watch=True)
    def _type_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self._update_choices()
        self._selection_changed()

    @param.depends("signal", watch=True)
    def _signal_changed(self) -> None:
        if not self._quiet:
            self.signals = [] if self.signal is None else [self.signal]

    @param.depends("signals", watch=True)
    def _signals_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self.signal = next(iter(self.signals), None)
        self._selection_changed()

    @param.depends("assets", "layout", "compare", "zone", "anchor", watch=True)
    def _selection_changed(self) -> None:
        if self._quiet:
            return
        self._known = self._guarded(self._find_span)
        self._redraw()

    @param.depends("window", watch=True)
    def _window_changed(self) -> None:
        if not self._quiet:
            self._redraw()

    def _redraw(self, *, move: bool = True) -> None:
        """Read and draw the selection."""
        raise NotImplementedError


def link_parameters(
    link: Link, types: Sequence[str], choices: Choices, layouts: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters that a link sets, and a message for each wrong value."""
    problems = list(link.problems)
    wanted: dict[str, Any] = {
        "window": link.window,
        "show_flags": True if link.show_flags is None else link.show_flags,
        "full_range": bool(link.full_range),
        "layout": known_or_problem(link.layout, layouts, "layout", problems) or "together",
        **_compare_parameters(link.compare, problems),
    }
    if not types:
        return wanted, problems
    kind = known_or_problem(link.asset_type, types, "asset type", problems) or next(iter(types))
    wanted["asset_type"] = kind
    for name, what, known in (
        ("signals", "signal", choices.signals(kind)),
        ("assets", "asset", choices.assets(kind)),
    ):
        known_values = [known_or_problem(value, known.values(), what, problems) for value in getattr(link, name) or ()]
        found = list(dict.fromkeys(value for value in known_values if value is not None))
        if found:
            wanted[name] = found
    return wanted, problems


def _compare_parameters(text: str | None, problems: list[str]) -> dict[str, Any]:
    """Return the parameters ``compare``, ``zone`` and ``anchor`` from the ``compare=`` of a link."""
    nothing = {"compare": "", "zone": "", "anchor": None}
    if not text:
        return nothing
    try:
        if text.startswith("event"):
            return {"compare": "event", "zone": "", "anchor": parse_anchor(text)}
        shift = parse_shift(text)
    except SchemaError as error:
        problems.append(tr("compare={text!r} is ignored: {error}", text=text, error=error))
        return nothing
    return {"compare": shift.text.split("@")[0], "zone": shift.zone or "", "anchor": None}
