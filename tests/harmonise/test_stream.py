"""Observations of streams."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from twinlab.harmonise import Series, harmonise
from twinlab.model.units import convert

HOUR = 3600 * 10**9
TAGS = {
    "A.T": {"signal": "temperature", "asset": "cold_room/A", "unit": "degF"},
    "A.bare": {"signal": "temperature", "asset": "cold_room/A"},
    "/(?P<room>.)[.]kWh/": {"signal": "energy", "asset": "cold_room/{room}", "unit": "Wh", "scale": 10, "priority": 3},
    "A.door": {"signal": "door", "asset": "cold_room/A", "states": {"auf": "open", "zu": "closed", 1: "open"}},
    "A.sick": {"signal": "temperature", "asset": "cold_room/A", "unit": "degC", "missing": [-99, "off"]},
    "A.new": [
        {"signal": "temperature", "asset": "cold_room/A", "unit": "degF", "valid_until": "1970-01-01T01:00"},
        {"signal": "temperature", "asset": "cold_room/B", "unit": "degC", "valid_from": "1970-01-01T01:00"},
    ],
}


def run(kit, tags, *, rule=None, first=0, context=None, **columns):
    count = len(tags)
    data = {
        "tag": pa.array(tags).dictionary_encode(),
        "source_time": pa.array(columns.pop("times", range(count)), pa.int64()),
    }
    data["time_basis"] = pa.array(columns.pop("basis", ["utc"] * count)).dictionary_encode()
    data["value"] = pa.array(columns.pop("values", [None] * count), pa.float64())
    data |= {name: pa.array(cells) for name, cells in columns.items()}
    mapping = kit.stream(**{"tags": TAGS, **(rule or {})})
    return harmonise(kit.observations(data, first=first), mapping, context or kit.context())


def test_the_plain_case_is_a_table_look_up(kit):
    done = run(kit, ["A.T", "B.kWh", "A.T"], values=[32.0, 7.0, 50.0], first=5)
    claims = done.claims
    assert [claims.series[c] for c in claims.code] == [
        Series("cold_room", "A", "temperature"),
        Series("cold_room", "B", "energy"),
        Series("cold_room", "A", "temperature"),
    ]
    assert np.allclose(claims.value, [0.0, 0.07, 10.0], atol=1e-15)
    assert claims.ordinal.tolist() == [5, 6, 7]
    assert claims.priority.tolist() == [0, 3, 0]
    assert [claims.tags[t] for t in claims.tag] == ["A.T", "B.kWh", "A.T"]


def test_unknown_tags_are_counted_and_the_rest_goes_on(kit):
    done = run(kit, ["A.T", "A.TT", "A.TT"], values=[32.0, 1.0, 2.0])
    assert done.claims.value.tolist() == [0.0]
    assert done.unknown["tag 'A.TT'"].rows == 2
    assert "did you mean" in done.unknown["tag 'A.TT'"].message


def test_rows_may_state_their_own_unit(kit):
    done = run(kit, ["A.bare"] * 4, values=[50.0, 50.0, 50.0, 50.0], unit=["°F", "degC", None, "parsec?"])
    assert np.allclose(done.claims.value, [10.0, 50.0, 50.0])
    assert done.unknown["unit 'parsec?'"].rows == 1


def test_states_missing_codes_and_texts(kit):
    done = run(
        kit,
        ["A.door", "A.door", "A.door", "A.sick", "A.sick", "A.sick", "A.T"],
        values=[None, 1, None, -99, 5, None, None],
        text=["zu", None, "angelehnt", None, None, "off", "41"],
    )
    assert sorted(done.claims.value.tolist()) == [0.0, 1.0, 5.0, 5.0]
    assert (done.missing, done.problem_count) == (2, 1)
    assert done.problems[0].text == "angelehnt"


def test_a_replaced_sensor_changes_unit_and_asset_at_an_instant(kit):
    done = run(kit, ["A.new", "A.new"], values=[50.0, 50.0], times=[HOUR - 1, HOUR])
    assert sorted(
        (done.claims.series[c].asset, v) for c, v in zip(done.claims.code, done.claims.value, strict=True)
    ) == [("A", 10.0), ("B", 50.0)]


def test_two_signals_of_one_tag_are_both_there_beside_tags_with_one(kit):
    two = [
        {"signal": "temperature", "asset": "cold_room/A"},
        {"signal": "energy", "asset": "cold_room/A", "unit": "kWh"},
    ]
    done = run(
        kit,
        ["A.two", "A.T", "A.new"],
        values=[5.0, 32.0, 50.0],
        times=[HOUR - 1] * 3,
        rule={"tags": TAGS | {"A.two": two}},
    )
    found = [
        (done.claims.series[c].signal, v) for c, v in zip(done.claims.code, done.claims.value.round(6), strict=True)
    ]
    assert sorted(found) == [("energy", 5), ("temperature", 0), ("temperature", 5), ("temperature", 10)]


def test_a_retraction_is_a_claim_without_a_value(kit):
    done = run(
        kit,
        ["A.T", "A.T", "A.T"],
        values=[32.0, None, None],
        op=pa.array([0, 1, 0], pa.int8()),
        sequence=[4, 5, None],
        key=["k", None, None],
        epoch=[1, 1, 1],
    )
    claims = done.claims
    assert claims.op.tolist() == [0, 1]
    assert np.isnan(claims.value[1])
    assert claims.sequence.tolist() == [4, 5]
    assert claims.key.tolist() == ["k", None]
    assert claims.epoch.tolist() == [1, 1]
    assert done.missing == 1


def test_local_clocks_are_read_in_the_streams_zone(kit):
    rule = {"zone": "Europe/Berlin"}
    done = run(kit, ["A.T"] * 3, values=[32.0] * 3, times=[HOUR] * 3, basis=["local", "utc", "offset"], rule=rule)
    assert done.claims.event_time.tolist() == [0, HOUR, HOUR]
    fold = int(np.datetime64("2024-10-27T02:30", "ns").astype(int))
    refused = run(kit, ["A.T"], values=[32.0], times=[fold], basis=["none"], rule=rule)
    assert (len(refused.claims), refused.problem_count) == (0, 1)
    assert "2024-10-27T02:30" in refused.problems[0].text
    later = run(kit, ["A.T"], values=[32.0], times=[fold], basis=["none"], rule=rule | {"ambiguous": "later"})
    assert later.claims.event_time.tolist() == [fold - HOUR]


def test_a_source_without_a_stream_section_is_all_unknown(kit):
    frame = kit.observations({"tag": pa.array(["x"]).dictionary_encode(), "source_time": [0], "value": [1.0]})
    done = harmonise(frame, kit.table(ignore=[]), kit.context())
    assert next(iter(done.unknown.values())).rows == 1


VALUES = st.none() | st.floats(-1e5, 1e5) | st.sampled_from([-99.0, 1.0, float("inf")])
ROWS = st.lists(st.tuples(st.sampled_from([*TAGS, "C.kWh", "nobody"])
                          .map(lambda t: "B.kWh" if t.startswith("/") else t), st.integers(0, 2 * HOUR), VALUES,
                          st.sampled_from([None, None, "zu", "off", "7", "x"]), st.sampled_from([0, 0, 1])), min_size=1)  # fmt: skip


def slow(kit, row):
    """One row, read by the rules of the mapping in plain Python."""
    tag, time, value, text, op = row
    if tag == "nobody":
        return None
    if value is not None and not np.isfinite(value):
        value = None
    if tag == "A.door":
        return op, 0.0 if text == "zu" else 1.0 if value == 1.0 else None
    number = value if value is not None else (7.0 if text == "7" else None)
    if tag == "A.sick" and (number == -99.0 or text == "off"):
        return op, None
    if number is None:
        return op, None
    if tag == "A.T" or (tag == "A.new" and time < HOUR):
        return op, float(convert(number, "degF", "degC"))
    if tag.endswith("kWh"):
        return op, float(convert(number * 10, "Wh", "kWh"))
    return op, number


@given(ROWS, st.randoms())
def test_every_row_is_read_as_the_mapping_says_in_any_order(kit, as_rows, cells, random):
    def go(order):
        tags, times, values, texts, ops = zip(*(cells[place] for place in order), strict=True)
        found = run(
            kit, tags, times=times, values=values, text=pa.array(texts, pa.string()), op=pa.array(ops, pa.int8())
        )
        return found, sorted(
            (order[o], t, op, None if np.isnan(v) else v)
            for o, t, op, v in zip(
                found.claims.ordinal.tolist(),
                found.claims.event_time.tolist(),
                found.claims.op.tolist(),
                found.claims.value.tolist(),
                strict=True,
            )
        )

    order = list(range(len(cells)))
    expected = []
    for place, row in enumerate(cells):
        said = slow(kit, row)
        if said is not None and (said[0] == 1 or said[1] is not None):
            expected.append((place, row[1], said[0], None if said[0] == 1 else said[1]))
    one, got = go(order)
    assert [g[:3] for g in got] == [e[:3] for e in expected]
    assert np.allclose(
        [np.nan if g[3] is None else g[3] for g in got],
        [np.nan if e[3] is None else e[3] for e in expected],
        equal_nan=True,
    )
    random.shuffle(order)
    two, again = go(order)
    assert got == again
    assert (one.missing, one.problem_count) == (two.missing, two.problem_count)
