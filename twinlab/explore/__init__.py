"""SEE: plots (data in, HoloViews out) and explorers (parameters + plots) on a `TwinReader`."""

from __future__ import annotations

import twinlab.explore.accessor  # noqa: F401  (plain xarray data then have ``.twin``)
from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetCard": "card",
        "EventExplorer": "table",
        "EventsView": "events_view",
        "Explorer": "base",
        "HeatExplorer": "heat_view",
        "HistoryView": "history_view",
        "Link": "link",
        "MapView": "map_view",
        "NowView": "now_view",
        "PAGES": "pages",
        "PageSpec": "pages",
        "QualityView": "quality_view",
        "Session": "shared",
        "Shared": "shared",
        "SignalExplorer": "explorer",
        "Workspace": "workspace",
        "align_period": "compare",
        "band_curve": "plots",
        "coarsen": "reading",
        "format_link": "link",
        "join_parts": "view",
        "latest_time": "reading",
        "palette": ":palette",
        "parse_link": "link",
        "shown_table": "event_tables",
        "signal_curve": "plots",
    },
)
