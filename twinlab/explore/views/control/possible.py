"""What a twin has for the page: commands of its model, and an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["can_command", "commandable", "has_audit", "has_control"]


def commandable(model: TwinModel) -> dict[str, list[str]]:
    """Return the parameters that may be set, by asset type."""
    return {kind: list(specs) for kind, specs in model.commands.items()}


def can_command(twin: TwinReader) -> bool:
    """Return whether commands can be proposed: the model states some, and the reader has the methods."""
    return bool(twin.model.commands) and hasattr(twin, "plans") and hasattr(twin, "setpoints")


def has_audit(twin: TwinReader) -> bool:
    """Return whether the twin has rows of an audit that the reader may see."""
    return hasattr(twin, "has_audit") and bool(twin.has_audit())


def has_control(twin: TwinReader) -> bool:
    """Return whether the twin has the page."""
    return can_command(twin) or has_audit(twin)
