"""The access policy: one decision function, and a file whose faults are all named."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model.access.policy import DEFAULT_POLICY, AccessPolicy, AssetGroup
from twinlab.model.access.policy_file import AccessPolicyFile, load_policy, parse_policy
from twinlab.model.access.questions import ReadAsset, ReadField, SeePage, SendCommand
from twinlab.model.access.roles import ROLES

LEVELS = ("open", "internal", "personal", "sensitive")
POLICY = """
roles:
  viewer: {pages: [now], sensitivity: open}
  dispatcher:
    pages: [now, map]
    assets:
      - {type: truck}
      - {type: cold_room, ids: ["/^R0/", R77], where: {site: [north, 4]}}
    sensitivity: personal
    purposes: [dispatch, route-planning]
    commands: [truck.speed_share]
  operator: {commands: ["forklift.*"]}
  admin: {pages: "*", sensitivity: personal, purposes: "*", commands: "*"}
"""


@pytest.fixture(scope="module")
def policy():
    return parse_policy(POLICY)


def field(sensitivity="internal", purposes=None, purpose=None, asset=None):
    return ReadField("truck", "speed", sensitivity, None if purposes is None else tuple(purposes), purpose, asset)


@pytest.mark.parametrize(
    ("role", "page", "seen"),
    [
        ("viewer", "now", True),
        ("viewer", "map", False),
        ("dispatcher", "map", True),
        ("operator", "map", False),
        ("admin", "anything", True),
        ("admin", "*", False),
        ("planner", "now", False),
        ("captain", "now", False),
    ],
)
def test_a_role_opens_the_pages_that_it_lists(policy, role, page, seen):
    assert bool(policy.decide([role], SeePage(page))) is seen


def test_a_role_without_a_list_opens_the_pages_that_name_it(policy):
    assert policy.decide(["operator"], SeePage("control", stated=("operator",)))
    assert not policy.decide(["viewer"], SeePage("control", stated=("viewer",)))


@pytest.mark.parametrize(
    ("asset", "properties", "seen"),
    [
        ("cold_room/R01", {"site": "north"}, True),
        ("cold_room/R77", {"site": "north"}, True),
        ("cold_room/R77", {"site": 4.0}, True),
        ("cold_room/R77", {"site": "south"}, False),
        ("cold_room/R77", {"site": None}, False),
        ("cold_room/R77", {}, False),
        ("cold_room/R88", {"site": "north"}, False),
        ("truck/T1", {}, True),
        ("forklift/F1", {}, False),
    ],
)
def test_an_asset_is_seen_if_one_group_has_it(policy, asset, properties, seen):
    kind, name = asset.split("/")
    assert bool(policy.decide(["dispatcher"], ReadAsset(kind, name, properties))) is seen


@pytest.mark.parametrize(
    ("command", "asset", "sent"),
    [
        ("speed_share", "truck/T1", True),
        ("max_speed", "truck/T1", False),
        ("speed_share", "forklift/F1", False),
        ("*", "truck/T1", False),
    ],
)
def test_a_command_is_sent_to_assets_that_are_seen_only(policy, command, asset, sent):
    kind, name = asset.split("/")
    assert bool(policy.decide(["dispatcher"], SendCommand(command, ReadAsset(kind, name)))) is sent
    assert bool(policy.decide(["operator"], SendCommand(command, ReadAsset(kind, name)))) is (kind == "forklift")


def test_two_roles_do_not_add_up_to_what_neither_allows(policy):
    """The dispatcher reads personal fields of trucks, the operator sees forklifts: nobody reads a forklift's personal fields."""
    asked = field("personal", ["dispatch"], "dispatch", ReadAsset("forklift", "F1"))
    assert policy.decide(["dispatcher"], field("personal", ["dispatch"], "dispatch", ReadAsset("truck", "T1")))
    assert policy.decide(["operator"], ReadAsset("forklift", "F1"))
    assert not policy.decide(["dispatcher", "operator"], asked)


