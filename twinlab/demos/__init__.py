"""The demo twins: models, mappings, and how their files come about; no logic of a room."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "DEMOS": "recipes",
        "ParcelSize": "recipes",
        "cache_folder": "recipes",
        "demo": "recipes",
        "parcel_files": "recipes",
        "parcel_size": "recipes",
    },
)
