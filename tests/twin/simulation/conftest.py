"""A small parcel twin, calibrated on its first weeks."""

import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.simulate.calibration.calibrated import calibrate

SIZE = ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4)
WINDOW = ("2026-01-05", "2026-01-24")


@pytest.fixture(scope="session")
def parcel():
    return tl.demo("parcel", size=SIZE)


@pytest.fixture(scope="session")
def calibrated(parcel):
    return calibrate(parcel, WINDOW)
