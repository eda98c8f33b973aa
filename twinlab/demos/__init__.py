"""The demo twins: models, mappings, and how their files are made. No logic of a room.

In: the plant's generator or an installed data set. Out: a twin in the user's cache.
Read: `recipes`, `overlays`. The folders beside it contain each twin's ``twin.yaml`` and ``mapping/``; in ``parcel/failures/``
is what the option ``failures`` adds to them, in ``parcel/control/`` what a running plant adds: set points and commands.
Never: code that a user's twin could need.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "DEMOS": "recipes",
        "FailureRates": "recipes",
        "ParcelSize": "recipes",
        "cache_folder": "recipes",
        "demo": "recipes",
        "parcel_files": "recipes",
        "parcel_size": "recipes",
    },
)
