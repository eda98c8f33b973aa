"""Which functions of a twin, beyond reading, a reader with limited rights has. What isn't listed here they don't have.

Pages ask a twin whether it has a function (``hasattr``) and show the controls for it only then.
"""

from __future__ import annotations

__all__ = ["HARMLESS", "OF_ASSETS", "OF_PAGES", "OF_WHOLE_TWIN", "WITH_ASSET", "WITH_COMMAND"]

#: They return nothing that a field or an asset has.
HARMLESS = frozenset({"catalogue_fault", "edits", "open_code", "position"})
#: Their first argument is an asset as ``TYPE/ASSET``, the second a signal: `RestrictedTwin` checks both.
WITH_ASSET = frozenset({"observations", "why"})
#: For readers of some assets, `own_notes.OwnNotes` has them for exceptions of these.
OF_ASSETS = frozenset({"alerts", "annotate", "annotate_many", "notes", "snooze_alert"})
#: They read the whole twin, or change it for all: offered to readers who see all assets and all signals. Which of them
#: somebody uses is decided by the pages that their role opens.
OF_WHOLE_TWIN = frozenset(
    {
        "add_calibration",
        "alerts",
        "annotate",
        "annotate_many",
        "annotations",
        "anomaly_events",
        "calibrated_exceptions",
        "calibrations",
        "check",
        "delay",
        "failure_risk",
        "fit_failure",
        "fit_simulation",
        "forecast",
        "forecast_events",
        "forecast_kpi",
        "freshness",
        "gaps",
        "kpi",
        "live_status",
        "maintenance_list",
        "mappings",
        "models",
        "notes",
        "predictions",
        "quote_simulation",
        "recent_rows",
        "remap",
        "remove_calibrations",
        "revisions",
        "scenarios",
        "score_simulation",
        "simulate",
        "snooze_alert",
    }
)
#: Page -> functions that readers have whose role opens the page. Who may sign is decided by the key ring.
OF_PAGES = {
    "control": frozenset(
        {
            "audit_rows",
            "commands",
            "connect_devices",
            # Nothing is asked of somebody who stops an asset: a stop can't do harm, and not stopping can.
            "emergency_stop",
            "has_audit",
            "plan",
            "plans",
            "propose",
            "setpoints",
            "signing_names",
            "unlock_key",
            "verify_audit",
        }
    ),
    "usage": frozenset({"counts_usage", "has_usage", "usage"}),
    "security": frozenset(
        {
            "discard_message",
            "gateways",
            "has_security",
            "personal_reads",
            "privacy_budget",
            "quarantine",
            "release_message",
            "security_events",
        }
    ),
}
#: Of these, functions that lead to a command: the policy is asked for each command whether this role may send it.
WITH_COMMAND = frozenset({"plan", "propose"})
