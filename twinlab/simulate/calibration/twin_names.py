"""Which event types and links of a twin are trips, legs, places and carriers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from twinlab.errors import SchemaError
from twinlab.model.twinmodel import TwinModel
from twinlab.simulate.timetable.names import Names

__all__ = ["PROPERTIES", "checked_zone", "find_names"]

#: Properties (times) of what is carried: when it was handed in, promised and delivered.
PROPERTIES = ("registered", "promised", "delivered")


def find_names(model: TwinModel) -> Names:
    """Return the twin's names of trips and of what they carry.

    A *trip* is an event type with links ``origin`` and ``destination`` to the same asset type. If one of them has a link to the
    assets of another, its events are *legs* of what those carry.

    Raises
    ------
    SchemaError
        If the twin has no such event type, or several that could be the trips.

    Examples
    --------
    >>> from twinlab.model.asset_types import AssetType, EventType
    >>> places = {"airport": AssetType(), "plane": AssetType()}
    >>> flight = EventType(asset="plane", links={"origin": "airport", "destination": "airport"})
    >>> find_names(TwinModel(twin="air", asset_types=places, event_types={"flight": flight})).trip
    'flight'
    """
    routed = {
        name: event
        for name, event in model.event_types.items()
        if event.asset is not None
        and event.links.get("origin") is not None
        and event.links.get("origin") == event.links.get("destination")
    }
    if not routed:
        msg = (
            f"the twin {model.twin!r} has no event type with links `origin` and `destination` to the same asset type, so there are no "
            f"trips to simulate; event types are {', '.join(model.event_types) or 'none'}; add both links to the one that is a trip"
        )
        raise SchemaError(msg)
    carriers = {name: str(event.asset) for name, event in routed.items()}
    legs = {
        name: link
        for name, event in routed.items()
        for link, target in event.links.items()
        if target in carriers.values() and target != event.asset
    }
    trips = [name for name in routed if name not in legs]
    if len(trips) != 1 or len(legs) > 1:
        msg = (
            f"the twin {model.twin!r} has several event types with links `origin` and `destination` ({', '.join(routed)}); expected one "
            "of trips, and at most one of legs that links to the trips' assets"
        )
        raise SchemaError(msg)
    trip = trips[0]
    hub, carrier = routed[trip].links["origin"], carriers[trip]
    if not legs:
        return Names(hub, carrier, trip)
    leg, link = next(iter(legs.items()))
    return Names(hub, carrier, trip, carriers[leg], leg, link)


def checked_zone(zone: str) -> str | None:
    """Return a time zone, None for UTC.

    Raises
    ------
    SchemaError
        If there is no such zone.

    >>> checked_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        msg = f"expected a time zone such as 'Europe/Berlin' or 'UTC', got {zone!r}"
        raise SchemaError(msg) from error
    return None if zone == "UTC" else zone
