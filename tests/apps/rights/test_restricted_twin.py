"""A twin as each role may see it, compared cell by cell with what the policy says."""

import copy

import numpy as np
import pandas as pd
import pytest

from twinlab.apps.rights.audiences import Audiences
from twinlab.apps.rights.functions import HARMLESS, OF_WHOLE_TWIN, WITH_ASSET
from twinlab.apps.rights.masks import signal_of
from twinlab.apps.rights.restricted_twin import RestrictedTwin
from twinlab.apps.rights.rights import Rights, field_class
from twinlab.apps.rights.session_rights import rights_in_session
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.access.policy import DEFAULT_POLICY
from twinlab.model.access.policy_faults import policy_faults
from twinlab.model.access.policy_file import parse_policy
from twinlab.model.access.questions import ReadAsset, ReadField
from twinlab.model.reader import TwinReader
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

POLICY = """
roles:
  viewer: {sensitivity: open}
  dispatcher:
    assets: [{type: station, ids: [NORTH, WEST]}, {type: van, where: {capacity: 40}}, {type: vehicle, ids: ["/^V1/"]}]
  analyst:
    assets: [{type: cold_room}, {type: van}]
    sensitivity: personal
  steward: {assets: [{type: parcel}], sensitivity: open}
  planner: {sensitivity: personal}
  operator: {assets: []}
"""
ROLES = [
    ("viewer",),
    ("dispatcher",),
    ("analyst",),
    ("steward",),
    ("planner",),
    ("operator",),
    ("captain",),
    (),
    ("viewer", "dispatcher"),
    ("dispatcher", "analyst"),
    ("steward", "dispatcher", "viewer"),
]
OPEN = [("station", "temperature"), ("van", "latitude"), ("van", "longitude"), ("station", "latitude")]
PERSONAL = [("van", "speed"), ("parcel", "content"), ("trip", "number")]


@pytest.fixture(scope="module")
def twin():
    """The example twin, in which some fields are open and some personal."""
    model = copy.deepcopy(EXAMPLE_MODEL)
    for level, fields in (("open", OPEN), ("personal", PERSONAL)):
        for owner, name in fields:
            kind = model["asset_types"].get(owner) or model["event_types"][owner]
            for part in ("signals", "properties"):
                if name in kind.get(part, {}):
                    kind[part][name] = {**kind[part][name], "sensitivity": level}
    twin = FakeTwin.example(days=3, trips=80)
    twin._model = TwinModel.model_validate(model)
    vans = twin.assets("van").copy()
    vans.loc[vans.index[::2], "capacity"] = 60
    twin._assets["van"] = vans
    return twin


@pytest.fixture(scope="module", params=ROLES, ids="+".join)
def rights(request):
    return Rights(parse_policy(POLICY), request.param)


@pytest.fixture(scope="module")
def seen(twin, rights):
    return RestrictedTwin(twin, rights)


def asset_of(twin, kind, name):
    table = twin.assets(kind)
    return ReadAsset(kind, name, dict(table.loc[name]) if name in table.index else {})


def may(twin, rights, kind, name, owner, field, spec):
    level, purposes = field_class(spec)
    asked = ReadField(owner, field, level, purposes, rights.purpose, asset_of(twin, kind, name))
    return bool(rights.decide(asked))


def test_it_is_a_reader(seen):
    assert isinstance(seen, TwinReader)


def test_the_model_has_the_fields_that_are_seen_and_nothing_that_refers_to_others(twin, seen, rights):
    for name, kind in twin.model.asset_types.items():
        some = rights.sees_type(name)
        assert (name in seen.model.asset_types) is some
        for part in ("signals", "properties"):
            for field, spec in getattr(kind, part).items():
                visible = some and rights.sees_field(name, field, spec)
                assert (some and field in getattr(seen.model.asset_types[name], part)) is visible
    # What is left is a model that could stand in a file.
    assert (
        TwinModel.model_validate(seen.model.model_dump(by_alias=True)).asset_types.keys()
        == seen.model.asset_types.keys()
    )
    if rights.roles == ("dispatcher",):
        assert set(seen.model.rules) == {"silent_van"}


