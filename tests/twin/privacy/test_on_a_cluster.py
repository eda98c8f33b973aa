"""Personal data on a Dask cluster: the twin that divides the work records what is read."""

import pytest

from twinlab.model import Kpi
from twinlab.twin.privacy.recording import PrivacyAudit


def read(fleet) -> list[str]:
    return [name for row in PrivacyAudit(fleet.folder).rows("read") for name in row.what["fields"]]


@pytest.mark.parametrize("call", ["find", "kpi"])
def test_a_read_on_a_cluster_is_recorded_where_it_is_asked(fleet, cluster_client, call):
    if call == "find":
        found = fleet.twin.find("pulse > 100 1/min", on="driver", client=cluster_client)
        assert found.equals(fleet.twin.find("pulse > 100 1/min", on="driver"))
    else:
        lit = Kpi(on="truck", formula="time_mean(fuel) + time_mean(latitude) * 1 L/degree", unit="L")
        span = {"start": "2026-02-01", "stop": "2026-02-02", "every": "1d"}
        fleet.twin.kpi(lit, client=cluster_client, **span)
    assert ("pulse" if call == "find" else "latitude") in read(fleet)