@given(
    st.sampled_from(LEVELS),
    st.sampled_from(LEVELS),
    st.none() | st.lists(st.sampled_from("abc"), unique=True),
    st.lists(st.sampled_from(["a", "b", "c", "*"]), unique=True),
    st.sampled_from([None, "a", "b", "c", "d", "*"]),
)
def test_a_field_is_read_for_a_purpose_that_both_the_field_and_the_role_have(level, highest, stated, given_, purpose):
    policy = AccessPolicy.model_validate({"roles": {"planner": {"sensitivity": highest, "purposes": given_}}})
    fits = purpose in (stated or ()) and (purpose in given_ or "*" in given_)
    free = stated is None and level in ("open", "internal")
    expected = LEVELS.index(level) <= LEVELS.index(highest) and (fits or free)
    assert bool(policy.decide(["planner"], field(level, stated, purpose))) is expected


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from(LEVELS), st.sampled_from([None, "dispatch", "x"]))
def test_another_role_never_takes_anything_away(roles, level, purpose):
    policy = parse_policy(POLICY)
    asked = field(level, ["dispatch"], purpose)
    assert bool(policy.decide(roles, asked)) is any(policy.decide([role], asked) for role in roles)


@pytest.mark.parametrize(("role", "purpose"), list(itertools.product(ROLES, [None, "dispatch", "*"])))
def test_without_a_file_nobody_reads_personal_data(role, purpose):
    assert DEFAULT_POLICY.decide([role], field("internal"))
    assert not DEFAULT_POLICY.decide([role], field("personal", ["dispatch"], purpose))


def test_without_a_file_only_an_operator_sends_commands():
    asked = SendCommand("max_speed", ReadAsset("forklift", "F1"))
    assert [role for role in ROLES if DEFAULT_POLICY.decide([role], asked)] == ["operator"]


def test_a_refusal_says_who_may_not_do_what(policy):
    assert policy.decide(["viewer"], SeePage("map")).reason == "the role viewer may not open the page 'map'"
    asked = SendCommand("speed_share", ReadAsset("truck", "T1"))
    assert policy.decide(["viewer", "planner"], asked).reason == (
        "the roles viewer, planner may not send 'speed_share' to truck/T1"
    )
    assert "somebody without a role" in policy.decide([], SeePage("map")).reason


def test_all_faults_of_a_file_are_named_with_line_and_path():
    text = "roles:\n  captain: {}\n  viewer: {pages: [Now!], sensitivity: secret, puposes: [a]}\n  planner:\n    commands: [speed]\n"
    with pytest.raises(SchemaError) as refused:
        parse_policy(text, "access.yaml")
    said = str(refused.value)
    for part in (
        "access.yaml:2: roles.captain",
        "access.yaml:3: roles.viewer.pages[0]",
        "access.yaml:3: roles.viewer.sensitivity: expected one of open, internal, personal",
        "did you mean 'purposes'?",
        "access.yaml:5: roles.planner.commands[0]: expected a command as ASSET_TYPE.PARAMETER",
    ):
        assert part in said


def test_the_purposes_of_somebody_are_those_that_exist_the_usual_one_first(policy):
    known = ("billing", "dispatch", "route-planning")
    assert policy.purposes(["dispatcher"], known=known) == ("dispatch", "route-planning")
    assert policy.purposes(["admin"], known=known) == known
    assert policy.purposes(["dispatcher"], known=("billing",)) == ()
    assert policy.purposes(["viewer"], known=known) == ()


def test_a_group_without_ids_and_properties_is_whole():
    assert AssetGroup(type="*").is_whole
    assert not AssetGroup(type="truck", ids=["T1"]).is_whole


def test_a_change_of_the_file_counts_at_once_and_a_faulty_file_allows_nothing(tmp_path):
    path = tmp_path / "access.yaml"
    file = AccessPolicyFile(path)
    assert file.read() is DEFAULT_POLICY
    first = file.fingerprint
    path.write_text("roles: {viewer: {pages: [now]}}", encoding="utf-8")
    before = path.stat()
    assert file.read() == load_policy(path)
    assert file.fingerprint != first
    path.write_text("roles: {viewer: {pages: [map]}}", encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.read().roles["viewer"].pages == ["map"]
    for wrong in (b"roles: {viewer: {pages: 7.5.1: []", b"\xff\xfe", b"", b"roles: {viewer: {pges: []}}"):
        path.write_bytes(wrong)
        with pytest.raises(SchemaError):
            AccessPolicyFile(path).read()
        assert file.current().roles == {}
        # Also at the second look.
        assert file.current().roles == {}
    path.unlink()
    assert file.current() is DEFAULT_POLICY
