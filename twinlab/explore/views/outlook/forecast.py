"""What comes next: a fan of a signal, with earlier forecasts against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel_material_ui as pmui

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.outlook.computing import Steps
from twinlab.explore.views.outlook.forecasting import Forecasts, compute_forecasts
from twinlab.explore.views.outlook.part import Part, chart_pane, section, text_pane
from twinlab.explore.views.outlook.possible import counted_events, forecast_signals
from twinlab.explore.views.outlook.requests import ForecastRequest
from twinlab.explore.views.outlook.risk import at_of
from twinlab.languages import mark, tr, tr_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr

__all__ = ["ForecastPart"]

_HORIZONS = {mark("6 hours"): "6h", mark("24 hours"): "24h", mark("48 hours"): "48h", mark("7 days"): "7d"}
#: Choices beside the asset types with signals. No asset type has such a name.
_EVENTS, _KPIS = "events:", "kpis:"
_TITLES = {_EVENTS: mark("Counts of events"), _KPIS: "KPIs"}
#: Fewer outcomes say little of a coverage.
_FEW = 30


class ForecastPart(Part):
    """Forecasts of a signal of an asset type, of counts of events, or of a KPI.

    Parameters
    ----------
    twin, shared, on_change
        As for `Part`.
    """

    button: ClassVar[str] = mark("Forecast")
    ready: ClassVar[str] = mark("Nothing is computed before you press Forecast.")

    def __init__(self, twin: Any, *, shared: Any, on_change: Callable[[], None]) -> None:
        super().__init__(twin, shared=shared, on_change=on_change)
        self.result: Forecasts | None = None
        self.signals = forecast_signals(twin.model)
        self.events, self.kpis = counted_events(twin.model), list(twin.model.kpis)
        self.offered = {
            **self.signals,
            **({_EVENTS: list(self.events)} if self.events else {}),
            **({_KPIS: self.kpis} if self.kpis else {}),
        }
        if not self.offered:
            self.nothing(
                tr("Nothing can be forecast"),
                tr("A forecast needs a signal that is a number and a history of it, events of assets, or a KPI."),
            )
            return
        small = {"size": "small"}
        kinds = {tr(_TITLES[one]) if one in _TITLES else readable_name(one): one for one in self.offered}
        self.kind = pmui.Select(label=tr("Of"), options=kinds, value=next(iter(self.offered)), width=150, **small)
        self.signal = pmui.Select(label=tr("Signal"), options=[], width=180, **small)
        self.by = pmui.Select(label=tr("Counted by"), options=[], width=140, visible=False, **small)
        self.horizon = pmui.Select(label=tr("Ahead"), options=tr_keys(_HORIZONS), value="48h", width=110, **small)
        self.past = pmui.Select(label=tr("Earlier forecasts"), options=[0, 1, 3, 7], value=3, width=130, **small)
        self.at = pmui.TextInput(label=tr("As of (UTC)"), value="newest", width=160, **small)
        self.asset = pmui.Select(label=tr("Asset"), options=[], width=170, **small)
        self._offer_signals()
        self.kind.param.watch(lambda _: self._kind_changed(), "value")
        self.signal.param.watch(lambda _: self._offer_links(), "value")
        for one in (self.signal, self.by, self.horizon, self.past, self.at):
            one.param.watch(lambda _: self.choice_changed(), "value")
        self.asset.param.watch(lambda _: self._asset_changed(), "value")
        self._chart, self._words = chart_pane(), text_pane()
        self.results[:] = [
            section(
                tr("Bands: 90 % is expected between their edges"),
                row([self.asset], margin=(8, 0, 4, 0)),
                self._words,
                self._chart,
            )
        ]
        self.parts(row([self.kind, self.signal, self.by, self.horizon, self.past, self.at], margin=(8, 0, 4, 0)))

    def _offer_signals(self) -> None:
        names = self.offered[self.kind.value]
        label = {_EVENTS: tr("Events"), _KPIS: "KPI"}.get(self.kind.value, tr("Signal"))
        titles = {one: self.twin.model.kpis[one].title or one for one in self.kpis} if label == "KPI" else {}
        options = {titles.get(one) or readable_name(one): one for one in names}
        self.signal.param.update(label=label, options=options, value=names[0])
        self._offer_links()

    def _offer_links(self) -> None:
        links = self.events.get(self.signal.value, []) if self.kind.value == _EVENTS else []
        before, self._quiet = self._quiet, True
        wanted = self.by.value if self.by.value in links else next(iter(links), None)
        self.by.param.update(options={readable_name(one): one for one in links}, value=wanted, visible=bool(links))
        self._quiet = before

    def _kind_changed(self) -> None:
        before, self._quiet = self._quiet, True
        self._offer_signals()
        self._quiet = before
        self.choice_changed()

    def _asset_changed(self) -> None:
        if not self._quiet and self.result is not None:
            self._draw()
            self._on_change()

    def request(self) -> ForecastRequest:
        """Return what the choices ask for."""
        given: dict[str, Any] = {
            "horizon": self.horizon.value,
            "at": at_of(self.at.value),
            "past": int(self.past.value),
        }
        if self.kind.value == _EVENTS:
            return ForecastRequest("events", self.signal.value, by=self.by.value, **given)
        if self.kind.value == _KPIS:
            return ForecastRequest("kpi", self.signal.value, **given)
        return ForecastRequest("signal", self.signal.value, asset_type=self.kind.value, **given)

    def computed(self, request: ForecastRequest, steps: Steps) -> Forecasts:
        """Return the forecasts; called in a thread."""
        return compute_forecasts(self.twin, request, steps)

    def show(self) -> None:
        """Offer the assets and draw one."""
        assert self.result is not None
        kind = str(self.result.data.attrs.get("asset_type", ""))
        labels = self.shared.labels(kind) if kind in self.twin.model.asset_types else {}
        assets = [str(one) for one in self.result.data["asset"].values]
        self._quiet = True
        wanted = self.asset.value if self.asset.value in assets else assets[0]
        self.asset.param.update(options={labels.get(one, one): one for one in assets}, value=wanted)
        self._quiet = False
        self._draw()

    def _draw(self) -> None:
        from twinlab.explore.charts.outlook.fan import fan_chart  # noqa: PLC0415  (HoloViews is loaded with the first chart)

        assert self.result is not None
        reason = self.cant_tell()
        self._words.object = tr("**Can't tell**: {reason}.", reason=reason) if reason else self.coverage_words()
        self._chart.visible = True
        self._chart.object = fan_chart(self.result.data, self.result.actual, asset=self.asset.value)

    def cant_tell(self) -> str:
        """Return why the newest forecast of the asset has no number; "" if it has one."""
        from twinlab.predict.predictions.schema import reasons  # noqa: PLC0415

        assert self.result is not None
        found = reasons(self.result.data.isel(issue_time=-1).sel(asset=[self.asset.value])).values.ravel()
        return next((str(one) for one in found if one), "")

    def coverage_words(self) -> str:
        """Return how many outcomes were within the bands, of the asset and of all."""
        assert self.result is not None
        inside, known = self._inside()
        place = list(self.result.data["asset"].values).index(self.asset.value)
        own, all_ = int(known[..., place].sum()), int(known.sum())
        if not all_:
            return tr("Nothing has come yet that these forecasts could be compared with.")
        text = tr(
            "All assets: {mean:.0f} % of {all:,} outcomes were within their bands (90 % promised).",
            mean=100 * inside[known].mean(),
            all=all_,
        )
        if own < _FEW:
            return tr("{text} This asset: {own} outcomes, too few to say more.", text=text, own=own)
        return tr(
            "{text} This asset: {mean:.0f} % of {own:,}.",
            text=text,
            mean=100 * inside[..., place][known[..., place]].mean(),
            own=own,
        )

    def _inside(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.result is not None
        data, truth = self.result.data, self.result.truth
        values = data[str(data.attrs["target"])].transpose("issue_time", "lead_time", "asset", "quantile").to_numpy()
        true = truth.transpose("issue_time", "lead_time", "asset").to_numpy()
        known = np.isfinite(true) & np.isfinite(values).all(axis=-1)
        return (true >= values[..., 0]) & (true <= values[..., -1]), known

    def done(self) -> str:
        """Return what the forecasts are of, and when the newest was issued."""
        assert self.result is not None
        request, issued = self.result.request, self.result.data["issue_time"].values
        text = tr(
            "{request}, {horizon} ahead, issued {issued} UTC",
            request=_words(request),
            horizon=request.horizon,
            issued=shown_instant(issued[-1]),
        )
        if len(issued) > 1:
            known = tr("event times") if request.by_event_time else "arrival"
            text += f"; {len(issued) - 1} earlier {'ones use' if len(issued) > 2 else 'one uses'} the rows known before it by {known}"
        return f"{text}."

    def apply(self, link: Link) -> list[str]:
        """Set the choices from a link; returns a message for each wrong value."""
        problems: list[str] = []
        if not self.offered:
            return problems
        self._quiet = True
        try:
            wanted = _KPIS if link.kpi else _EVENTS if link.event_type else link.asset_type
            if wanted in self.offered and wanted != self.kind.value:
                self.kind.value = wanted
                self._quiet = True
            what = {_KPIS: "KPI", _EVENTS: "event type"}.get(self.kind.value, "signal")
            asked = link.kpi or link.event_type or link.signal
            name = known_or_problem(asked, self.offered[self.kind.value], what, problems)
            if name:
                self.signal.value = name
            if self.kind.value == _EVENTS:
                links = self.events[self.signal.value]
                self.by.value = known_or_problem(link.by, links, "link", problems) or links[0]
            self.horizon.value = known_or_problem(link.horizon, _HORIZONS.values(), "horizon", problems) or "48h"
            self.at.value = "newest" if link.at is None else str(link.at.astype("datetime64[m]"))
            past = link.replications or "3"
            if past not in {"0", "1", "3", "7"}:
                problems.append(tr("expected 0, 1, 3 or 7 earlier forecasts, got {past!r}; 3 are chosen", past=past))
                past = "3"
            self.past.value = int(past)
            if link.assets:
                # It is offered once there is a forecast.
                self.asset.param.update(options=[link.assets[0]], value=link.assets[0])
        finally:
            self._quiet = False
        return problems

    def link(self) -> dict[str, Any]:
        """Return the choices as fields of a link."""
        if not self.offered:
            return {}
        try:
            at = at_of(self.at.value)
        except ValueError:
            at = None
        names = {"asset_type": self.kind.value, "signals": (self.signal.value,)}
        if self.kind.value == _EVENTS:
            names = {"event_type": self.signal.value, "by": self.by.value}
        elif self.kind.value == _KPIS:
            names = {"kpi": self.signal.value}
        return {
            **names,
            "horizon": self.horizon.value,
            "at": at,
            "replications": str(self.past.value),
            "assets": (self.asset.value,) if self.asset.value else None,
        }

    def code(self, open_code: str) -> str:
        """Return Python that computes the forecasts as ``data``."""
        return "" if self.result is None else self.result.request.code(open_code)

    def data(self) -> xr.Dataset | None:
        """Return the forecasts of all assets."""
        return None if self.result is None else self.result.data

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the forecasts of all assets with their true values."""
        from twinlab.predict.predictions.scoring import long_table, score_predictions  # noqa: PLC0415

        if self.result is None:
            return {}
        found = {"forecasts": long_table(self.result.data, self.result.truth)}
        if np.isfinite(self.result.truth.values).any():
            found["scores by lead time"] = score_predictions(self.result.data, self.result.truth)
        return found

    def settings(self) -> dict[str, str]:
        """Return the choices as text."""
        if self.result is None:
            return {}
        request = self.result.request
        return {
            "of": _words(request),
            "ahead": request.horizon,
            tr("issued (UTC)"): ", ".join(shown_instant(one) for one in self.result.data["issue_time"].values),
            tr("drawn asset"): str(self.asset.value),
        }

    def figure(self) -> Any:
        """Return the fan."""
        from twinlab.explore.charts.outlook.fan import fan_chart  # noqa: PLC0415

        if self.result is None:
            return None
        return fan_chart(self.result.data, self.result.actual, asset=self.asset.value)


def _words(request: ForecastRequest) -> str:
    """Return what is forecast, in words."""
    name = readable_name(request.name)
    if request.of == "events":
        return tr("Counts of {name} by {by}", name=name.lower(), by=readable_name(request.by).lower())
    return (
        tr("KPI {name}", name=name.lower())
        if request.of == "kpi"
        else tr("{name} of {asset_type}", name=name.capitalize(), asset_type=readable_name(request.asset_type).lower())
    )
