"""The page that shows what a plan reads: its link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.kit.link import Link

if TYPE_CHECKING:
    from twinlab.ask import Plan
    from twinlab.model.twinmodel import TwinModel

__all__ = ["plan_link"]

#: Assets that a chart shows at once.
_MOST_ASSETS = 6


def plan_link(plan: Plan, model: TwinModel, *, assets: tuple[str, ...] = ()) -> Link | None:
    """Return the link of the page that shows a plan's asset type, assets, span or instant; None if no page does.

    Parameters
    ----------
    plan : Plan
    model : TwinModel
        As the reader sees it.
    assets : tuple of str
        Those of the answer, for a plan that names none.

    >>> from twinlab.ask import Plan
    >>> from twinlab.testing import FakeTwin
    >>> call = {"do": "where", "on": "truck", "asset": "T1", "at": "2026-01-05T06:00"}
    >>> plan_link(Plan(question="Where is T1?", call=call), FakeTwin.example(days=1, trips=3).model).page
    'map'
    """
    call: Any = plan.call
    span = getattr(call, "span", None)
    window = None if span is None else (np.datetime64(span.start, "ns"), np.datetime64(span.stop, "ns"))
    some = (tuple(getattr(call, "assets", None) or assets) or None) if call.do in ("summary", "find", "rule") else None
    some = None if some is None else some[:_MOST_ASSETS]
    match call.do:
        case "summary":
            return Link(page="history", asset_type=call.on, signals=(call.signal,), assets=some, window=window)
        case "find":
            return Link(
                page="events", part="find", asset_type=call.on, when=call.condition, lasting=call.lasting, window=window
            )
        case "rule":
            on = model.rules[call.rule].on
            signals = on in model.asset_types and bool(model.asset_types[on].signals)
            return Link(page="history" if signals else "now", asset_type=on, assets=some, window=window)
        case "events":
            return Link(page="events", part="recorded", event_type=call.on, window=window)
        case "kpi":
            return Link(page="events", part="kpis", kpi=call.kpi, by=call.by, every=call.every, window=window)
        case "where":
            return Link(page="map", asset_type=call.on, assets=(call.asset,), at=np.datetime64(call.at, "ns"))
        case "attention":
            return Link(page="now", at=np.datetime64(call.at, "ns"))
        case _:
            return None
