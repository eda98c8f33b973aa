"""Readers that show some fields, over a fake twin."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.load import parse_model
from twinlab.model.privacy.coarse import coarse_positions, coarse_times
from twinlab.model.privacy.field_reader import FieldReader
from twinlab.model.privacy.policy import Policy

MODEL = parse_model(
    """
twin: yard
purposes: {planning: {description: Plans., legal_basis: contract}}
asset_types:
  truck:
    label: plate
    position: [latitude, longitude]
    properties:
      plate: {sensitivity: personal}
      height: {dtype: number, unit: m}
    signals:
      latitude: {unit: degree, resolution: 0.1}
      longitude: {unit: degree, resolution: 0.1}
      load: {unit: m, resolution: 0.1, sensor_span: {from: [0, height]}}
event_types:
  trip: {asset: truck, properties: {driver: {sensitivity: personal, purposes: [planning]}, tour: {}}}
rules:
  high: {on: truck, when: load > 3 m}
  north: {on: truck, when: latitude > 80 degree}
kpis:
  mean_load: {on: truck, formula: time_mean(load), unit: m}
"""
)


class Fake:
    """A twin with one truck and one trip."""

    model = MODEL

    def __init__(self):
        self.asked = []

    def history(self, asset_type, *, signals=None, assets=None, start=None, stop=None, step=None):
        self.asked.append(signals)
        return xr.Dataset({name: (("time", "asset"), [[1.0]]) for name in signals}, {"asset": ["T1"]})

    def events(self, event_type, *, start=None, stop=None, assets=None):
        return pd.DataFrame({"event_id": ["1"], "asset": ["T1"], "driver": ["Ann"], "tour": ["N1"]})

    def assets(self, asset_type):
        return pd.DataFrame({"plate": ["B-X 1"], "height": [2.0]}, index=["T1"])

    def relationships(self, relationship):
        raise AssertionError

    def steps(self, asset_type, signal):
        return ("1h",)


def without(*hidden):
    return FieldReader(Fake(), lambda owner, field, spec: field not in hidden)


def test_hidden_fields_and_what_needs_them_are_not_in_the_model():
    model = without("latitude", "height", "driver", "plate").model
    truck = model.asset_types["truck"]
    assert (list(truck.signals), list(truck.properties), truck.label, truck.position) == (
        ["longitude", "load"],
        [],
        None,
        None,
    )
    assert truck.signals["load"].sensor_span is None
    assert list(model.event_types["trip"].properties) == ["tour"]
    assert (list(model.rules), list(model.kpis)) == (["high"], ["mean_load"])
    assert (list(without("load").model.rules), list(without("load").model.kpis)) == (["north"], [])


def test_hidden_fields_are_not_read():
    reader = without("latitude", "driver", "plate")
    assert list(reader.history("truck").data_vars) == ["longitude", "load"]
    assert reader._source.asked == [["longitude", "load"]]
    assert list(reader.events("trip").columns) == ["event_id", "asset", "tour"]
    assert list(reader.assets("truck").columns) == ["height"]
    for ask in (
        lambda: reader.history("truck", signals=["latitude"]),
        lambda: reader.steps("truck", "latitude"),
        lambda: reader.history("ship"),
        lambda: reader.events("ride"),
        lambda: reader.relationships("near"),
    ):
        with pytest.raises(UnknownTermError):
            ask()


def test_a_role_limits_what_a_purpose_shows():
    assert set(Policy(MODEL, "planning").shown("event_types", "trip")) == {"driver", "tour"}
    assert set(Policy(MODEL, "planning", highest="internal").shown("event_types", "trip")) == {"tour"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("event_types: {trip: {properties: {a: {purposes: [plan]}}}}", "there is no purpose 'plan'"),
        ("event_types: {trip: {properties: {a: {sensitivity: personal, subject: b}}}}", "there is no property 'b'"),
        ("event_types: {trip: {properties: {a: {subject: b}, b: {}}}}", "only personal or sensitive"),
        (
            "event_types: {trip: {properties: {a: {sensitivity: personal, subject: b}, b: {}}}}",
            "expected a personal property",
        ),
        ("privacy: {retention: {personal: 1h}}", "expected at least 1d"),
        ("purposes: {a: {description: A., legal_basis: because}}", "legal_basis"),
        ("purposes: {a: {description: A., legal_basis: consent, precision: {location: 5 kg}}}", "location"),
    ],
)
def test_a_declaration_that_says_nothing_is_refused(text, fault):
    with pytest.raises((SchemaError, UnknownTermError), match=fault):
        parse_model("twin: a\n" + text)


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([100.0, 1000.0, 25_000.0]))
def test_a_position_moves_by_less_than_the_diagonal_of_its_cell(latitude, longitude, side):
    north, east = coarse_positions([latitude], [longitude], side)
    across = abs(east[0] - longitude) * 111_133 * np.cos(np.radians(north[0]))
    assert abs(north[0] - latitude) * 111_133 <= side / 2 + 1
    assert across <= side * 0.51 + 1 or abs(latitude) > 89
    again = coarse_positions(north, east, side)
    np.testing.assert_allclose([again[0][0], again[1][0]], [north[0], east[0]], atol=1e-9)


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**15))
def test_a_time_is_rounded_down(ns, step):
    found = int(coarse_times(np.array([ns], "M8[ns]"), step).astype(np.int64)[0])
    assert found % step == 0
    assert 0 <= ns - found < step


def test_events_cant_be_asked_for_by_assets_that_arent_seen():
    reader = FieldReader(Fake(), lambda owner, field, spec: True, without=["truck"])
    assert "asset" not in reader.events("trip").columns
    with pytest.raises(UnknownTermError):
        reader.events("trip", assets=["T1"])
