"""Which persons signed a command, and whether they are enough."""

from __future__ import annotations

from collections.abc import Collection

from twinlab.commands.messages.signed import SignedCommand, open_command
from twinlab.errors import CommandRejectedError
from twinlab.signing.keys.ring import KeyRing, Role
from twinlab.signing.keys.ring_keys import RingKeys

__all__ = ["check_signers", "open_signed"]


def open_signed(wire: bytes, *, ring: KeyRing) -> SignedCommand:
    """Return the command of an envelope that only persons of the ring signed; see `open_command`.

    Raises
    ------
    CommandRejectedError
        As `open_command`; also if a key is revoked, or is one of a device.
    """
    return open_command(wire, keys=RingKeys(ring.person_keys))


def check_signers(signed: SignedCommand, *, ring: KeyRing, roles: Collection[Role], people: int) -> tuple[str, ...]:
    """Return the persons with one of the roles who signed, sorted.

    Parameters
    ----------
    signed : SignedCommand
        Opened with the keys of the same ring.
    ring : KeyRing
        Whose keys they are. A person counts once, with any number of keys; a device doesn't count.
    roles : collection of str
        Roles that may send the command.
    people : int
        How many persons are needed, at least one.

    Raises
    ------
    CommandRejectedError
        If they are fewer.
    """
    owners = ring.person_keys
    signed_by = {owners[key_id][0] for key_id in signed.key_ids if key_id in owners}
    counted = tuple(sorted(name for name in signed_by if set(ring.people[name].roles) & set(roles)))
    if len(counted) < max(people, 1):
        wanted = " or ".join(sorted(roles)) or "none"
        msg = (
            f"command of {signed.command.target}: expected signatures of {max(people, 1)} different persons with the role "
            f"{wanted}, got {len(counted)}: {', '.join(counted) or 'nobody'} "
            f"(signed by {', '.join(sorted(signed_by)) or 'nobody'})"
        )
        raise CommandRejectedError(msg)
    return counted
