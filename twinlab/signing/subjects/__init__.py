"""Keys of people whose data a twin has: a key for each person and month, outside of the twin; pseudonyms for each purpose.

In: the name of a person, a month, a purpose. Out: keys while they exist, ciphertexts, pseudonyms.
Read in order: `ciphers`, `pseudonyms`, `key_folder`.
Never: a key inside the twin's folder, a key that comes back after it was destroyed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "KeyFolder": "key_folder",
        "Pseudonyms": "pseudonyms",
    },
)
