"""Changes of the file of keys: comments, order and quotes of all else stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from twinlab._files import sync_file, sync_folder, write_atomically
from twinlab._locks import Lock
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.edits.yaml_edit import put
from twinlab.model.load import parse_as
from twinlab.model.terms import nearest
from twinlab.signing.keys.ring import KeyRing, PublicKey, Role

__all__ = ["ListedKey", "add_key", "as_public_key", "listed_keys", "revoke_keys"]

_HEAD = (
    "# Whose signatures count. No private key is ever in this file; a key with any text at `revoked` doesn't count.\n"
)
#: Hexadecimal digits with which the id of a key may be abbreviated.
_SHORTEST_ID = 8


@dataclass(frozen=True)
class ListedKey:
    """One key of a ring."""

    owner: str
    device: bool
    roles: tuple[str, ...]
    key: PublicKey


def listed_keys(ring: KeyRing) -> list[ListedKey]:
    """Return all keys, revoked ones too, those of people first."""
    people = [
        ListedKey(name, device=False, roles=tuple(person.roles), key=key)
        for name, person in ring.people.items()
        for key in person.keys
    ]
    return people + [
        ListedKey(name, device=True, roles=(), key=key) for name, device in ring.devices.items() for key in device.keys
    ]


def as_public_key(public: str, *, note: str = "") -> PublicKey:
    """Return a public key from its 64 hexadecimal digits, in upper or lower case.

    Raises
    ------
    SchemaError
        If it isn't one.

    >>> as_public_key("AB" * 32).public[:4]
    'abab'
    """
    try:
        return PublicKey(public=public.strip().casefold(), note=note)
    except ValidationError as error:
        msg = f"public key: expected 64 hexadecimal digits, got {ascii(public)[:80]}"
        raise SchemaError(msg) from error


def add_key(
    path: Path, owner: str, key: PublicKey, *, roles: Collection[Role] | None = None, device: bool = False
) -> ListedKey:
    """Add a key of a person or a device, who is added with it if need be.

    Parameters
    ----------
    path : Path
        The file of keys; made if it isn't there.
    owner : str
        Name of the person or device.
    key : PublicKey
    roles : collection of str, optional
        Roles of the person from now on; by default those it has, and viewer for a new one.
    device : bool
        Whether the owner is a device, which has no roles and never counts as a person.

    Returns
    -------
    ListedKey
        As the file states it now.

    Raises
    ------
    SchemaError
        If the file can't be read or written, the key is in it already, or the result wouldn't be valid. Nothing changes then.
    """
    if device and roles:
        msg = f"{owner}: expected no roles for a device, got {', '.join(roles)}"
        raise SchemaError(msg)
    entry = {name: value for name, value in (("public", key.public), ("note", key.note)) if value}

    def edit(text: str, ring: KeyRing) -> str:
        kind, known = ("devices", ring.devices) if device else ("people", ring.people)
        if owner not in known:
            first: dict[str, object] = {} if device else {"roles": sorted(roles or ("viewer",))}
            return put(text, (kind, owner), first | {"keys": [entry]})
        if roles:
            text = put(text, (kind, owner, "roles"), sorted(roles))
        place: tuple[str | int, ...] = (kind, owner, "keys")
        found = known[owner].keys
        return put(text, (*place, len(found)), entry) if found else put(text, place, [entry])

    ring = _edited(path, edit, create=True)
    return next(one for one in listed_keys(ring) if one.key.public == key.public)


def revoke_keys(path: Path, which: str, *, reason: str, now: datetime | None = None) -> list[ListedKey]:
    """Revoke a key, or all keys of an owner; they stay in the file, so that old signatures have a name.

    Parameters
    ----------
    path : Path
        The file of keys.
    which : str
        Name of a person or device, or at least eight digits that the id of a key begins with.
    reason : str
        Why: "lost".
    now : datetime, optional
        With a zone; the clock's by default. For people: with any text the key doesn't count.

    Returns
    -------
    list of ListedKey
        Those that are revoked now and weren't before.

    Raises
    ------
    UnknownTermError
        If no key is meant, or the digits are those of several.
    SchemaError
        If the file can't be read or written, or all that is meant is revoked already.
    """
    text_of = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%d}, {reason}"
    done: list[str] = []

    def edit(text: str, ring: KeyRing) -> str:
        meant = _meant(ring, which, path)
        for one in meant:
            kind = "devices" if one.device else "people"
            owner = ring.devices[one.owner] if one.device else ring.people[one.owner]
            text = put(text, (kind, one.owner, "keys", owner.keys.index(one.key), "revoked"), text_of)
            done.append(one.key.public)
        return text

    ring = _edited(path, edit)
    return [one for one in listed_keys(ring) if one.key.public in done]


def _meant(ring: KeyRing, which: str, path: Path) -> list[ListedKey]:
    keys = listed_keys(ring)
    meant = [one for one in keys if one.owner == which]
    if not meant and len(which) >= _SHORTEST_ID:
        meant = [one for one in keys if one.key.key_id.startswith(which.casefold())]
        if len(meant) > 1:
            msg = f"{path}: expected the digits of one key, got {which}, with which the ids of {len(meant)} keys begin; give more digits"
            raise UnknownTermError(msg)
    if not meant:
        msg = f"{path}: expected a name or at least {_SHORTEST_ID} digits of the id of a key, got {which!r}{nearest(which, {one.owner for one in keys})}"
        raise UnknownTermError(msg)
    if not (valid := [one for one in meant if one.key.revoked is None]):
        msg = f"{path}: expected a key that isn't revoked, got {which}, revoked: {meant[0].key.revoked}"
        raise SchemaError(msg)
    return valid


def _edited(path: Path, edit: Callable[[str, KeyRing], str], *, create: bool = False) -> KeyRing:
    """Change the file under a lock, and only to a text that is valid; it is on the disk then."""
    with Lock(path.with_name(f".{path.name}.lock"), what=f"the file of keys {path}", wait=5.0):
        try:
            new = create and not path.exists()
            text = "people: {}\n" if new else path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path}: expected a file of keys in UTF-8, got: {error}"
            raise SchemaError(msg) from error
        changed = edit(text, parse_as(KeyRing, text, str(path), first="people:"))
        # Lines of an empty flow mapping are written anew.
        changed = _HEAD + changed if new else changed
        ring = parse_as(KeyRing, changed, str(path), first="people:")
        mode = 0o644 if new else path.stat().st_mode & 0o777
        write_atomically(path, lambda draft: _write(draft, changed, mode))
        sync_folder(path.parent)
    return ring


def _write(draft: Path, text: str, mode: int) -> None:
    draft.write_text(text, encoding="utf-8")
    draft.chmod(mode)
    sync_file(draft)
