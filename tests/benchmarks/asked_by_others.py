"""Questions of others about two twins, with their true answers, and the twins that they are put to.

Each set was written before anybody ran one of its questions; who wrote it hadn't read the parser. A question isn't changed afterwards.
About a quarter is German; a tenth can't be answered from the data. The parser was corrected with the first hundred and with the second;
the third hundred was held back, and asked once after all corrections; then it was corrected with that, and a fourth was asked once.
"""

from __future__ import annotations

import twinlab as tl
from tests.benchmarks import (
    asked_again_of_nyc,
    asked_again_of_nyc_held_back,
    asked_again_of_parcel,
    asked_again_of_parcel_held_back,
    asked_third_of_nyc,
    asked_third_of_parcel,
)
from tests.benchmarks.asked_of_nyc import NYC
from tests.benchmarks.asked_of_parcel import PARCEL
from twinlab.plant import ParcelSize
from twinlab.twin import Twin

__all__ = ["ASKED", "open_asked"]

#: Set of questions -> twin -> its questions.
ASKED = {
    "first": {"nyc": NYC, "parcel": PARCEL},
    "again": {"nyc": asked_again_of_nyc.NYC, "parcel": asked_again_of_parcel.PARCEL},
    "held back": {"nyc": asked_again_of_nyc_held_back.NYC, "parcel": asked_again_of_parcel_held_back.PARCEL},
    "third": {"nyc": asked_third_of_nyc.NYC, "whole parcel": asked_third_of_parcel.PARCEL},
}

SIZE = ParcelSize(hubs=4, trucks=20, cold_rooms=2, forklifts=2, parcels_a_week=200, weeks=1)


def open_asked(name: str) -> Twin:
    """Open one of the twins; the first call builds it. The third hundred is about the whole demo, of thirteen weeks."""
    if name == "whole parcel":
        return tl.demo("parcel")
    return tl.demo("nyc") if name == "nyc" else tl.demo("parcel", size=SIZE)
