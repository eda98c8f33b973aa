"""Two networks to begin with, each with three scenarios: a parcel network and a factory line, in YAML files beside this one.

In: nothing. Out: a `Network`, or its scenarios.
Read in order: `loading`, then ``parcel.yaml`` and ``factory.yaml``.
Never: a model that needs anything but its file.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "factory_example": "loading",
        "factory_scenarios": "loading",
        "parcel_example": "loading",
        "parcel_scenarios": "loading",
    },
)
