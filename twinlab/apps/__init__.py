"""SHOW: served pages: layout only, no maths."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MappingForm": "mapping_form.form",
        "Served": "server.server",
        "Settings": "frame.settings",
        "User": "login.access",
        "current_user": "login.access",
        "may_see": "login.access",
        "page": "frame.frame",
        "serve": "server.server",
        "settings_for": "frame.settings",
        "start": "server.server",
    },
)
