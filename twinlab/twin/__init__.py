"""The façade: `Twin` wires the rooms; everything it does can be had from the rooms without it."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "BUILD_VERSION": "facade",
        "IngestReport": "report",
        "Twin": "facade",
        "create": "folder",
        "open_twin": "folder",
    },
)
