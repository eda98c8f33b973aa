"""A twin as each role may see it, compared cell by cell with what the policy says."""

import copy
import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twinlab.apps.rights.audiences import Audiences
from twinlab.apps.rights.functions import HARMLESS, OF_ASSETS, OF_PAGES, OF_WHOLE_TWIN, WITH_ASSET
from twinlab.apps.rights.masks import signal_of
from twinlab.apps.rights.restricted_twin import RestrictedTwin
from twinlab.apps.rights.rights import Rights, field_class
from twinlab.apps.rights.session_rights import rights_in_session
from twinlab.errors import ControlError, SchemaError, UnknownTermError
from twinlab.model.access.policy import DEFAULT_POLICY
from twinlab.model.access.policy_faults import policy_faults
from twinlab.model.access.policy_file import parse_policy
from twinlab.model.access.questions import ReadAsset, ReadField
from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader
from twinlab.model.reader import TwinReader
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

POLICY = """
roles:
  viewer: {sensitivity: open, purposes: [dispatch]}
  dispatcher:
    assets: [{type: station, ids: [NORTH, WEST]}, {type: van, where: {capacity: 40}}, {type: vehicle, ids: ["/^V1/"]}]
  analyst:
    assets: [{type: cold_room}, {type: van}]
    sensitivity: personal
    purposes: [dispatch]
  steward: {assets: [{type: parcel}], sensitivity: open}
  planner: {sensitivity: personal, purposes: "*"}
  security: {sensitivity: sensitive, purposes: [payroll]}
  operator: {assets: [], sensitivity: sensitive, purposes: "*"}
"""
ROLES = [
    ("viewer",),
    ("dispatcher",),
    ("analyst",),
    ("steward",),
    ("planner",),
    ("security",),
    ("operator",),
    ("captain",),
    (),
    ("viewer", "dispatcher"),
    ("dispatcher", "analyst"),
    ("steward", "dispatcher", "viewer"),
]
PURPOSES = [None, "dispatch", "payroll"]
#: (owner, field) -> what the model states: sensitivity, purposes.
FIELDS = {
    ("station", "temperature"): ("open", None),
    ("van", "latitude"): ("open", None),
    ("van", "longitude"): ("open", None),
    ("station", "latitude"): ("open", ["payroll"]),
    ("station", "height"): ("sensitive", ["payroll"]),
    ("van", "plate"): ("internal", ["dispatch", "payroll"]),
    ("van", "speed"): ("personal", ["dispatch"]),
    ("cold_room", "door"): ("personal", ["dispatch", "payroll"]),
    ("parcel", "content"): ("personal", ["payroll"]),
    ("parcel", "weight"): ("sensitive", None),
    ("trip", "number"): ("personal", None),
    ("trip", "distance"): ("personal", ["dispatch"]),
    ("trip", "cancelled"): ("internal", ["payroll"]),
}


@pytest.fixture(scope="module")
def twin():
    """The example twin, whose fields have several sensitivities and purposes."""
    model = copy.deepcopy(EXAMPLE_MODEL)
    basis = {"description": "A purpose.", "legal_basis": "contract", "identity": "plain"}
    model["purposes"] = {name: basis for name in PURPOSES if name}
    for (owner, name), (level, purposes) in FIELDS.items():
        kind = model["asset_types"].get(owner) or model["event_types"][owner]
        part = "signals" if name in kind.get("signals", {}) else "properties"
        kind[part][name] = {**kind[part][name], "sensitivity": level, "purposes": purposes}
    twin = FakeTwin.example(days=3, trips=80)
    twin._model = TwinModel.model_validate(model)
    vans = twin.assets("van").copy()
    vans.loc[vans.index[::2], "capacity"] = 60
    twin._assets["van"] = vans
    return twin


@pytest.fixture(
    scope="module", params=itertools.product(ROLES, PURPOSES), ids=lambda one: f"{'+'.join(one[0])} for {one[1]}"
)
def rights(request):
    return Rights(parse_policy(POLICY), *request.param)


