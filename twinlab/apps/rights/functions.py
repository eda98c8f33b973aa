"""Which functions of a twin, beyond reading, a reader with limited rights has. What isn't listed here they don't have.

Pages ask a twin whether it has a function (``hasattr``) and show the controls for it only then.
"""

from __future__ import annotations

__all__ = ["HARMLESS", "OF_WHOLE_TWIN", "WITH_ASSET"]

#: They return nothing that a field or an asset has.
HARMLESS = frozenset({"open_code", "position", "edits"})
#: Their first argument is an asset as ``TYPE/ASSET``, the second a signal: `RestrictedTwin` checks both.
WITH_ASSET = frozenset({"observations", "why"})
#: They read the whole twin, or change it for all: offered to readers who see all assets and all signals. Which of them
#: somebody uses is decided by the pages that their role opens.
OF_WHOLE_TWIN = frozenset(
    {
        "add_calibration",
        "alerts",
        "annotate",
        "annotate_many",
        "annotations",
        "calibrated_exceptions",
        "calibrations",
        "check",
        "delay",
        "discard_message",
        "failure_risk",
        "fit_failure",
        "fit_simulation",
        "forecast",
        "freshness",
        "gaps",
        "gateways",
        "kpi",
        "live_status",
        "maintenance_list",
        "mappings",
        "models",
        "notes",
        "personal_reads",
        "predictions",
        "quarantine",
        "quote_simulation",
        "recent_rows",
        "release_message",
        "remap",
        "remove_calibrations",
        "revisions",
        "scenarios",
        "score_simulation",
        "security_events",
        "simulate",
        "snooze_alert",
    }
)
