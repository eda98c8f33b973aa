"""Wrong units planted in the parcel plant are found, and nothing else is suspected."""

from tests.quality.unit_faults.planted import score
from twinlab.plant import ParcelSize


def test_planted_units_are_found_with_the_right_fix_first_and_no_clean_channel_is_suspected() -> None:
    # The benchmark has the full size and other seeds.
    size = ParcelSize(hubs=6, trucks=16, cold_rooms=14, forklifts=14, parcels_a_week=5, weeks=5, seed=202)
    found = score(size, faulty=12, clean=60)
    assert found.wrong == []
    assert (found.found, found.planted, found.suspected, found.clean) == (12, 12, 0, 60)