@pytest.mark.parametrize("step", [None, "1h"])
def test_each_value_of_a_history_is_there_if_the_policy_says_so(twin, seen, rights, step):
    for kind, spec in twin.model.asset_types.items():
        for signal, one in spec.signals.items():
            whole = twin.history(kind, signals=[signal], step=step)
            visible = {str(a) for a in whole.asset.values if may(twin, rights, kind, str(a), kind, signal, one)}
            if not visible and signal not in getattr(seen.model.asset_types.get(kind), "signals", {}):
                with pytest.raises(UnknownTermError, match="that you may see"):
                    seen.history(kind, signals=[signal], step=step)
                continue
            found = seen.history(kind, signals=[signal], step=step)
            assert set(map(str, found.asset.values)) == visible
            for variable in found.data_vars:
                kept = whole[variable].sel(asset=[a for a in whole.asset.values if a in visible])
                np.testing.assert_array_equal(found[variable].values, kept.values)


def test_signals_that_are_seen_of_different_assets_are_masked_one_by_one(twin, rights, seen):
    """One dataset for all signals of vans: of each asset, only those signals that one of the roles sees."""
    signals = getattr(seen.model.asset_types.get("van"), "signals", {})
    names = [name for name in ("latitude", "speed") if name in signals]
    for step in (None, "1h") if names else ():
        whole, found = (reader.history("van", signals=names, step=step) for reader in (twin, seen))
        for variable in map(str, found.data_vars):
            name = signal_of(variable, names)
            for asset in map(str, found.asset.values):
                values = found[variable].sel(asset=asset).values
                if may(twin, rights, "van", asset, "van", name, twin.model.asset_types["van"].signals[name]):
                    np.testing.assert_array_equal(values, whole[variable].sel(asset=asset).values)
                elif variable.endswith("_qc"):
                    assert (values == 9).all()
                else:
                    assert (np.isnan(values) | (values == 0)).all()


def test_each_property_of_an_asset_is_there_if_the_policy_says_so(twin, seen, rights):
    for kind, spec in twin.model.asset_types.items():
        whole = twin.assets(kind)
        if kind not in seen.model.asset_types:
            with pytest.raises(UnknownTermError):
                seen.assets(kind)
            continue
        found = seen.assets(kind)
        assert list(found.index) == [a for a in whole.index if rights.decide(asset_of(twin, kind, a))]
        for name, one in spec.properties.items():
            for asset in found.index:
                if may(twin, rights, kind, asset, kind, name, one):
                    assert found.loc[asset, name] == whole.loc[asset, name]
                else:
                    assert name not in found or pd.isna(found.loc[asset, name])


def test_each_event_and_field_is_there_if_the_policy_says_so(twin, seen, rights):
    for kind, spec in twin.model.event_types.items():
        whole = twin.events(kind)
        if not rights.sees_type(spec.asset):
            with pytest.raises(UnknownTermError):
                seen.events(kind)
            continue
        found = seen.events(kind).set_index("event_id")
        visible = [bool(rights.decide(asset_of(twin, spec.asset, a))) for a in whole["asset"]]
        assert list(found.index) == list(whole["event_id"][visible])
        for _, row in whole[visible].iterrows():
            for name, one in spec.properties.items():
                got = found[name].get(row.event_id) if name in found else None
                if may(twin, rights, spec.asset, row.asset, kind, name, one):
                    assert got == row[name]
                else:
                    assert got is None or pd.isna(got)
            for link, target in spec.links.items():
                got = found[link].get(row.event_id) if link in found else None
                if rights.decide(asset_of(twin, target, row[link])):
                    assert got == row[link]
                else:
                    assert got is None or pd.isna(got)


def test_a_link_is_there_if_both_ends_are_seen(twin, seen, rights):
    for name, spec in twin.model.relationships.items():
        whole = twin.relationships(name)
        if not (rights.sees_type(spec.source) and rights.sees_type(spec.target)):
            with pytest.raises(UnknownTermError):
                seen.relationships(name)
            continue
        expected = [
            bool(rights.decide(asset_of(twin, spec.source, row.source)))
            and bool(rights.decide(asset_of(twin, spec.target, row.target)))
            for row in whole.itertuples()
        ]
        pd.testing.assert_frame_equal(seen.relationships(name), whole[expected])


