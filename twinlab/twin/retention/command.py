"""The dialogue of ``twinlab compact --apply-retention``: show what goes, ask, do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.twin.facade import Twin

__all__ = ["apply_asked"]


def apply_asked(
    twin: Twin,
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
    *,
    apply_retention: bool,
    dry_run: bool,
    yes: bool,
) -> int | None:
    """Apply the twin's retention if that is asked for; return the exit code if nothing else is to be done, else None."""
    if not apply_retention:
        return None
    say(str(twin.preview_retention()))
    if dry_run:
        return 0
    if not (yes or confirm("Do this? Rollups and all rows of the ledger stay, and the journal gets a proof.")):
        say("nothing was changed")
        return 1
    say(str(twin.apply_retention()))
    return None
