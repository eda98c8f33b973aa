"""SHOW: pages served to browsers. Layout, login and forms only, no calculation.

In: a twin's explorers (`explore`), a users file, the options of ``twinlab serve``. Out: pages over HTTP or TLS, and
widgets for notebooks.
Read in order: `server` (one or several processes that serve a twin), `login` (who may see it), `frame` (the page around the
views), `mapping_form` (edit a mapping in JupyterLab).
Never: a request to another host, a page without a check of who asks, a calculation on data.
"""

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
        "serve_folder": "server.processes.serving",
        "settings_for": "frame.settings",
        "start": "server.server",
    },
)
