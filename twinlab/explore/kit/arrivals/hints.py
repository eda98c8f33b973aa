"""Why no delays are shown: nothing is predicted, nothing is stored yet, or what is stored is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.arrivals.predicted import FORGOTTEN, clock
from twinlab.explore.kit.exception_text import age_text
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.languages import tr

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.session import Shared
    from twinlab.model.asset_types import EventType
    from twinlab.model.twinmodel import TwinModel

__all__ = ["why_no_arrivals"]


def why_no_arrivals(shared: Shared, at: np.datetime64 | None, *, asset_type: str | None = None) -> str:
    """Return why a page has no predicted delays to show, as a sentence; empty of a twin whose lateness nobody asks for.

    Parameters
    ----------
    shared : Shared
    at : datetime64
        Instant that is shown.
    asset_type : str, optional
        Only of events in which assets of the type take part.
    """
    stored, model = getattr(shared.twin, "predictions", None), shared.twin.model
    kinds = _kinds(model, asset_type)
    if at is None or stored is None or not kinds:
        return ""
    rules = {name: rule for name, rule in model.predictions.items() if rule.delay in kinds}
    last = shared.cached(("last predictions", tuple(kinds)), lambda: _last(stored, kinds))
    if last is not None and last <= pd.Timestamp(at):
        if pd.Timestamp(at) - last > FORGOTTEN:
            ago = age_text(pd.Timestamp(at) - last)
            return tr(
                "The last delays were predicted {ago} ago; predictions older than a day aren't shown.{stored}",
                ago=ago,
                stored=_error(stored, list(rules)),
            )
        return ""
    if not rules:
        name = kinds[0]
        text = tr("Delays of {model} aren't predicted.", model=_title(model, name))
        if not has_live_sources(shared.twin):
            return tr("{text} In Python:  twin.delay({name!r}, store={s!r})", text=text, name=name, s=name + "s")
        return f"{text} To predict them while twinlab run runs, add to twin.yaml:  predictions: {{{name}s: {{delay: {name}}}}}"
    name, rule = next(iter(rules.items()))
    tried = stored.rounds().get(name)
    said = tr("none is stored yet") if tried is None else tr("none was stored at {at} UTC", at=clock(tried["at"], at))
    return tr(
        "Delays of {model} are predicted each {every} while twinlab run runs; {said}.{stored}",
        model=_title(model, rule.delay),
        every=rule.every,
        said=said,
        stored=_error(stored, list(rules)),
    )


def _kinds(model: TwinModel, asset_type: str | None) -> list[str]:
    """Return the event types whose lateness a rule or a prediction asks for."""
    asked = [rule.on for rule in model.rules.values() if rule.late is not None]
    asked += [rule.delay for rule in model.predictions.values()]

    def takes_part(spec: EventType) -> bool:
        return asset_type is None or asset_type in (spec.asset, *spec.links.values())

    # Events whose asset takes a link, such as a parcel's truck, first: they are what somebody waits for.
    found = [name for name in dict.fromkeys(asked) if name in model.event_types and takes_part(model.event_types[name])]
    return sorted(found, key=lambda name: name not in {rule.delay for rule in model.predictions.values()})


def _last(stored: Any, kinds: list[str]) -> pd.Timestamp | None:
    """Return the latest issue time of stored delays of some event types."""
    found = []
    for name in stored.names:
        try:
            issued = stored.last_issue(name)
            data = None if issued is None else stored.newest(name, at=issued)
        except READING_ERRORS:
            continue
        if data is not None and data.attrs.get("truth") == "delay" and data.attrs.get("event_type") in kinds:
            found.append(pd.Timestamp(issued))
    return max(found, default=None)


def _error(stored: Any, rules: list[str]) -> str:
    rounds = stored.rounds() if hasattr(stored, "rounds") else {}
    errors = [rounds[name]["error"] for name in rules if name in rounds and rounds[name]["error"]]
    return tr(" It failed: {errors}", errors=errors[0]) if errors else ""


def _title(model: TwinModel, name: str) -> str:
    return str(model.event_types[name].title or readable_name(name)).lower()
