"""SHOW: served pages: layout only, no maths."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MappingForm": "mapping_form",
        "Served": "server",
        "Settings": "settings",
        "User": "access",
        "current_user": "access",
        "may_see": "access",
        "page": "frame",
        "serve": "server",
        "settings_for": "settings",
        "start": "server",
    },
)
