"""Recognise scan logs: rows of id, activity, place and time, each an event of the id's asset."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.drafting.columns import row_numbers
from twinlab.harmonise.drafting.profiles import Profile

__all__ = ["ScanLog", "scan_log"]

_ACTIVITY = re.compile(
    r"activity|event|action|scan|step|operation|movement|milestone|(event|scan)[_ ]?(type|code)|aktivität|vorgang|ereignis|activité|evento"
    r"|actividad|attività|handeling|state|status|type",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"activity|event|action|scan|milestone|aktivität|vorgang|activité|actividad|attività", re.IGNORECASE
)
_PLACE = re.compile(
    r"(.*[_\s])?(hub|place|location|site|station|depot|facility|node|gate|dock|terminal|warehouse|where|ort|standort|lager|lieu|lugar|luogo|plaats|port"
    r"|airport|city|zone|room)([_\s](id|code|name))?",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(.*[_\s])?(parcel|package|shipment|order|item|container|pallet|box|case|bag|letter|consignment|paket|sendung|auftrag|colis|paquete|pacco|pakket"
    r"|tracking|unit|lot|batch|job|ticket|patient|serial|tag|epc|id|key|number|no|nr)([_\s](id|no|nr|number|code))?",
    re.IGNORECASE,
)
#: Minimal number of ids, maximal number of rows of one id on average, and of different activities.
_MIN_IDS, _MAX_ROWS, _MAX_ACTIVITIES = 4, 60, 40


@dataclass(frozen=True)
class ScanLog:
    """The columns of a scan log."""

    thing: str
    activity: str | None
    place: str | None


def scan_log(profiles: Mapping[str, Profile], rows: Rows, *, times: Collection[str]) -> ScanLog | None:
    """Return the columns of a scan log, or None if the table is none.

    A log has an id with a few rows each, an activity or a place, and no measured values.
    """
    counted = row_numbers(profiles, rows)
    left = {name: p for name, p in profiles.items() if name not in times and name not in counted and p.kind != "empty"}
    things = [
        name
        for name, p in left.items()
        if (p.kind == "text" or p.whole)
        and _THING.fullmatch(name.strip())
        and p.filled == rows.count
        and max(_MIN_IDS, rows.count / _MAX_ROWS) <= p.distinct < rows.count
    ]
    if not things:
        return None
    thing = max(things, key=lambda name: left[name].distinct)
    texts = {name: p for name, p in left.items() if p.kind == "text" and name != thing and p.distinct >= 1}
    measured = [name for name, p in left.items() if p.kind == "number" and name != thing and not p.whole]
    if measured:
        return None
    place = next((name for name in texts if _PLACE.fullmatch(name.strip())), None)
    acts = [n for n, p in texts.items() if n != place and _ACTIVITY.search(n) and 2 <= p.distinct <= _MAX_ACTIVITIES]
    activity = next((name for name in acts if _STRONG.search(name)), acts[0] if acts else None)
    if activity is None or (place is None and not _STRONG.search(activity)):
        return None
    return ScanLog(thing, activity, place)
