"""Changes of pools: they take effect when they should, and what doesn't fit a pool is refused."""

import numpy as np
import pytest

from tests.simulate.kernel.loops.pools.yards import HOUR, MANY, START, yard
from twinlab.errors import TwinlabError
from twinlab.simulate.kernel import ScenarioModel
from twinlab.simulate.scenarios import Scenario

LIFTS = {"type": "forklift", "links": [["a", "b"]], "capacity": 1}


def carried(changes: list[dict], hours: int = 12, **parts) -> np.ndarray:
    """Return how many jobs are carried in each hour."""
    scenario = Scenario("changed", yard(**parts), changes)
    model = ScenarioModel(scenario)
    done = model.advance(model.initial_state(start=START), until=START + hours * HOUR, step=HOUR, trace=True)
    return done.results["forklift_carried"].sum("forklift").values.astype(int)


BUSY = {"demand": {"jobs": {"at": "a", "interval": "2 min", "route": ["b"]}}, "lifts": {"home": "a", "count": 2}}


def test_fewer_more_slower_and_faster_ones():
    assert carried([], 4, **BUSY)[1:].tolist() == [6, 6, 6]
    fewer = carried([{"kind": "transporters", "transporters": "lifts", "add": -1, "start": "4h", "stop": "8h"}], **BUSY)
    assert fewer[1:4].tolist() == [6] * 3
    assert fewer[5:8].tolist() == [3] * 3
    assert fewer[9:].tolist() == [6] * 3
    more = carried([{"kind": "transporters", "transporters": "lifts", "add": 1, "start": "4h", "stop": "8h"}], **BUSY)
    assert more[5:8].tolist() == [9] * 3
    assert more[9:].tolist() == [6] * 3
    slow = carried([{"kind": "speed", "transporters": "forklift", "factor": 0.5, "start": "4h", "stop": "8h"}], **BUSY)
    # A round takes 40 minutes.
    assert 8 <= slow[5:8].sum() <= 9
    assert slow[9:].tolist() == [6] * 3
    storm = carried([{"kind": "storm", "factor": 2, "start": "4h", "stop": "8h"}], **BUSY)
    # A round takes 40 minutes.
    assert 8 <= storm[5:8].sum() <= 9


def test_a_new_pool_for_a_window_helps_the_one_that_is_there():
    new = {
        "kind": "new_transporters",
        "name": "agvs",
        "group": {**LIFTS, "count": 2, "home": "a"},
        "start": "4h",
        "stop": "8h",
    }
    found = carried([new], **BUSY)
    assert found[1:4].tolist() == [6] * 3
    assert found[5:8].tolist() == [12] * 3
    assert found[9:].tolist() == [6] * 3


def test_another_order_of_requests_in_a_window():
    demand = {
        "low": {"at": "a", "interval": "10 min", "route": ["b"]},
        "high": {"at": "a", "interval": "20 min", "route": ["b"], "priority": 1},
    }
    change = {
        "kind": "dispatch",
        "transporters": "lifts",
        "dispatch": {"order": "priority"},
        "start": "4h",
        "stop": "8h",
    }
    scenario = Scenario("order", yard(demand=demand, lifts={"home": "a"}), [change])
    model = ScenarioModel(scenario)
    done = model.advance(model.initial_state(start=START), until=START + 12 * HOUR, step=HOUR, trace=True)
    legs = done.events["leg"]
    hour = ((legs["start"] - START) / HOUR).astype(int)
    high = legs["asset"].str.startswith("high").groupby(hour).sum()
    # Three carried in an hour, of nine that come in it, three with a higher priority.
    assert (high.loc[5:7] == 3).all()
    assert (high.loc[1:3] <= 2).all()


def test_closed_links_are_driven_by_nobody():
    nodes = dict.fromkeys("abc", MANY)
    links = [
        {"from": "a", "to": "b", "travel": "5 min"},
        {"from": "b", "to": "c", "travel": "5 min"},
        {"from": "c", "to": "a", "travel": "5 min"},
    ]
    demand = {
        "jobs": {"at": "a", "interval": "30 min", "route": ["b"]},
        "back": {"at": "b", "interval": "31 min", "route": ["c"]},
    }
    lifts = {"links": [["a", "b"], ["b", "c"]], "home": "a"}
    change = {"kind": "reroute", "closed": [["c", "a"]], "start": "2h"}
    model = ScenarioModel(Scenario("closed", yard(nodes=nodes, links=links, demand=demand, lifts=lifts), [change]))
    done = model.advance(model.initial_state(start=START), until=START + 6 * HOUR, step=HOUR, trace=True)
    trips = done.events["trip"]
    over = trips[(trips["origin"] == "c") & (trips["destination"] == "a")]
    assert (over["start"] < START + 2 * HOUR).any()
    assert not (over["start"] > START + 2 * HOUR).any()
    assert (trips["start"] > START + 5 * HOUR).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "timetable", "transporters": "lifts", "every": "1 h"}, r"changes\[0\]\.transporters: 'lifts' are called to `links`"),
        ({"kind": "dispatch", "transporters": "lifts", "dispatch": {"every": "1 h"}}, "`dispatch.every` belongs to a `route`"),
        ({"kind": "dispatch", "transporters": "lfts", "dispatch": {"order": "due"}}, "did you mean 'lifts'"),
        ({"kind": "dispatch", "transporters": "lifts", "dispatch": {"order": "fifo"}}, "changes nothing"),
        ({"kind": "new_transporters", "name": "more", "group": {**LIFTS, "links": [["a", "x"]]}}, "there is no node 'x'"),
        ({"kind": "new_transporters", "name": "more", "group": {**LIFTS, "links": [["b", "a"]]}}, "no link from 'b' to 'a'"),
        ({"kind": "reroute", "closed": [["a", "b"]]}, "closed"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_pool_is_refused(change, message):
    with pytest.raises(TwinlabError, match=message):
        Scenario("bad", yard(), [change])
