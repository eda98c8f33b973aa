"""Public keys of the devices of a key ring, ready to verify with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from twinlab.errors import SourceError
from twinlab.signing.keys.ring import Device

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["DeviceKey", "DeviceKeys", "need_cryptography"]


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """One public key of a device."""

    device: str
    revoked: str | None
    """When and why it was revoked; None if it counts."""
    public: Ed25519PublicKey

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Return whether this key signed the data."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (the object is of that library)

        try:
            self.public.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class DeviceKeys:
    """All keys of devices, revoked ones included, so that it can be said that one is."""

    by_id: Mapping[str, DeviceKey] = field(default_factory=dict)
    """SHA-256 of the public key -> the key."""

    @classmethod
    def of(cls, devices: Mapping[str, Device]) -> Self:
        """Return the keys of the devices of a ring: `twinlab.signing.keys.KeyRing.devices`.

        Raises
        ------
        SourceError
            Without the extra `mqtt`.
        """
        need_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  (checked above)

        return cls({
            key.key_id: DeviceKey(name, key.revoked, Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public)))
            for name, device in devices.items()
            for key in device.keys
        })  # fmt: skip


def need_cryptography() -> None:
    """Raise `SourceError` if the library isn't installed."""
    try:
        import cryptography  # noqa: F401, PLC0415  (an extra)
    except ImportError as error:
        msg = 'signed messages need cryptography, which isn\'t installed: pip install "twinlab-kit[mqtt]"'
        raise SourceError(msg) from error
