"""``twinlab reidentify``: whom a pseudonym belongs to, which two people ask together."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinlab._click import Command, Group
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

__all__: list[str] = []

_key = path_option("--key", required=True, metavar="FILE", help="Your private key, as twinlab keys new wrote it.")
_stdin = click.option("--stdin", is_flag=True, help="Read the passphrase from the first line of standard input.")
_request = path_option("request", help="File of the request.")


@group.group(
    "reidentify", cls=Group, after="forget",
    example="twinlab reidentify ask pilot/ p-3k7q… --purpose safety --reason 'Accident on tour N0' --to asked.json --key dora.pem\n"
    "twinlab reidentify sign asked.json --key eve.pem\ntwinlab reidentify name pilot/ asked.json",
)  # fmt: skip
def _reidentify() -> None:
    """Find out whom a pseudonym belongs to: two people of the roles steward, security or admin sign one request."""


@_reidentify.command(
    "ask", cls=Command,
    example="twinlab reidentify ask pilot/ p-3k7q… --purpose safety --reason 'Accident on tour N0' --to asked.json --key dora.pem",
)  # fmt: skip
@twin_folder
@click.argument("pseudonym", help="As a reader for the purpose has shown it, or as it is stored.")
@click.option("--purpose", metavar="NAME", help="Purpose that the pseudonym was shown for.")
@click.option("--column", metavar="NAME", help="Column of a source that has pseudonyms instead of names.")
@click.option("--reason", required=True, metavar="TEXT", help="Why it has to be known; it is in the audit.")
@click.option(
    "--hours", type=click.FloatRange(0, 24, min_open=True), default=1.0, help="For how long the request counts."
)
@path_option("--to", required=True, metavar="FILE", help="New file of the request.")
@_key
@_stdin
def _ask(
    folder: Path, *, pseudonym: str, purpose: str | None, column: str | None, reason: str, hours: float, to: Path, key: Path,
    stdin: bool,
) -> None:  # fmt: skip
    """Write a request, signed by you; another person signs it, too. It is recorded that it was asked."""
    from twinlab.errors import SchemaError  # noqa: PLC0415  (each command loads its rooms only)
    from twinlab.signing.envelopes import sign_payload  # noqa: PLC0415
    from twinlab.twin.privacy.reidentification import PAYLOAD_TYPE, new_request, note_asked  # noqa: PLC0415

    if to.exists():
        msg = f"expected a new file for the request, {to} exists; choose another name"
        raise SchemaError(msg)
    twin = open_twin(folder)
    asked = new_request(twin.model.twin, pseudonym, reason=reason, purpose=purpose, column=column, hours=hours)
    wire = sign_payload(asked, PAYLOAD_TYPE, _signer(key, stdin=stdin))
    note_asked(twin, wire, twin.key_ring())
    to.write_bytes(wire)
    say(
        f"wrote {to}. Another person of the roles steward, security or admin signs it:\n  twinlab reidentify sign {to} --key FILE"
    )


@_reidentify.command("sign", cls=Command, example="twinlab reidentify sign asked.json --key eve.pem")
@_request
@_key
@_stdin
@click.option("--yes", is_flag=True, help="Don't ask.")
def _sign(request: Path, *, key: Path, stdin: bool, yes: bool) -> None:
    """Show what a request asks, and sign it as the second person."""
    from twinlab._files import write_atomically  # noqa: PLC0415
    from twinlab.signing.envelopes import add_signature, read_payload  # noqa: PLC0415
    from twinlab.twin.privacy.reidentification import PAYLOAD_TYPE  # noqa: PLC0415

    wire = request.read_bytes()
    asked = json.loads(read_payload(wire, payload_type=PAYLOAD_TYPE))
    for name, value in asked.items():
        if value is not None:
            say(f"{name:11}{value}")
    if not yes:
        click.confirm("Sign this request?", abort=True)
    signed = add_signature(wire, payload_type=PAYLOAD_TYPE, signer=_signer(key, stdin=stdin))
    write_atomically(request, lambda draft: draft.write_bytes(signed))
    say(f"signed {request}. Once: twinlab reidentify name FOLDER {request}")


@_reidentify.command("name", cls=Command, example="twinlab reidentify name pilot/ asked.json")
@twin_folder
@_request
@path_option("--keys", metavar="FILE", help="Whose signatures count (default: the file of keys of the twin).")
def _name(folder: Path, *, request: Path, keys: Path | None) -> None:
    """Print the name behind the pseudonym, once; who asked and why is recorded before."""
    from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415

    twin = open_twin(folder)
    ring = twin.key_ring() if keys is None else KeyRingFile(keys).read()
    say(twin.reidentify(request.read_bytes(), ring))


def _signer(path: Path, *, stdin: bool) -> CryptoSigner:
    """Return what signs with the key of a file; asks for the passphrase if it is encrypted."""
    from twinlab.signing.keys import read_signer  # noqa: PLC0415

    passphrase = None
    if stdin:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    elif path.is_file() and b"BEGIN ENCRYPTED" in path.read_bytes():
        passphrase = click.prompt("Passphrase", hide_input=True)
    signer: CryptoSigner = read_signer(path, passphrase=passphrase)
    return signer
