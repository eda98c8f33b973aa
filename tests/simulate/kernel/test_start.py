"""Runs that start from tables of what is where."""

import numpy as np
import pandas as pd
import pytest

from tests.simulate.kernel.networks import HOUR, START, parcels
from twinlab import simulate
from twinlab.errors import SchemaError, UnknownTermError

MINUTE = np.timedelta64(1, "m")


@pytest.fixture(scope="module")
def model():
    return parcels()


def entities() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"name": "p1", "at": "north", "destination": "south"},
            {"name": "p2", "at": "north", "stage": "served", "destination": "depot", "began": START - MINUTE},
            {"name": "p3", "at": "north", "next": "south", "destination": "south", "created": START - 60 * MINUTE},
            {"name": "p4", "aboard": "truck/2", "destination": "south", "due": START + 30 * MINUTE},
            {"name": "p5", "at": "south", "destination": "depot", "stage": "outbound", "next": "north"},
            {"name": "p6", "aboard": "truck/1", "destination": "south"},
        ]
    )


def transporters() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"name": "truck/1", "at": "south"},
            {"name": "truck/2", "origin": "north", "destination": "south", "departed": START - 30 * MINUTE},
            {"name": "truck/3", "origin": "south", "destination": "north", "arrives": START + 5 * MINUTE},
        ]
    )


def test_entities_and_transporters_go_on_from_where_they_are(model):
    state = model.state_from(START, entities=entities(), transporters=transporters(), seed=1)
    assert state["started"].values.tolist() == ["p1", "p2", "p3", "p4", "p5", "p6"]
    done = model.advance(state, until=START + 6 * HOUR, step=HOUR, trace=True)
    visits, legs = done.events["visit"], done.events["leg"]
    first = visits.drop_duplicates("entity").set_index("entity")["asset"]
    assert first[["p1", "p2", "p4"]].tolist() == ["north", "north", "south"]
    p4 = legs[legs["asset"] == "p4"].iloc[0]
    assert (p4["truck"], p4["start"]) == ("truck/2", pd.Timestamp(START - 30 * MINUTE))
    assert pd.Timestamp(START) < p4["end"] < pd.Timestamp(START + 2 * HOUR)
    # At the node with a load: it unloads at once.
    assert legs[legs["asset"] == "p6"].iloc[0]["end"] == pd.Timestamp(START)
    trips = done.events["trip"]
    assert trips[trips["asset"] == "truck/3"].iloc[0]["end"] == pd.Timestamp(START + 5 * MINUTE)
    # All of them were delivered, beside those that came later.
    assert set(visits.loc[visits["asset"] == "depot", "entity"]) >= {"p2"}


def test_what_the_start_does_not_say_is_drawn_by_each_replication(model):
    state = model.state_from(START, entities=entities(), transporters=transporters())
    ends = set()
    for number in range(3):
        done = model.advance(simulate.fork(state, replication=number), until=START + 3 * HOUR, step=HOUR, trace=True)
        legs = done.events["leg"]
        ends.add(legs[legs["asset"] == "p4"].iloc[0]["end"])
    # The way has a fixed time, unloading hasn't.
    assert len(ends) == 3


def test_a_resumed_run_from_tables_is_bit_identical(model):
    state = model.state_from(START, entities=entities(), transporters=transporters())
    whole = model.advance(state, until=START + 4 * HOUR, step=HOUR)
    half = model.advance(state, until=START + HOUR, step=HOUR)
    assert model.advance(half.state, until=START + 4 * HOUR, step=HOUR).state.identical(whole.state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": "nroth"}, "entities, row 'p1', column 'at': there is no node 'nroth'; did you mean 'north'"),
        ({"aboard": "truck/2"}, "column 'at': expected exactly one of `at` and `aboard`"),
        ({"kind": "letter"}, "column 'kind': there is no kind of entity 'letter'"),
        ({"stage": "lost"}, "column 'stage': expected one of queued, served, outbound, got 'lost'"),
        ({"route": "south > depot"}, "column 'route': expected a destination or a route, got both"),
        ({"destination": None, "route": "south > x"}, "expected the rest of a route of the demand (none is stated)"),
        ({"next": "depot"}, "column 'next': expected a node that a transporter serves from 'north'"),
        ({"created": START + HOUR}, "column 'created': expected an instant not after the start"),
        ({"due": "soon"}, "column 'due': expected an instant, got 'soon'"),
    ],
)
def test_a_wrong_cell_is_named_with_row_and_column(model, change, message):
    table = pd.DataFrame([{"name": "p1", "at": "north", "destination": "south", **change}])
    with pytest.raises(SchemaError) as caught:
        model.state_from(START, entities=table, transporters=transporters())
    assert message in str(caught.value)


def test_wrong_tables_are_refused(model):
    with pytest.raises(UnknownTermError, match="entities: unknown column 'plcae'"):
        model.state_from(START, entities=pd.DataFrame({"plcae": ["north"]}))
    with pytest.raises(SchemaError, match="row 'p1': the name is there twice"):
        model.state_from(START, entities=pd.DataFrame({"name": ["p1", "p1"], "at": "north"}))
    with pytest.raises(SchemaError, match="there is no transporter 'truck/9'"):
        model.state_from(START, transporters=pd.DataFrame({"name": ["truck/9"], "at": ["north"]}))
    with pytest.raises(SchemaError, match="expected `at`, or a leg of its route \\(north > south, south > north\\)"):
        model.state_from(START, transporters=pd.DataFrame({"name": ["truck/1"], "origin": ["depot"]}))
    with pytest.raises(SchemaError, match="'truck/2' carries it, but isn't in the table"):
        model.state_from(START, entities=pd.DataFrame({"name": ["p"], "aboard": ["truck/2"]}))
