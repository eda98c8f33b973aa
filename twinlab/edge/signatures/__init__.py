"""Signed messages of gateways: which machine wrote the bytes, provable at the historian whatever the broker does.

In: the bytes of a birth or of rows, and a gateway's private key; or bytes from the broker, and the devices of a key ring.
Out: bytes to publish; or the message, and what is wrong with its signature.
Read in order: `signed_bytes`, `device_keys`, `signing_transport`.
Never: a message that is read before its signature is verified; own cryptography.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "DeviceKeys": "device_keys",
        "Opened": "signed_bytes",
        "open_message": "signed_bytes",
        "open_messages": "signed_bytes",
        "sign_message": "signed_bytes",
        "signing_connect": "signing_transport",
    },
)