def for_purpose(twin, purpose, record=lambda _: None):
    return PurposeReader(twin, Policy(twin.model, purpose), lambda *_: pytest.fail("names are plain"), record)


@pytest.fixture(scope="module")
def seen(twin, rights):
    return RestrictedTwin(twin, rights, data=for_purpose(twin, rights.purpose) if rights.purpose else None)


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
        some = rights.sees_type(name, kind)
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


def test_the_matrix_has_something_to_hide_and_something_to_show(twin):
    """Each field is shown to somebody and hidden from somebody, but for those that no purpose shows."""
    for (owner, name), (level, purposes) in FIELDS.items():
        kind = twin.model.asset_types.get(owner) or twin.model.event_types[owner]
        spec = {**getattr(kind, "signals", {}), **kind.properties}[name]
        shown = [
            Rights(parse_policy(POLICY), roles, purpose).sees_field(owner, name, spec)
            for roles, purpose in itertools.product(ROLES, PURPOSES)
        ]
        assert not all(shown)
        assert any(shown) is not (purposes is None and level in ("personal", "sensitive"))


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
        if not rights.sees_type(spec.asset, twin.model.asset_types[spec.asset]):
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
        if not all(rights.sees_type(one, twin.model.asset_types[one]) for one in (spec.source, spec.target)):
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
        # Those of notes are there for the assets that are seen: see test_own_notes.
        assert hasattr(some, name) == (name in OF_ASSETS), name
        assert hasattr(most, name), name
    for name in HARMLESS & {"position", "open_code"}:
        assert getattr(some, name) == getattr(capable, name)
    for name in ("folder", "_twins", "ingest", "reader", "as_of", "rebuild", "promote"):
        assert not hasattr(some, name)
        assert not hasattr(most, name)


def test_functions_of_a_page_are_for_roles_that_open_it(twin):
    for names in OF_PAGES.values():
        for name in names:
            if not hasattr(Capable, name):
                setattr(Capable, name, lambda self, *what, _name=name, **options: (_name, what, options))
    capable = Capable(twin.model, assets=twin._assets, histories=twin._histories)
    policy = parse_policy(
        "roles: {operator: {pages: [control]}, security: {pages: [security]}, viewer: {pages: [now]}}"
    )
    for role, page in [("operator", "control"), ("security", "security"), ("viewer", "now")]:
        seen = RestrictedTwin(capable, Rights(policy, (role,)))
        has = {name for names in OF_PAGES.values() for name in names if hasattr(seen, name)}
        assert has == OF_PAGES.get(page, frozenset())


