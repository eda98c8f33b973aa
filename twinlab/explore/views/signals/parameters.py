"""What the signal explorer's reader chooses: parameters whose choices follow one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import param

from twinlab.explore.charts.reading import Window, data_span
from twinlab.explore.kit.link import Link
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.signals.periods import Anchor
from twinlab.explore.views.signals.request import understand

__all__ = ["SignalChoices"]


class SignalChoices(Explorer):
    """Kind of asset, signals, assets, window and how they're drawn; whatever changes, what is shown is read once."""

    asset_type = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="kind of asset")
    signal = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="the first signal")
    signals = param.ListSelector(default=[], objects=[], check_on_set=True, doc="what is measured, up to four")
    assets = param.ListSelector(default=[], objects=[], check_on_set=True, doc="assets that are drawn")
    window = param.DateRange(default=None, allow_None=True, doc="visible span, UTC, half-open; None is everything")
    layout = param.Selector(
        default="together", objects=["together", "multiples"], check_on_set=True, doc="one chart, or one an asset"
    )
    compare = param.String(default="", doc="another period: -7d, +1y, or event for earlier events; '' is none")
    zone = param.String(default="", doc="IANA zone by whose clock periods are aligned; '' is UTC")
    anchor = param.ClassSelector(class_=Anchor, default=None, allow_None=True, doc="the event to align by")
    show_flags = param.Boolean(default=True, doc="mark suspect, failed and missing samples")
    full_range = param.Boolean(default=False, doc="let failed samples stretch the value axis")
    follow = param.Boolean(default=False, doc="keep the window's end at the newest sample")
    selecting = param.Boolean(default=False, doc="dragging selects a span instead of zooming to it")
    brush = param.Parameter(default=None, allow_None=True, doc="span that the reader has selected")
    marked = param.Parameter(default=None, allow_None=True, doc="span of a chosen event, drawn behind the curves")

    _span: Window | None = None
    # Whether the span could be read.
    _known = True

    def apply(self, link: Link) -> None:
        """Show what a link asks for; a wrong value becomes a notice, and what a link doesn't say is the usual."""
        types = self.param.asset_type.objects
        wanted, problems = understand(link, types, self.shared.choices, list(self.param.layout.objects))
        with self._silently():
            if types:
                self.asset_type = wanted.pop("asset_type")
                self._offer()
            # What a link names wins; what it doesn't name stays.
            self.param.update(**wanted)
            self.signal = next(iter(self.signals), None)
        self.notice = " · ".join(problems)
        self._selection_changed()

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Change several things as one: they're read and drawn once, at the end."""
        with self._silently():
            yield
        if not self._quiet:
            self._selection_changed()

    def _offer(self) -> None:
        """Offer the signals and assets of the chosen type, and keep what still fits."""
        kind = str(self.asset_type)
        names, labels = self.shared.choices.signals(kind), self.shared.choices.assets(kind)
        signals = [s for s in self.signals if s in names.values()] or list(names.values())[:1]
        assets = [a for a in self.assets if a in labels.values()] or self.shared.choices.first(kind)
        # Choices first emptied, so that no value is ever outside its choices.
        self.param.update(signal=None, signals=[], assets=[])
        self.param.signal.objects, self.param.signals.objects = names, names
        self.param.assets.objects = labels
        self.param.update(signal=signals[0], signals=signals, assets=assets)

    def _find_span(self) -> None:
        spans = [self._span_of(str(self.asset_type), signal) for signal in self.signals]
        known = [span for span in spans if span is not None]
        self._span = (min(s[0] for s in known), max(s[1] for s in known)) if known else None

    def _span_of(self, kind: str, signal: str) -> Window | None:
        """The span of a signal; read once for all readers."""

        def read() -> Window | None:
            return data_span(self.twin, asset_type=kind, signal=signal)

        return self.shared.kept(("span", kind, signal), read)

    @param.depends("asset_type", watch=True)
    def _type_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self._offer()
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
        """Read what is chosen, and draw it."""
        raise NotImplementedError
