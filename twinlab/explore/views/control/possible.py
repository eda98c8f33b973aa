"""What a twin has for the page: commands of its model, and an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["can_command", "has_audit", "has_control"]


def can_command(twin: TwinReader) -> bool:
    """Return whether commands can be proposed: the model states some, and the reader has the methods."""
    return bool(twin.model.commands) and hasattr(twin, "plans") and hasattr(twin, "setpoints")


def has_audit(twin: TwinReader) -> bool:
    """Return whether the twin has rows of an audit that the reader may see."""
    return hasattr(twin, "has_audit") and bool(twin.has_audit())


def has_control(twin: TwinReader) -> bool:
    """Return whether the twin has the page."""
    return can_command(twin) or has_audit(twin)
