"""``twinlab keys``: make key pairs, and say whose signatures count."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinlab._click import Command, Group
from twinlab.cli.commands import group, path_option, say

if TYPE_CHECKING:
    from twinlab.signing.keys.ring_edits import ListedKey

__all__: list[str] = []

_ring = path_option("ring", help="The file of keys, such as keys.yaml of a twin.")
_audit = path_option(
    "--audit", "twin", metavar="FOLDER", help="Twin whose audit records the change, before it is made."
)


@group.group(
    "keys", cls=Group, after="user", example="twinlab keys new ann.pem --passphrase\ntwinlab keys list pilot/keys.yaml"
)
def _keys() -> None:
    """Make keys, add them to a file of keys, revoke and list them."""


@_keys.command(
    "new", cls=Command,
    example="twinlab keys new ann.pem --passphrase\ntwinlab keys new truck-1.pem --device truck-1 >> keys.yaml",
)  # fmt: skip
@path_option("file", help="New file for the private key; only its owner can read it.")
@click.option("--passphrase", is_flag=True, help="Ask for a passphrase, with which the key is encrypted.")
@click.option("--stdin", is_flag=True, help="Read the passphrase from the first line of standard input.")
@click.option(
    "--device", metavar="NAME", help="Print the entry of this gateway or device for `devices:` of a key ring."
)
def _new(file: Path, *, passphrase: bool, stdin: bool, device: str | None) -> None:
    """Make a key pair; the private key stays in its file, the public key is printed.

    A gateway reads the file without a passphrase: `signing_key` of its settings. The historian needs the public key alone: `keys` of
    its source.
    """
    from twinlab.signing.keys.key_file import create_key  # noqa: PLC0415  (each command loads its rooms only)

    secret = None
    if stdin:
        secret = sys.stdin.readline().rstrip("\r\n")
    elif passphrase:
        secret = click.prompt("Passphrase", hide_input=True, confirmation_prompt="Once more")
    public = create_key(file, passphrase=secret)
    if device is not None:
        say(f"  {json.dumps(device)}:\n    keys:\n      - public: {public.public}")
        return
    how = "not encrypted: whoever can read the file can sign" if secret is None else "encrypted with the passphrase"
    say(f"wrote {file} ({how})\npublic key  {public.public}\nkey id      {public.key_id}")
    say(f"Whoever keeps the file of keys adds it:\n  twinlab keys add keys.yaml NAME {public.public} --role operator")


@_keys.command(
    "add", cls=Command,
    example="twinlab keys add pilot/keys.yaml Ann PUBLIC --role operator --note 'card 4711'\n"
    "twinlab keys add pilot/keys.yaml forklift/7 PUBLIC --device",
)  # fmt: skip
@_ring
@click.argument("owner", help="Name of the person or device.")
@click.argument("public", help="The public key: 64 hexadecimal digits.")
@click.option("--role", "roles", multiple=True, help="Role of a person (default: viewer); can be repeated.")
@click.option("--device", is_flag=True, help="The owner is a machine, which never counts as a person.")
@click.option("--note", default="", metavar="TEXT", help="Where the key is kept.")
@_audit
def _add(
    ring: Path, owner: str, public: str, *, roles: tuple[Any, ...], device: bool, note: str, twin: Path | None
) -> None:
    """Add a public key of a person or a device. Comments of the file stay."""
    from twinlab.signing.keys.ring_edits import add_key, as_public_key  # noqa: PLC0415

    key = as_public_key(public, note=note)

    def change() -> list[ListedKey]:
        return [add_key(ring, owner, key, roles=roles or None, device=device)]

    for added in _recorded(change, twin, owner=owner, key_id=key.key_id, outcome="added", reason=note):
        role = "a device" if added.device else ", ".join(added.roles)
        say(f"{owner} ({role}) can sign with the key {key.key_id[:12]}…")


@_keys.command("revoke", cls=Command, example="twinlab keys revoke pilot/keys.yaml 3f9a12bc --reason 'card lost'")
@_ring
@click.argument("which", help="Name of a person or device, or the first digits of the id of a key.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for people.")
@_audit
def _revoke(ring: Path, which: str, *, reason: str, twin: Path | None) -> None:
    """Revoke a key, or all keys of somebody: at once, also for who has the file open."""
    from twinlab.signing.keys.ring_edits import revoke_keys  # noqa: PLC0415

    def change() -> list[ListedKey]:
        return revoke_keys(ring, which, reason=reason)

    for one in _recorded(change, twin, owner=which, key_id=which, outcome="revoked", reason=reason):
        say(f"the key {one.key.key_id[:12]}… of {one.owner} doesn't count any more")


@_keys.command("seal", cls=Command, example="twinlab keys seal pilot/ Ann")
@path_option("twin", help="Folder of the twin.")
@click.argument("name", help="Who signs, as in the file of keys.")
@click.option("--stdin", is_flag=True, help="Read the passphrase from the first line of standard input.")
def _seal(twin: Path, name: str, *, stdin: bool) -> None:
    """Make a key with which somebody signs from the page Control & audit; it is sealed with their passphrase.

    The person types the passphrase, nobody else. Whoever controls the server while the person signs can sign, too; a stolen disk
    is of no use without the passphrase.
    """
    from twinlab.signing.keys import SealedKeys  # noqa: PLC0415  (each command loads its rooms only)
    from twinlab.twin.commanding.settings import control_settings  # noqa: PLC0415

    if stdin:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    else:
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt="Once more")
    settings = control_settings(twin)
    public = SealedKeys(twin / settings.sealed_keys).create(name, passphrase)
    say(
        f"sealed a key of {name} in {twin / settings.sealed_keys}\npublic key  {public.public}\nkey id      {public.key_id}"
    )
    say(
        f"Whoever looks after the file of keys adds it:\n  twinlab keys add {twin / settings.keys} {name} {public.public} --role operator"
    )


@_keys.command("list", cls=Command, example="twinlab keys list pilot/keys.yaml")
@_ring
def _list(ring: Path) -> None:
    """List people and devices with their roles and keys."""
    from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415
    from twinlab.signing.keys.ring_edits import listed_keys  # noqa: PLC0415

    keys = listed_keys(KeyRingFile(ring).read())
    if not keys:
        say("no keys: nobody can sign")
        return
    owner, roles = (
        max(len(text) for text in texts) for texts in ([one.owner for one in keys], [_role(one) for one in keys])
    )
    for one in keys:
        state = f"revoked: {one.key.revoked}" if one.key.revoked is not None else "valid"
        say(
            f"{one.owner:{owner}}  {_role(one):{roles}}  {one.key.key_id[:12]}  {state}{one.key.note and f'  ({one.key.note})'}"
        )


def _role(one: ListedKey) -> str:
    return "device" if one.device else ", ".join(one.roles) or "no role"


def _recorded(
    change: Callable[[], list[ListedKey]], twin: Path | None, *, owner: str, key_id: str, outcome: str, reason: str
) -> list[ListedKey]:
    """Make a change that is recorded before: what can't be recorded isn't done, and what failed is recorded, too."""
    if twin is None:
        return change()
    import getpass  # noqa: PLC0415

    from twinlab.control.audit import AuditLog  # noqa: PLC0415
    from twinlab.errors import TwinlabError  # noqa: PLC0415
    from twinlab.twin.privacy.recording import AUDIT  # noqa: PLC0415

    with AuditLog(twin / AUDIT) as audit:
        what = {"owner": owner, "key_id": key_id, "outcome": outcome, "reason": reason}
        entry = {"kind": "keys changed", "who": [getpass.getuser()], "what": what}
        audit.append(entry)
        try:
            return change()
        except TwinlabError as error:
            audit.append(entry | {"what": what | {"outcome": f"not {outcome}", "reason": str(error)[:2000]}})
            raise
