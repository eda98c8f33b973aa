"""Which complaints an alert came before, and which alerts were false: pure functions on tables of the twin.

Both count only what was known when it counted: an alert has the time at which it was raised, not that of the exception.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = ["first_alerts", "judged_alerts"]


def first_alerts(
    complaints: pd.DataFrame,
    alerts: pd.DataFrame,
    *,
    window: pd.Timedelta,
    asset_of_event: Mapping[tuple[str, str], str],
) -> pd.DataFrame:
    """Return for each complaint the first alert about the same thing that was raised before it.

    Parameters
    ----------
    complaints : DataFrame
        ``time, kind, id``: kind and id of an asset or of an event; naive UTC.
    alerts : DataFrame
        Columns of `twinlab.events.alerts.ALERT_COLUMNS`.
    window : Timedelta
        An alert that was over earlier than this before the complaint is about something else.
    asset_of_event : mapping of (event type, event id) to asset, such as "parcel/P17"
        So that an alert about an event is about its asset, too.

    Returns
    -------
    DataFrame
        As ``complaints``, with ``alert`` (its id; "" for none), ``noted`` and ``lead`` (how long before the complaint).

    Notes
    -----
    An alert that was withdrawn before the complaint doesn't count: nobody was looking at it any more.
    """
    about: dict[tuple[str, str], list[int]] = {}
    columns = (alerts[name].tolist() for name in ("asset_type", "asset", "event_type", "event_id"))
    for place, (asset_type, asset, event_type, event_id) in enumerate(zip(*columns, strict=True)):
        if asset:
            about.setdefault((asset_type, asset), []).append(place)
        if event_id:
            about.setdefault((event_type, event_id), []).append(place)
            of_it = asset_of_event.get((event_type, event_id), "")
            if of_it:
                kind, _, name = of_it.partition("/")
                about.setdefault((kind, name), []).append(place)
    found, noted = [], []
    asked = zip(complaints["time"], complaints["kind"].tolist(), complaints["id"].tolist(), strict=True)
    for at, kind, name in asked:
        mine = alerts.iloc[sorted(set(about.get((kind, name), ())))]
        hits = mine[(mine["noted"] < at) & ~(mine["until"] < at - window) & ~(mine["withdrawn"] < at)]
        hits = hits.sort_values("noted", kind="stable")
        found.append(hits["id"].iloc[0] if len(hits) else "")
        noted.append(hits["noted"].iloc[0] if len(hits) else pd.NaT)
    out = complaints.assign(
        alert=found, noted=pd.to_datetime(pd.Series(noted, index=complaints.index, dtype="datetime64[ns]"))
    )
    out["lead"] = out["time"] - out["noted"]
    return out


def judged_alerts(alerts: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts with what was said of them: "right", "false" or "" (nobody said).

    Parameters
    ----------
    alerts : DataFrame
        Columns of `twinlab.events.alerts.ALERT_COLUMNS`.
    verdicts : DataFrame
        ``key, verdict``, as ``twin.annotations(kind="exception")`` returns them.

    Returns
    -------
    DataFrame
        ``alerts`` with ``judged``, and ``by`` ("a person", "later data", "").

    Notes
    -----
    A person's verdict counts before later data: "accept" is right, "reject" false. An alert that later data withdrew, and of which nobody
    said anything, is false.
    """
    said = {
        str(key): str(verdict) for key, verdict in zip(verdicts["key"], verdicts["verdict"], strict=True) if verdict
    }
    # An alert whose beginning moved has the key of the exception as it is now, and as its id the first one.
    of_person = [said.get(key, "") or said.get(one, "") for key, one in zip(alerts["key"], alerts["id"], strict=True)]
    withdrawn = alerts["withdrawn"].notna().tolist()
    names = {"accept": "right", "reject": "false"}
    judged = [names.get(one, "false" if gone else "") for one, gone in zip(of_person, withdrawn, strict=True)]
    by = [
        "a person" if one in names else "later data" if gone else ""
        for one, gone in zip(of_person, withdrawn, strict=True)
    ]
    return alerts.assign(judged=judged, by=by)
