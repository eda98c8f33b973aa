"""Search over ids and labels: what people type finds what they mean."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.events import AssetIndex, find_assets
from twinlab.testing import FakeTwin

LABELS = {
    "parcel": {"P0048213": "", "P0148213": "", "P4821": "", "482": "Anna's books"},
    "truck": {"T012": "M-AB 482", "T12": "", "T112": "Northern star"},
    "cold_room": {"R1": "Fish", "R2": ""},
}


def found(text, **options):
    table = find_assets(LABELS, text, **options)
    return list(zip(table["asset"], table["match"], strict=True))


def test_exact_comes_before_prefix_and_prefix_before_what_contains_it():
    assert found("482")[0] == ("482", "exact")
    ranks = [["exact", "number", "prefix", "contains"].index(how) for _, how in found("482")]
    assert ranks == sorted(ranks)
    assert len(ranks) == 5


def test_a_number_finds_the_id_it_stands_in_without_its_zeros():
    assert found("48213") == [("P0048213", "number"), ("P0148213", "contains")]
    assert found("p48213")[0] == ("P0048213", "exact")
    assert {asset for asset, how in found("t12") if how == "exact"} == {"T012", "T12"}


@pytest.mark.parametrize(
    "text", ["p0048213", "P0048213", " P0048213 ", "parcel P0048213", "parcel/p0048213", "Parcel #48213"]
)
def test_case_blanks_and_the_type_before_it_do_not_matter(text):
    assert found(text)[0][0] == "P0048213"


def test_the_type_before_it_leaves_the_others_out():
    assert [asset for asset, _ in found("truck 482")] == ["T012"]
    assert [asset for asset, _ in found("cold room r")] == ["R1", "R2"]


def test_labels_are_searched_too_and_special_characters_are_just_characters():
    assert found("north")[0] == ("T112", "prefix")
    assert found("anna's")[0] == ("482", "prefix")
    assert found("m-ab 482") == [("T012", "exact")]
    assert found("(.*[") == []


def test_a_slip_of_the_finger_finds_the_nearest():
    assert found("P0048231")[0] == ("P0048213", "nearest")
    assert found("Nothern star") == [("T112", "nearest")]
    assert found("qqqqqq") == []


def test_no_more_than_asked_for_and_nothing_for_nothing():
    assert len(found("p", limit=2)) == 2
    assert found("") == []
    assert found("  ") == []
    assert found("482\n") != []
    assert find_assets({}, "a").columns.tolist() == ["asset_type", "asset", "label", "match"]


def test_an_index_of_a_twin_knows_all_its_types_or_those_asked_for():
    twin = FakeTwin.example(days=1, trips=3)
    assert AssetIndex(twin).find("east quay")["asset"].tolist() == ["EAST"]
    assert AssetIndex(twin).find("zk 137").iloc[0].tolist() == ["van", "V2", "ZK 137", "exact"]
    assert AssetIndex(twin, ["van"]).find("east")["match"].tolist() in ([], ["nearest"])
    assert len(AssetIndex(twin, ["parcel"])) == 200


IDS = st.lists(st.text("ab01", min_size=1, max_size=5), max_size=12, unique=True)


@settings(max_examples=60)
@given(IDS, IDS, st.text("ab01", min_size=1, max_size=3))
def test_it_finds_what_a_look_at_each_asset_finds(first, second, text):
    labels = {"x": dict.fromkeys(first, ""), "y": {one: f"{one}b1" for one in second}}
    table = find_assets(labels, text, limit=100)
    expected = {
        (kind, one) for kind, part in labels.items() for one, label in part.items() if text in one or text in label
    }
    hits = table[table["match"].isin(["exact", "prefix", "contains", "number"])]
    got = set(zip(hits["asset_type"], hits["asset"], strict=True))
    assert expected <= got
    assert len(got) == len(hits)
    own = {(kind, one) for kind, part in labels.items() for one in part if text in (one, part[one])}
    exact = hits[hits["match"] == "exact"]
    assert own <= set(zip(exact["asset_type"], exact["asset"], strict=True))
