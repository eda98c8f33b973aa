"""Whom a pseudonym belongs to: found only for two people who both signed the same request."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from twinlab.errors import CommandRejectedError, PurposeError
from twinlab.signing.envelopes.dsse import open_envelope, public_key
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit

if TYPE_CHECKING:
    from twinlab.control.audit import AuditRow
    from twinlab.signing.keys.ring import KeyRing

__all__ = ["PAYLOAD_TYPE", "new_request", "note_asked", "reidentify"]

#: What is signed is no command.
PAYLOAD_TYPE = "application/vnd.twinlab.reidentification+json"
#: Roles whose signatures count, and how many people of them are needed.
_ROLES, _PEOPLE = frozenset({"steward", "security", "admin"}), 2
_LONGEST = timedelta(hours=24)
_FIELDS = frozenset({"id", "twin", "pseudonym", "purpose", "column", "reason", "expires_at"})


def new_request(
    twin: str, pseudonym: str, *, reason: str, purpose: str | None = None, column: str | None = None, hours: float = 1.0
) -> bytes:
    """Return the bytes of a request, which two people sign with `twinlab.signing.envelopes`.

    Parameters
    ----------
    twin : str
        Name of the twin.
    pseudonym : str
        What a reader for ``purpose`` has shown, or what is stored in ``column`` of a source.
    reason : str
        Why it has to be known.
    purpose, column : str, optional
        One of them.
    hours : float
        For how long the request counts, at most 24.
    """
    if (purpose is None) == (column is None) or not reason.strip():
        msg = "expected a reason, and either the purpose of the pseudonym or the column that it is stored in"
        raise PurposeError(msg)
    until = datetime.now(UTC) + timedelta(hours=hours)
    asked = {
        "id": uuid.uuid4().hex, "twin": twin, "pseudonym": pseudonym, "purpose": purpose, "column": column, "reason": reason,
        "expires_at": until.isoformat(timespec="seconds"),
    }  # fmt: skip
    return json.dumps(asked, sort_keys=True).encode()


def note_asked(twin: WholeTwin, wire: bytes, ring: KeyRing) -> None:
    """Record that a request was made; it isn't answered yet.

    Raises
    ------
    CommandRejectedError
        If the person who signed it has none of the roles, or signed with a key that isn't in the ring.
    """
    asked, people = _opened(wire, ring)
    if not any(_ROLES & set(ring.people[name].roles) for name in people):
        msg = f"expected a request by somebody of the roles {', '.join(sorted(_ROLES))}, got one by {', '.join(people)}"
        raise CommandRejectedError(msg)
    row = {
        "kind": "reidentification",
        "who": people,
        "what": {**_what(asked), "outcome": "asked", "reason": str(asked["reason"])},
    }
    PrivacyAudit(twin.folder).append(row)


def _opened(wire: bytes, ring: KeyRing) -> tuple[dict[str, object], list[str]]:
    """Return what is asked, and who has signed it."""
    keys = {one: public_key(one, key.public) for one, (_, key) in ring.person_keys.items()}
    opened = open_envelope(wire, payload_type=PAYLOAD_TYPE, keys=keys)
    return json.loads(opened.payload), sorted({ring.person_keys[one][0] for one in opened.key_ids})


def _what(asked: dict[str, object]) -> dict[str, str]:
    return {
        "id": str(asked.get("id")),
        "pseudonym": str(asked.get("pseudonym")),
        "purpose": str(asked.get("purpose") or ""),
    }


def reidentify(twin: WholeTwin, wire: bytes, ring: KeyRing) -> str:
    """Return the name behind a pseudonym.

    Parameters
    ----------
    twin : Twin
    wire : bytes
        An envelope with the request, signed by two people of the roles steward, security or admin.
    ring : KeyRing
        Whose signatures count.

    Raises
    ------
    CommandRejectedError
        If the request isn't signed by two such people, is for another twin, was used before or is too old.
    PurposeError
        If the pseudonym is nobody's whose keys exist.
    """
    audit = PrivacyAudit(twin.folder)
    asked, people = _opened(wire, ring)
    what = _what(asked)
    fault = _fault(twin, asked, [name for name in people if _ROLES & set(ring.people[name].roles)])
    if fault is None and any(_is_use(row, what["id"]) for row in audit.rows("reidentification")):
        fault = "the request was used before"
    outcome = {"outcome": "accepted" if fault is None else "refused", "reason": fault or str(asked["reason"])}
    audit.append({"kind": "reidentification", "who": people, "what": {**what, **outcome}})
    if fault is not None:
        msg = f"re-identification: {fault}; two people of the roles {', '.join(sorted(_ROLES))} sign one new request"
        raise CommandRejectedError(msg)
    found = _find(twin, asked)
    if found is None:
        msg = (
            "the pseudonym is nobody's whose keys exist: it is of another purpose or epoch, or the person was forgotten"
        )
        raise PurposeError(msg)
    return found


def _is_use(row: AuditRow, number: str) -> bool:
    return (row.what.get("id"), row.what.get("outcome")) == (number, "accepted")


def _fault(twin: WholeTwin, asked: dict[str, object], people: list[str]) -> str | None:
    if set(asked) != _FIELDS:
        return f"expected the fields {', '.join(sorted(_FIELDS))}, got {', '.join(sorted(map(str, asked)))}"
    if asked["twin"] != twin.model.twin:
        return f"expected a request for {twin.model.twin!r}, got {asked['twin']!r}"
    if len(people) < _PEOPLE:
        return f"expected signatures of {_PEOPLE} people, got {len(people)} ({', '.join(people) or 'nobody'})"
    now, until = datetime.now(UTC), datetime.fromisoformat(str(asked["expires_at"]))
    if not now < until <= now + _LONGEST:
        return f"expected a request that is valid now and for at most 24 h, this one is until {until.isoformat()}"
    return None


def _find(twin: WholeTwin, asked: dict[str, object]) -> str | None:
    encryption = twin.ledger.encryption
    if encryption is None:
        return None
    pseudonym = str(asked["pseudonym"])
    if asked["column"] is not None:
        return encryption.real_name(pseudonym, str(asked["column"]))
    purpose = str(asked["purpose"])
    stated = twin.model.purposes.get(purpose)
    length = None if stated is None else stated.epoch_ns
    origin, now = twin.model.origin_ns, int(datetime.now(UTC).timestamp() * 1e9)
    epochs = [0] if length is None else range(now // length, origin // length - 1, -1)
    return encryption.keys.pseudonyms().find(pseudonym, purpose, epochs, encryption.keys.subjects())
