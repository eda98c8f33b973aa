"""Privacy: how sensitive each field of a twin is, for which purposes it may be read, and in which precision.

In: `sensitivity` and `purposes` of fields, ``purposes:`` and ``privacy:`` of ``twin.yaml``. Out: frozen objects, and the fields that
a purpose shows.
Read in order: `classes`, `precision`, `purpose`, `section`, `declarations`, `fields`, `faults`, `policy`, `filtered_model`, `field_reader`, `coarse`, `coarse_history`, `purpose_reader`, `personal_columns`, `detector`.
Never: data read, a key, a purpose assumed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Policy": "policy",
        "Precision": "precision",
        "PrivacyRule": "section",
        "Purpose": "purpose",
        "Sensitivity": "classes",
        "Suspect": "detector",
        "fields_of": "fields",
        "suspects": "detector",
    },
)