def test_a_command_is_proposed_for_what_the_role_may_send_only(twin):
    """A plan that somebody else has proposed isn't taken up either."""
    plan = SimpleNamespace(proposal=SimpleNamespace(target="van/V2", parameter="speed"))

    proposed = []

    class Commanded(Capable):
        def propose(self, target, parameter, value, *, reason):
            proposed.append((target, parameter))
            return target, parameter, value, reason

        def plan(self, plan_id):
            return plan

    twin_ = Commanded(twin.model, assets=twin._assets, histories=twin._histories)
    policy = parse_policy(
        "roles: {operator: {pages: [control], commands: [van.speed], assets: [{type: van, where: {capacity: 40}}]}, "
        "dispatcher: {pages: [control]}}"
    )
    assert list(twin.assets("van")["capacity"][["V1", "V2"]]) == [60, 40]
    operator = RestrictedTwin(twin_, Rights(policy, ("operator",)))
    assert operator.propose("van/V2", "speed", 3, reason="x") == ("van/V2", "speed", 3, "x")
    assert operator.propose(target="van/V2", parameter="speed", value=3, reason="x") == ("van/V2", "speed", 3, "x")
    assert operator.plan("1") is plan and operator.plan(plan_id="1") is plan
    proposed.clear()
    for target, parameter in [
        ("van/V1", "speed"),
        ("van/V2", "fuel"),
        ("station/NORTH", "speed"),
        ("V2", "speed"),
        ("van/no", "speed"),
    ]:
        with pytest.raises(ControlError, match="the role operator may not send"):
            operator.propose(target, parameter, 3, reason="x")
        with pytest.raises(ControlError, match="the role operator may not send"):
            operator.propose(target, parameter=parameter, value=3, reason="x")
        with pytest.raises(ControlError, match="the role operator may not send"):
            operator.propose(target=target, parameter=parameter, value=3, reason="x")
    dispatcher = RestrictedTwin(twin_, Rights(policy, ("dispatcher",)))
    for call in (lambda: dispatcher.propose("van/V2", "speed", 3, reason="x"), lambda: dispatcher.plan("1")):
        with pytest.raises(ControlError, match="the role dispatcher may not send 'speed' to van/V2"):
            call()
    # What is refused has not been proposed before it was.
    assert proposed == []


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
    policy = parse_policy(POLICY)
    for roles, chosen, purpose in [
        (("viewer",), "payroll", "dispatch"),
        (("viewer",), "*", "dispatch"),
        (("viewer",), ["payroll"], "dispatch"),
        (("planner",), "payroll", "payroll"),
        (("planner",), None, "dispatch"),
        (("steward",), "dispatch", None),
        (("captain",), "dispatch", None),
    ]:
        assert rights_in_session(policy, roles, twin.model, settings={"purpose": chosen}).purpose == purpose


def test_reads_of_personal_data_are_recorded_for_each_user_and_need_the_reader_of_a_purpose(twin):
    recorded = []
    rights = Rights(parse_policy(POLICY), ("planner",), "dispatch")
    audiences = Audiences(
        twin, for_purpose=lambda purpose, user: for_purpose(twin, purpose, lambda what: recorded.append((user, what)))
    )
    for user in ("ann", "bob"):
        seen = audiences.shared(rights, user=user)
        assert audiences.shared(rights, user=user) is seen
        seen.twin.history("van", signals=["speed"], step="1h")
        seen.reader.events("trip")
    assert [
        (user, what.get("asset_type", what.get("event_type")), what["fields"], what["purpose"])
        for user, what in recorded
    ] == [
        (user, *read)
        for user in ("ann", "bob")
        for read in [("van", ["speed"], "dispatch"), ("trip", ["distance"], "dispatch")]
    ]
    # Without such a reader no purpose counts.
    without = Audiences(twin).shared(rights, user="ann").twin
    with pytest.raises(UnknownTermError):
        without.history("van", signals=["speed"])


def test_rows_as_they_arrived_of_a_personal_signal_are_not_read_past_the_purpose(twin):
    capable = Capable(twin.model, assets=twin._assets, histories=twin._histories)
    rights = Rights(parse_policy(POLICY), ("planner",), "dispatch")
    seen = RestrictedTwin(capable, rights, data=for_purpose(capable, "dispatch"))
    assert "speed" in seen.model.asset_types["van"].signals
    with pytest.raises(SchemaError, match="personal data as they arrived"):
        seen.observations("van/V1", "speed")
    assert seen.observations("van/V1", "fuel")
    assert not hasattr(seen, "simulate")


def test_names_that_the_twin_does_not_have_are_faults(twin):
    policy = parse_policy(
        "roles: {viewer: {pages: [now, nwo], assets: [{type: vann}, {type: van, where: {plat: A}}], "
        "purposes: [dispatsh], commands: [van.speed]}}"
    )
    found = policy_faults(policy, twin.model, pages=["now"])
    places = [".".join(map(str, one.path[2:])) for one in found]
    assert places == ["pages.1", "purposes.0", "commands.0", "assets.0.type", "assets.1.where"]
    assert "did you mean 'now'?" in found[0].message
