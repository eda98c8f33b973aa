"""People and devices with their public keys, as a file states them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from twinlab.errors import SchemaError
from twinlab.model.access.roles import Role
from twinlab.model.basics import Model, yaml_text
from twinlab.model.check import FaultsError, Finding

__all__ = ["Device", "KeyRing", "Person", "PublicKey", "Role"]

Name = Annotated[str, BeforeValidator(yaml_text), Field(pattern=r"^\S(?:.{0,98}\S)?$")]


class PublicKey(Model):
    """One Ed25519 key."""

    public: Annotated[str, BeforeValidator(yaml_text), Field(pattern=r"^[0-9a-f]{64}$")]
    """The 32 bytes of the public key, as 64 hexadecimal digits in lower case."""
    note: str = ""
    """Where the key is kept: "card 4711"."""
    revoked: Annotated[str | None, BeforeValidator(yaml_text)] = None
    """When and why it was revoked, for people: with any text the key doesn't count any more, whatever the clock shows."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key: nobody can give the id of a key to another key."""
        return hashlib.sha256(bytes.fromhex(self.public)).hexdigest()


class Person(Model):
    """Somebody who signs."""

    roles: list[Role] = Field(default_factory=list)
    """What the person may do."""
    keys: list[PublicKey] = Field(default_factory=list)
    """Keys of the person: together they count once."""


class Device(Model):
    """A machine that signs what it sends. It never counts as a person."""

    keys: list[PublicKey] = Field(default_factory=list)
    """Keys of the device."""


class KeyRing(Model):
    """A whole file of keys."""

    people: dict[Name, Person]
    """Name of a person -> roles and keys."""
    devices: dict[Name, Device] = Field(default_factory=dict)
    """Name of a device -> keys."""

    @model_validator(mode="after")
    def _each_key_has_one_owner(self) -> Self:
        owners: dict[str, str] = {}
        faults: list[Finding] = []
        for kind, owner in (("people", self.people), ("devices", self.devices)):
            for name, entry in owner.items():
                for place, key in enumerate(entry.keys):
                    where = f"{kind}.{name}.keys[{place}]"
                    first = owners.setdefault(key.public, where)
                    if first != where:
                        message = f"expected a key of its own, got the one of {first}"
                        faults.append(Finding((kind, name, "keys", place), SchemaError, message))
        if faults:
            raise FaultsError(faults)
        return self

    @cached_property
    def person_keys(self) -> dict[str, tuple[str, PublicKey]]:
        """Key id -> person and key, of keys of people that aren't revoked."""
        return _valid_keys(self.people)

    @cached_property
    def device_keys(self) -> dict[str, tuple[str, PublicKey]]:
        """Key id -> device and key, of keys of devices that aren't revoked."""
        return _valid_keys(self.devices)


def _valid_keys(owners: Mapping[str, Person | Device]) -> dict[str, tuple[str, PublicKey]]:
    return {key.key_id: (name, key) for name, owner in owners.items() for key in owner.keys if key.revoked is None}
