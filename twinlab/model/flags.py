"""Quality flags: QARTOD's numbers with CF's attributes.

References
----------
.. [1] U.S. IOOS, "Manual for the Use of Real-Time Oceanographic Data Quality Control Flags", v1.2, table 1.
.. [2] CF Conventions 1.11, section 3.5 "Flags".
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["FLAG_SEVERITY", "Flag", "flag_attributes"]


class Flag(IntEnum):
    """The result of a quality test for one value; `FLAG_SEVERITY` says which of two flags counts."""

    PASS = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


#: Worst first. ioos_qc ranks missing below pass; twinlab doesn't, so that an aggregate shows the gap.
FLAG_SEVERITY: tuple[Flag, ...] = (Flag.FAIL, Flag.MISSING, Flag.SUSPECT, Flag.PASS, Flag.NOT_EVALUATED)


def flag_attributes(signal: str) -> dict[str, object]:
    """CF attributes of the flag variable of ``signal``.

    >>> flag_attributes("speed")["flag_meanings"]
    'pass not_evaluated suspect fail missing'
    """
    return {
        "long_name": f"quality flag of {signal}",
        "standard_name": "aggregate_quality_flag",
        "flag_values": np.array([flag.value for flag in Flag], dtype="uint8"),
        "flag_meanings": " ".join(flag.name.lower() for flag in Flag),
    }