def test_an_asset_or_signal_that_is_not_seen_cannot_be_asked_for(twin):
    seen = RestrictedTwin(twin, Rights(parse_policy(POLICY), ("dispatcher",)))
    with pytest.raises(UnknownTermError, match="'EAST'"):
        seen.history("station", assets=["EAST"])
    with pytest.raises(UnknownTermError, match="'speed'"):
        seen.steps("van", "speed")
    with pytest.raises(UnknownTermError, match="'delivery'"):
        seen.events("delivery", assets=["P0048000"])
    with pytest.raises(UnknownTermError, match="'V9'"):
        seen.events("trip", assets=["V9"])
    assert set(seen.events("trip", assets=["V15"])["asset"]) == {"V15"}


class Capable(FakeTwin):
    """A twin that has every function, each of which says what it was asked."""

    position = 7


for _name in sorted(OF_WHOLE_TWIN | WITH_ASSET):
    if not hasattr(Capable, _name):
        setattr(Capable, _name, lambda self, *what, _name=_name, **options: (_name, what, options))


def test_functions_of_the_whole_twin_are_for_readers_who_see_all_of_it(twin):
    model = copy.deepcopy(EXAMPLE_MODEL)
    model["asset_types"]["parcel"]["properties"]["content"] = {"sensitivity": "personal"}
    capable = Capable(TwinModel.model_validate(model), assets=twin._assets, histories=twin._histories)
    some = RestrictedTwin(capable, Rights(parse_policy(POLICY), ("viewer",)))
    # Sees all assets and signals, but not every property.
    most = RestrictedTwin(capable, Rights(DEFAULT_POLICY, ("viewer",)))
    assert "content" not in most.model.asset_types["parcel"].properties
    for name in OF_WHOLE_TWIN:
        assert not hasattr(some, name), name
        assert hasattr(most, name), name
    for name in HARMLESS & {"position", "open_code"}:
        assert getattr(some, name) == getattr(capable, name)
    for name in ("folder", "_twins", "ingest", "reader", "as_of", "rebuild", "promote"):
        assert not hasattr(some, name)
        assert not hasattr(most, name)


def test_functions_of_one_signal_are_for_signals_that_are_seen(twin):
    capable = Capable(twin.model, assets=twin._assets, histories=twin._histories)
    seen = RestrictedTwin(capable, Rights(parse_policy(POLICY), ("dispatcher",)))
    assert seen.observations("station/NORTH", "wind_speed", start=1)[2] == {"start": 1}
    for asset, signal in [("station/EAST", "wind_speed"), ("van/V1", "speed"), ("parcel/P0048000", None)]:
        with pytest.raises(UnknownTermError):
            seen.observations(asset, signal)
    for what in ({"key": "x"}, "kpi", "nothing/here"):
        with pytest.raises(SchemaError, match="TYPE/ASSET"):
            seen.why(what)


def test_readers_with_the_same_rights_share_a_cache_and_others_do_not(twin):
    audiences, policy = Audiences(twin), parse_policy(POLICY)
    viewer = audiences.shared(Rights(policy, ("viewer",)))
    assert audiences.shared(Rights(policy, ("viewer",))) is viewer
    assert audiences.shared(Rights(policy, ("viewer", "captain"))) is viewer
    assert audiences.shared(Rights(policy, ("viewer",), "dispatch")) is not viewer
    assert audiences.shared(Rights(policy, ("dispatcher",))) is not viewer
    assert audiences.shared(None) is audiences.whole
    assert audiences.whole.twin is twin


def test_somebody_who_may_see_everything_has_the_twin_itself():
    twin = FakeTwin.example(days=1, trips=1)
    audiences = Audiences(twin)
    assert audiences.shared(Rights(DEFAULT_POLICY, ("viewer",))) is audiences.whole
    assert audiences.shared(Rights(DEFAULT_POLICY, ("captain",))).twin is not twin


def test_a_purpose_that_the_policy_does_not_give_counts_for_nothing(twin):
    rights = rights_in_session(parse_policy(POLICY), ("viewer",), twin.model, settings={"purpose": "billing"})
    assert rights.purpose is None


def test_names_that_the_twin_does_not_have_are_faults(twin):
    policy = parse_policy(
        "roles: {viewer: {pages: [now, nwo], assets: [{type: vann}, {type: van, where: {plat: A}}], "
        "purposes: [dispatch], commands: [van.speed]}}"
    )
    found = policy_faults(policy, twin.model, pages=["now"])
    places = [".".join(map(str, one.path[2:])) for one in found]
    assert places == ["pages.1", "purposes.0", "commands.0", "assets.0.type", "assets.1.where"]
    assert "did you mean 'now'?" in found[0].message
