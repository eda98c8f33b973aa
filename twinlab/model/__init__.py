"""WORDS: asset types, signals, units, flags, mappings, schemas, and the protocol of whatever reads a twin."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetType": "twinmodel",
        "EventType": "twinmodel",
        "Flag": "flags",
        "Mapping": "mapping",
        "PropertySpec": "twinmodel",
        "RelationshipType": "twinmodel",
        "Signal": "twinmodel",
        "TwinModel": "twinmodel",
        "TwinReader": "reader",
        "flags": ":flags",
        "mapping": ":mapping",
        "schema": ":schema",
        "units": ":units",
    },
)
