"""The model of the example twin."""

from __future__ import annotations

__all__ = ["EXAMPLE_MODEL"]

_DEGREES = {"unit": "deg", "resolution": 0.00001}
_PLACE = {"dtype": "number", "unit": "deg"}

EXAMPLE_MODEL: dict[str, object] = {
    "twin": "example",
    "title": "Three stations",
    "origin": "2026-01-01",
    "asset_types": {
        "station": {
            "label": "name",
            "position": ["latitude", "longitude"],
            "properties": {
                "name": {},
                "height": {"dtype": "number", "unit": "m"},
                "latitude": _PLACE,
                "longitude": _PLACE,
            },
            "signals": {
                "temperature": {
                    "unit": "degC",
                    "resolution": 0.01,
                    "sensor_span": [-50, 90],
                    "title": "air temperature",
                },
                "wind_speed": {"unit": "mph", "resolution": 0.01, "sensor_span": [0, 200]},
                "fan": {"kind": "state", "states": {0: "off", 1: "running"}},
            },
        },
        "vehicle": {"title": "Vehicles"},
        "van": {
            "title": "Vans",
            "label": "plate",
            "position": ["latitude", "longitude"],
            "properties": {"plate": {}, "capacity": {"dtype": "integer"}},
            "signals": {
                "latitude": {**_DEGREES, "cadence": "5min", "sensor_span": [-90, 90]},
                "longitude": {**_DEGREES, "cadence": "5min", "sensor_span": [-180, 180]},
                "speed": {"unit": "km/h", "resolution": 0.1, "cadence": "5min", "sensor_span": [0, 200]},
                "fuel": {"unit": "percent", "resolution": 0.1, "cadence": "15min", "sensor_span": [0, 100]},
            },
        },
        "cold_room": {
            "title": "Cold rooms",
            "properties": {"upper_limit": {"dtype": "number", "unit": "degF", "title": "warmest allowed"}},
            "signals": {
                "temperature": {"unit": "degC", "resolution": 0.1, "cadence": "5min", "sensor_span": [-40, 60]},
                "door": {"kind": "state", "cadence": "5min", "states": {0: "closed", 1: "open"}},
            },
        },
        "parcel": {"title": "Parcels", "properties": {"weight": {"dtype": "number", "unit": "kg"}, "content": {}}},
    },
    "relationships": {
        "aboard": {"from": "parcel", "to": "van", "title": "aboard", "locates": True},
        "stored_at": {"from": "parcel", "to": "station", "title": "stored at", "locates": True},
        "room_of": {"from": "cold_room", "to": "station", "title": "room of", "locates": True},
    },
    "event_types": {
        "trip": {
            "title": "Trips",
            "asset": "vehicle",
            "links": {"origin": "station", "destination": "station"},
            "properties": {
                "number": {"dtype": "integer"},
                "distance": {"dtype": "number", "unit": "km"},
                "cancelled": {"dtype": "boolean"},
            },
        },
        "delivery": {
            "title": "Deliveries",
            "asset": "parcel",
            "links": {"origin": "station", "destination": "station", "van": "van"},
        },
    },
    "rules": {
        "too_warm": {
            "on": "cold_room",
            "title": "too warm",
            "when": "temperature > upper_limit",
            "lasting": "10min",
            "severity": "high",
        },
        "door_open": {
            "on": "cold_room",
            "title": "door left open",
            "when": "door == open",
            "lasting": "15min",
            "severity": "low",
        },
        "silent_van": {"on": "van", "title": "van silent", "silent": "2h", "severity": "high"},
        "late_delivery": {"on": "delivery", "title": "delivery late", "late": "20min", "severity": "medium"},
    },
}
