"""A model with all that an expression can name."""

import pytest

from twinlab.model import TwinModel, parse_model
from twinlab.model.expressions import AssetContext, EventContext

YAML = """
twin: cold
asset_types:
  room:
    properties:
      upper_limit: {dtype: number, unit: degF}
      name: {}
      built: {dtype: time}
      cooled: {dtype: boolean}
      size: {dtype: number, unit: m}
      span: {dtype: number, unit: degC}
    signals:
      temperature: {unit: degC, resolution: 0.1}
      setpoint: {unit: degC, resolution: 0.1}
      span: {unit: m, resolution: 0.1}
      humidity: {unit: "%", resolution: 0.1}
      share: {unit: "1", resolution: 0.1}
      odd: {unit: unknown, resolution: 0.1}
      odometer: {kind: counter, unit: km, resolution: 0.1, wraps_at: 1000}
      door: {kind: state, states: {0: closed, 1: open, 2: stand-by, 3: not started}}
      hatch: {kind: state, states: {0: closed, 1: open, 2: stand-by, 3: not started}}
      fault: {kind: state, states: {0: "no", 1: "yes"}, role: label}
  truck:
    signals: {temperature: {unit: degC, resolution: 0.1}, speed: {unit: km/h, resolution: 0.1}}
  parcel: {properties: {weight: {dtype: number, unit: kg}}}
relationships:
  within: {from: parcel, to: truck}
  at: {from: truck, to: room}
event_types:
  leg: {asset: parcel, links: {truck: truck}, properties: {distance: {dtype: number, unit: km}, late: {dtype: boolean}}}
"""


@pytest.fixture(scope="session")
def model() -> TwinModel:
    return parse_model(YAML)


@pytest.fixture(scope="session")
def room(model: TwinModel) -> AssetContext:
    return AssetContext(model, "room")


@pytest.fixture(scope="session")
def parcel(model: TwinModel) -> AssetContext:
    return AssetContext(model, "parcel")


@pytest.fixture(scope="session")
def leg(model: TwinModel) -> EventContext:
    return EventContext(model, "leg")
