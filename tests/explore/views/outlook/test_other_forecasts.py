"""On the page Outlook counts of events and KPIs are forecast, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.twin.predict.test_forecasts import twin
from twinlab.explore.kit.link import Link, format_link, parse_link
from twinlab.explore.views.outlook.explorer import OutlookExplorer

__all__ = ["twin"]

LINKS = {
    "events": Link(part="forecast", event_type="visit", by="gate", horizon="24h", replications="1"),
    "kpi": Link(part="forecast", kpi="open_share", horizon="7d", replications="1"),
}


@pytest.mark.parametrize("of", LINKS)
def test_what_is_forecast_is_chosen_drawn_compared_and_copied(twin: Any, of: str) -> None:
    view = OutlookExplorer(twin, link=LINKS[of])
    assert view.notice == ""
    view.compute()
    part = view.shown
    assert part.fault == ""
    data, result = view.data(), part.result
    assert data.sizes["issue_time"] == 2
    # The earlier forecast is compared with what came since, wherever it is known.
    assert np.isfinite(result.truth.sel(issue_time=data["issue_time"].values[0]).values).any()
    known = result.truth.isel(issue_time=0).sel(asset=part.asset.value).dropna("lead_time")
    ends = data["issue_time"].values[0] + known["lead_time"].values
    drawn = result.actual.sel(asset=part.asset.value, time=ends).values
    np.testing.assert_allclose(drawn, known.values)
    assert {"newest", "what came"} <= {str(one.label) for one in view.figure().values()}
    again = OutlookExplorer(twin, link=parse_link(format_link(view.link())))
    assert again.link() == view.link()
    names = {"twin": twin}
    exec(view.code().replace(view.open_code, ""), names)
    assert names["data"].equals(data)


def test_what_events_are_counted_by_is_offered(twin: Any) -> None:
    part = OutlookExplorer(twin, link=Link(part="forecast")).shown
    assert not part.by.visible
    part.kind.value = "events:"
    assert part.by.visible
    assert list(part.by.options.values()) == ["asset", "gate"]
    assert part.signal.label == "Events"
    part.kind.value = "kpis:"
    assert part.signal.options == {"Open": "open_share"}
    assert not part.by.visible


def test_wrong_names_in_a_link_are_a_notice(twin: Any) -> None:
    view = OutlookExplorer(twin, link=parse_link("?page=outlook&part=forecast&kpi=opne_share"))
    assert "opne_share" in view.notice
    view = OutlookExplorer(twin, link=parse_link("?page=outlook&part=forecast&event=visit&by=gaet"))
    assert "gaet" in view.notice
