"""What a reader of a served twin may see: the access policy applied to pages, data and functions of a twin.

In: a twin, an access policy, and a user's roles and purpose. Out: rights, and a twin that shows no more than they allow.
Read in order: `rights`, `pages`, `masks`, `functions`, `restricted_twin`, `session_rights`, `audiences` (one cache for
all readers with the same rights).
Never: a function of a twin that isn't listed in `functions`, a decision that the policy doesn't make.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Audiences": "audiences",
        "RestrictedTwin": "restricted_twin",
        "Rights": "rights",
        "rights_in_session": "session_rights",
    },
)
