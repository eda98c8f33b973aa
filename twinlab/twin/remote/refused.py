"""What can't be written to a twin in an object store: it would be written to this machine's cache, and lost with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar

__all__ = ["CATALOGUES", "REFUSED", "refuse_methods", "refusing"]

#: Methods of a twin that write its folder.
REFUSED = (
    "acknowledge_alert", "add_calibration", "annotate", "annotate_many", "apply_privacy_retention", "apply_retention", "backup", "calibrate",
    "compact", "define_kpi", "discard_message", "emergency_stop", "fetch_device_records", "forget", "learn_limits", "learn_relation",
    "note_policy_changes", "propose", "push", "rebuild", "record_calibrations", "reidentify", "release", "release_message", "remap",
    "remodel", "remove_calibrations", "restore_mapping", "rollback", "run_alerts", "run_predictions", "save_scenario", "search_intrusions",
    "snooze_alert", "update_events", "watch_anomalies",
)  # fmt: skip
#: Property of a twin -> methods of what it returns that write the twin's folder.
CATALOGUES = {
    "models": ("add", "discard", "promote", "propose", "retrain", "rollback", "write"),
    "predictions": ("add", "delete", "issue"),
    "scenarios": ("delete", "run"),
}

_Kind = TypeVar("_Kind", bound=type)
_Catalogue = TypeVar("_Catalogue")


def refuse_methods(kind: _Kind) -> _Kind:
    """Let the methods in `REFUSED` of a class raise what its ``_refuse`` does; their documentation stays."""
    for name in REFUSED:
        setattr(kind, name, _refused(getattr(kind, name)))
    return kind


def _refused(method: Callable[..., Any]) -> Callable[..., NoReturn]:
    @wraps(method)
    def refused(self: Any, *_values: object, **_options: object) -> NoReturn:  # noqa: ANN401  (the class's)
        self._refuse()
        raise AssertionError

    return refused


def refusing(catalogue: _Catalogue, methods: tuple[str, ...], refuse: Callable[[], NoReturn]) -> _Catalogue:
    """Return a catalogue whose methods of these names raise an error."""

    def refused(*_values: object, **_options: object) -> NoReturn:
        refuse()

    for name in methods:
        setattr(catalogue, name, refused)
    return catalogue
