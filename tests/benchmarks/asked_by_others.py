"""The questions of `asked_of_nyc` and `asked_of_parcel`, and the twins that they are put to.

They were written, with their true answers, before anybody ran one of them; who wrote them hadn't read the parser. A question isn't
changed afterwards. About a quarter is German; a tenth can't be answered from the data.
"""

from __future__ import annotations

import twinlab as tl
from tests.benchmarks.asked_of_nyc import NYC
from tests.benchmarks.asked_of_parcel import PARCEL
from twinlab.plant import ParcelSize
from twinlab.twin import Twin

__all__ = ["ASKED", "open_asked"]

#: Twin -> its questions.
ASKED = {"nyc": NYC, "parcel": PARCEL}

SIZE = ParcelSize(hubs=4, trucks=20, cold_rooms=2, forklifts=2, parcels_a_week=200, weeks=1)


def open_asked(name: str) -> Twin:
    """Open one of the twins; the first call builds it."""
    return tl.demo("nyc") if name == "nyc" else tl.demo("parcel", size=SIZE)
