"""SEE: plots (data in, HoloViews out) and explorers (parameters + plots) on a `TwinReader`."""

from __future__ import annotations

import twinlab.explore.accessor  # noqa: F401  (plain xarray data then have ``.twin``)
from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetCard": "views.card.card",
        "EventExplorer": "views.events.explorer",
        "EventsView": "pages.events.page",
        "Explorer": "views.base",
        "HeatExplorer": "views.heatmap.explorer",
        "HistoryView": "pages.history.page",
        "Link": "kit.link",
        "MapView": "views.map.explorer",
        "NowView": "pages.now.page",
        "PAGES": "page_registry",
        "PageSpec": "page_registry",
        "QualityView": "pages.quality.page",
        "Session": "kit.session",
        "Shared": "kit.session",
        "SignalExplorer": "views.signals.explorer",
        "Workspace": "workspace",
        "align_period": "views.signals.compare",
        "band_curve": "charts.plots",
        "coarsen": "charts.reading",
        "format_link": "kit.link",
        "join_parts": "views.signals.view",
        "latest_time": "charts.reading",
        "palette": ":charts.palette",
        "parse_link": "kit.link",
        "shown_table": "kit.event_tables",
        "signal_curve": "charts.plots",
    },
)
