"""Whatever a model declares, a purpose shows exactly that: in the model, in histories, in tables, for each role's limit."""

import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import PurposeError
from twinlab.model.load import parse_model
from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader

PURPOSES = ("payroll", "planning", "safety")
CLASSES = ("open", "internal", "personal", "sensitive")
FIELD = st.tuples(st.sampled_from(CLASSES), st.one_of(st.none(), st.lists(st.sampled_from(PURPOSES), unique=True)))
IDENTITY = st.sampled_from(["plain", "pseudonym", "none"])


def entry(field, extra=""):
    sensitivity, purposes = field
    said = "" if purposes is None else f", purposes: [{', '.join(purposes)}]"
    return f"{{sensitivity: {sensitivity}{said}{extra}}}"


def expected(field, purpose, highest="sensitive"):
    """The rule, stated once more in other words."""
    sensitivity, purposes = field
    if CLASSES.index(sensitivity) > CLASSES.index(highest):
        return False
    if purposes is not None:
        return purpose in purposes
    return sensitivity in ("open", "internal")


class Whole:
    """A twin with one asset and one event, whatever its fields are."""

    def __init__(self, model):
        self.model = model

    def history(self, asset_type, *, signals=None, assets=None, start=None, stop=None, step=None):
        return xr.Dataset({name: (("time", "asset"), [[1.0]]) for name in signals}, {"asset": ["T1"], "time": [0]})

    def events(self, event_type, *, start=None, stop=None, assets=None):
        names = self.model.event_types[event_type].properties
        times = {name: pd.to_datetime(["2026-01-01"]) for name in ("start", "end", "planned_start", "planned_end")}
        return pd.DataFrame(
            {"event_id": ["1"], "type": [event_type], "asset": ["T1"], **times, **{n: ["Ann"] for n in names}}
        )

    def assets(self, asset_type):
        return pd.DataFrame({name: ["Ann"] for name in self.model.asset_types[asset_type].properties}, index=["T1"])

    def relationships(self, relationship):
        raise AssertionError

    def steps(self, asset_type, signal):
        return ()


@settings(max_examples=80)
@given(
    st.lists(FIELD, min_size=1, max_size=4), st.lists(FIELD, max_size=4), st.lists(FIELD, max_size=4),
    st.sampled_from(PURPOSES), IDENTITY, st.sampled_from(CLASSES[1:]),
)  # fmt: skip
def test_every_field_is_where_it_is_declared_and_nowhere_else(
    signals, properties, of_event, purpose, identity, highest
):
    names = {
        "s": {f"s{n}": one for n, one in enumerate(signals)},
        "p": {f"p{n}": one for n, one in enumerate(properties)},
        "e": {f"e{n}": one for n, one in enumerate(of_event)},
    }
    text = "\n".join([
        "twin: a", "purposes:",
        *(f"  {name}: {{description: D., legal_basis: contract, identity: {identity}}}" for name in PURPOSES),
        "asset_types:", "  truck:", "    signals:", *(f"      {n}: {entry(one, ', resolution: 1')}" for n, one in names["s"].items()),
        "    properties:", *([f"      {n}: {entry(one)}" for n, one in names["p"].items()] or ["      {}"]),
        "event_types:", "  trip:", "    asset: truck", "    properties:",
        *([f"      {n}: {entry(one)}" for n, one in names["e"].items()] or ["      {}"]),
    ])  # fmt: skip
    model = parse_model(text)
    recorded = []
    policy = Policy(model, purpose, highest=highest)
    reader = PurposeReader(Whole(model), policy, lambda *given: f"p-{given}", recorded.append)

    def seen(kind, *, names_people):
        """Return what is to be seen; values of these properties name people."""
        hidden = identity == "none" and names_people
        return {
            name for name, one in names[kind].items()
            if expected(one, purpose, highest) and not (hidden and one[0] in ("personal", "sensitive"))
        }  # fmt: skip

    wanted = seen("s", names_people=False), seen("p", names_people=True), seen("e", names_people=True)
    truck, trip = reader.model.asset_types["truck"], reader.model.event_types["trip"]
    assert (set(truck.signals), set(truck.properties), set(trip.properties)) == wanted
    if wanted[0]:
        assert set(reader.history("truck").data_vars) == wanted[0]
    table = reader.events("trip")
    assert {name for name in table.columns if name in names["e"]} == wanted[2]
    assert {name for name in reader.assets("truck").columns if name in names["p"]} == wanted[1]
    for name in names["s"].keys() - wanted[0]:
        with pytest.raises(PurposeError):
            reader.history("truck", signals=[name])
    personal = {
        n
        for kind, shown in zip("spe", wanted, strict=True)
        for n in shown
        if names[kind][n][0] in ("personal", "sensitive")
    }
    assert {name for row in recorded for name in row["fields"]} == personal
    for name in wanted[2] & personal:
        assert (table[name] == "Ann").all() == (identity == "plain")
