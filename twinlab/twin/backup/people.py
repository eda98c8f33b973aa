"""Keys of people aren't in a backup; which ones were destroyed is, by random ids, so that a copy of them never comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twinlab.errors import SourceError

if TYPE_CHECKING:
    from twinlab.signing.subjects import KeyFolder

__all__ = ["KeyState", "destroy_again", "next_state"]

Periods = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class KeyState:
    """Ids of people and of copies of files, with the periods of their keys."""

    there: Periods = field(default_factory=dict)
    """Keys that existed when the backup was made."""
    destroyed: Periods = field(default_factory=dict)
    """Keys that were there at an earlier backup, and not any more."""

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """Return the fields, for JSON."""
        both = {"there": self.there, "destroyed": self.destroyed}
        return {name: {one: list(periods) for one, periods in part.items()} for name, part in both.items()}

    @classmethod
    def from_json(cls, found: Mapping[str, Mapping[str, list[str]]]) -> KeyState:
        """Return the fields of `to_json`."""
        return cls(*({one: tuple(periods) for one, periods in found[name].items()} for name in ("there", "destroyed")))


def next_state(before: KeyState, keys: Periods, *, erased: bool, where: str) -> KeyState:
    """Return the state of a backup, from that of the backup before and the keys that exist now.

    Parameters
    ----------
    before : KeyState
    keys : mapping of str to tuple of str
        Id -> periods.
    erased : bool
        Whether the audit has an erasure since the backup before.
    where : str
        Place of the keys, for messages.

    Raises
    ------
    SourceError
        If keys are gone although nobody was erased.

    Examples
    --------
    >>> first = KeyState({"7f": ("2026-01", "2026-02")})
    >>> next_state(first, {"7f": ("2026-02",)}, erased=True, where="pilot.keys").destroyed
    {'7f': ('2026-01',)}
    """
    gone = {
        one: lost
        for one, periods in before.there.items()
        if (lost := tuple(sorted(set(periods) - set(keys.get(one, ())))))
    }
    if gone and not erased:
        msg = (
            f"expected the keys of {len(gone)} people or files in {where}, which were there at the backup before: they aren't there, and the "
            "audit has no erasure since. Restore the folder of keys from its own backup (or set TWINLAB_KEYS), then call again; nothing was written"
        )
        raise SourceError(msg)
    every = {
        one: tuple(sorted({*before.destroyed.get(one, ()), *gone.get(one, ())}))
        for one in sorted({*before.destroyed, *gone})
    }
    return KeyState(dict(keys), every)


def destroy_again(keys: KeyFolder, destroyed: Periods) -> int:
    """Destroy keys that were destroyed before and have come back with an old copy of the folder; return their number."""
    return sum(len(keys.destroy_periods(one, set(periods))) for one, periods in destroyed.items())
