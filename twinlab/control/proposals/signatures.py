"""Who signs: a signer, the file of a private key, or a name whose key file the twin's settings state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twinlab.errors import CommandRejectedError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.signing.keys.key_file import read_signer

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from twinlab.signing.keys.ring import KeyRing

__all__ = ["person_of", "signer_of"]


def signer_of(who: object, *, people: Mapping[str, Path]) -> Signer:
    """Return what signs for somebody.

    Parameters
    ----------
    who : Signer, path or str
        A signer, such as one of a smart card; the path of a private key; or a name in ``people``.
    people : mapping of str to Path
        Name -> file of the private key, of those whose keys are on this machine.

    Raises
    ------
    UnknownTermError
        If it is a name without a key here.
    SchemaError
        If the file is no private key.
    """
    if hasattr(who, "sign") and hasattr(who, "public_key"):
        return cast("Signer", who)
    if isinstance(who, Path):
        return read_signer(who)
    if isinstance(who, str) and who in people:
        return read_signer(people[who])
    msg = f"as_: expected a signer, the path of a private key, or somebody whose key is on this machine, got {who!r}{nearest(str(who), people)}"
    raise UnknownTermError(msg)


def person_of(signer: Signer, *, ring: KeyRing) -> str:
    """Return whose key a signer has.

    Raises
    ------
    CommandRejectedError
        If it is nobody's, a device's, or revoked.
    """
    key_id = signer.public_key.keyid
    if key_id not in ring.person_keys:
        msg = f"expected the key of a person that isn't revoked, got {key_id[:12]}…, which the file of keys doesn't have as one"
        raise CommandRejectedError(msg)
    return ring.person_keys[key_id][0]
