"""SEE: charts (data in, HoloViews out) and explorers (parameters and charts) on a `TwinReader`.

In: anything that reads like a twin, or plain xarray data. Out: Panel objects, files, and the Python that gives the
same.
Read in order: `charts` (drawing), `kit` (what all views share), `files` (exports), `views` (explorers, each usable
alone), `pages` (compositions of views), `page_registry`, `workspace` (all pages of a twin), `accessor` (``.twin`` on
xarray).
Never: a view that knows another view or a page, a request to another host, a twin's own names.
"""

from __future__ import annotations

import twinlab.explore.accessor  # noqa: F401  (plain xarray data then have ``.twin``)
from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AskView": "views.asking.view",
        "AssetCard": "views.card.card",
        "EventExplorer": "views.events.explorer",
        "EventsAndKpisView": "pages.events.parts",
        "EventsView": "pages.events.page",
        "Explorer": "views.base",
        "FinderExplorer": "views.finder.explorer",
        "HeatExplorer": "views.heatmap.explorer",
        "HistoryView": "pages.history.page",
        "KpiExplorer": "views.kpis.explorer",
        "Link": "kit.link",
        "MapView": "views.map.explorer",
        "NowView": "pages.now.page",
        "PAGES": "page_registry",
        "PageSpec": "page_registry",
        "QualityView": "pages.quality.page",
        "Session": "kit.session",
        "Shared": "kit.session",
        "SignalExplorer": "views.signals.explorer",
        "WhatIfExplorer": "views.what_if.explorer",
        "Workspace": "workspace",
        "align_period": "views.signals.compare",
        "band_chart": "charts.what_if.bands",
        "band_curve": "charts.plots",
        "coarsen": "charts.reading",
        "difference_chart": "charts.what_if.differences",
        "difference_map": "charts.what_if.difference_map",
        "duration_bars": "charts.events.histogram",
        "format_link": "kit.link",
        "join_parts": "views.signals.view",
        "kpi_chart": "charts.kpis.kpi",
        "latest_time": "charts.reading",
        "overlay_curves": "charts.events.curves",
        "palette": ":charts.palette",
        "pareto_bars": "charts.events.pareto",
        "parse_link": "kit.link",
        "shown_table": "kit.tables.event_tables",
        "signal_curve": "charts.plots",
        "timeline_bars": "charts.events.windows",
    },
)
