"""Names are found, units are converted, temperatures and differences aren't mixed."""

import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError, UnitError, UnknownTermError
from twinlab.model import TwinModel, parse_model
from twinlab.model.expressions import AssetContext, DatasetContext, EventContext, bind, bind_value, bound, parse
from twinlab.model.expressions.binder import bind_condition
from twinlab.model.expressions.bound import Arithmetic, Change, Column, Compare, Constant, Not, Property, Rate, Signal

TEMPERATURE, SETPOINT = Signal("temperature", "degC"), Signal("setpoint", "degC")
DOOR = Signal("door", "1")
HOUR = 3600 * 10**9


def right(text: str, context: AssetContext | EventContext) -> bound.Value:
    found = bind(text, context)
    assert isinstance(found, Compare)
    return found.right


def constant(text: str, context: AssetContext | EventContext) -> tuple[float, str]:
    found = right(text, context)
    assert isinstance(found, Constant)
    return pytest.approx(found.value), found.unit


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("temperature > 8 degC", 8, "degC"),
        ("temperature > 8", 8, "degC"),
        ("temperature > -4 degF", -20, "degC"),
        ("temperature > 281.15 K", 8, "degC"),
        ("humidity > 0.8", 0.8, "%"),
        ("share > 80 %", 0.8, "1"),
        ("humidity > 80 %", 80, "%"),
        ("odd > 3", 3, "unknown"),
        ("size > 3 ft", 0.9144, "m"),
        ("size * size > 4 m²", 4, "m²"),
        ("odometer / size > 3", 3, "km/m"),
        ("odometer / size > 300 %", 0.003, "km/m"),
        ("rate(odometer) > 80 km/h", 80 / 3600, "km/s"),
        ("rate(temperature) > 3.6 degF/h", 2 / 3600, "degC/s"),
        ("rate(temperature) > 3.6 K/h", 3.6 / 3600, "degC/s"),
        ("rate(temperature) * 1 h > 3.6 degF", 2 / 3600, "degC·h/s"),
        ("change(temperature) over 1h > 5.4 degF", 3, "delta_degC"),
        ("change(temperature) over 1h > 3 delta_K", 3, "delta_degC"),
        ("temperature - setpoint > 5.4 degF", 3, "delta_degC"),
        ("temperature - setpoint > 3", 3, "delta_degC"),
        ("abs(temperature - setpoint) > 3 K", 3, "delta_degC"),
        ("(temperature + setpoint) / 2 > 46.4 degF", 8, "degC"),
        ("0.3 * temperature + 0.7 * setpoint > 46.4 degF", 8, "degC"),
        ("mean(temperature) over 15 min > 46.4 degF", 8, "degC"),
        ("count(temperature) over 1h < 10", 10, "1"),
        ("mean(door == open) over 1h > 50 %", 0.5, "1"),
        ("min(temperature > 8 or door == open) over 1h == 1", 1, "1"),
        ("built > '2026-01-01'", 1767225600, "time"),
        ("built > '2026-01-01T01:00+01:00'", 1767225600, "time"),
        ("2 * 4 degC < temperature", None, None),
        ("temperature > 2 * (3 + 1)", 8, "degC"),
    ],
)
def test_a_number_is_converted_to_the_unit_of_the_left_side(
    room: AssetContext, text: str, value: float | None, unit: str | None
) -> None:
    if value is None:
        with pytest.raises(UnitError):
            bind(text, room)
    else:
        assert constant(text, room) == (value, unit)


def test_a_constant_on_the_left_is_converted_instead_of_the_signal(room: AssetContext) -> None:
    assert bind("50 degF < temperature", room) == Compare("<", Constant(10.0, "degC"), TEMPERATURE)


def test_a_property_in_another_unit_is_scaled_as_convert_does_it(room: AssetContext) -> None:
    found = right("temperature > upper_limit", room)
    assert found == bound.Scaled(Property("upper_limit", "degF"), -32.0, 5 / 9, 0.0, "degC")


def test_a_step_is_added_to_a_temperature(room: AssetContext) -> None:
    found = right("temperature > setpoint + 3.6 degF", room)
    assert found == Arithmetic("+", SETPOINT, Constant(2.0, "delta_degC"), "degC")
    assert right("temperature > upper_limit + 2 K", room) == bound.Scaled(
        Arithmetic("+", Property("upper_limit", "degF"), Constant(3.6, "delta_degF"), "degF"), -32.0, 5 / 9, 0.0, "degC"
    )


def test_of_a_signal_and_a_property_of_one_name_the_right_side_is_the_property(room: AssetContext) -> None:
    assert bind("temperature > span", room) == Compare(">", TEMPERATURE, Property("span", "degC"))
    assert constant("span > 3 m", room) == (3, "m")


def test_a_counter_is_known_as_one(room: AssetContext) -> None:
    odometer = Signal("odometer", "km")
    assert bind_value("rate(odometer) over 1h", room) == Rate(odometer, HOUR, "km/s", counter=True, wraps_at=1000.0)
    assert bind_value("change(odometer over 1h)", room) == Change(odometer, HOUR, "km", counter=True, wraps_at=1000.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("door == open", 1),
        ("door == stand-by", 2),
        ("open == door", 1),
        ("door == not  started", 3),
        ('door == "open"', 1),
    ],
)
def test_a_state_is_named(room: AssetContext, text: str, code: int) -> None:
    assert bind(text, room) == Compare("==", DOOR, Constant(float(code), "1"))


def test_two_states_with_the_same_names_are_compared(room: AssetContext) -> None:
    assert bind("door != hatch", room) == Compare("!=", DOOR, Signal("hatch", "1"))


def test_texts_and_truths(room: AssetContext) -> None:
    name, cooled = Property("name", ""), Property("cooled", "1")
    assert bind("name == freezer", room) == bound.TextEquals(name, "freezer")
    assert bind("name != 'A 7'", room) == Not(bound.TextEquals(name, "A 7"))
    assert bind("cooled", room) == bind("cooled == true", room) == Compare("==", cooled, Constant(1.0, "1"))
    assert bind("not cooled", room) == Not(Compare("==", cooled, Constant(1.0, "1")))
    assert bind("true", room) == bound.Truth(value=True)


def test_the_condition_of_another_asset_is_bound_to_its_type(parcel: AssetContext) -> None:
    warm = Compare(">", TEMPERATURE, Constant(8.0, "degC"))
    assert bind("parcel in truck via leg where truck.temperature > 8 degC", parcel) == bound.Related(
        "truck", "leg", "truck", warm
    )
    assert bind("in truck via within where temperature > 8 degC", parcel) == bound.Related(
        "truck", "within", None, warm
    )
    nested = bind("in truck via within where in room where temperature > 8 degC", parcel)
    assert nested == bound.Related("truck", "within", None, bound.Related("room", "at", None, warm))


def test_of_several_ways_the_relationship_that_locates_is_meant() -> None:
    text = "{twin: x, asset_types: {truck: {}, parcel: {}}, event_types: {leg: {asset: parcel, links: {truck: truck}}}, relationships: {"
    one, other = "aboard: {from: parcel, to: truck, locates: true}", "owned_by: {from: parcel, to: truck}"
    found = bind("in truck where true", AssetContext(parse_model(f"{text}{one}, {other}}}}}"), "parcel"))
    assert found == bound.Related("truck", "aboard", None, bound.Truth(value=True))
    with pytest.raises(SchemaError, match="by owned_by or leg; write the one"):
        bind("in truck where true", AssetContext(parse_model(f"{text}{other}}}}}"), "parcel"))


def test_columns_of_events(leg: EventContext) -> None:
    duration = Column("duration", "s")
    assert bind("duration > 2h", leg) == Compare(">", duration, Constant(7200.0, "s"))
    assert bind("distance / duration > 36 km/h", leg) == Compare(
        ">", Arithmetic("/", Column("distance", "km"), duration, "km/s"), Constant(0.01, "km/s")
    )
    start, end = Column("start", "time"), Column("end", "time")
    assert bind("end - start > 1h", leg) == Compare(">", Arithmetic("-", end, start, "s"), Constant(3600.0, "s"))
    later = Arithmetic("+", Column("planned_end", "time"), Constant(600.0, "s"), "time")
    assert bind("end > planned_end + 10 min", leg) == Compare(">", end, later)
    assert bind("truck == 'truck/1'", leg) == bound.TextEquals(Column("truck", ""), "truck/1")
    assert bind("late and leg.end_delay > 5 min", leg) == bound.All(
        (
            Compare("==", Column("late", "1"), Constant(1.0, "1")),
            Compare(">", Column("end_delay", "s"), Constant(300.0, "s")),
        )
    )


def test_a_dataset_has_units_and_states_as_attributes() -> None:
    ds = xr.Dataset(
        {
            "Temp": (("time", "asset"), np.zeros((2, 2)), {"units": "degree_Celsius"}),
            "Temp_qc": (("time", "asset"), np.zeros((2, 2), "uint8")),
            "mode": (("time", "asset"), np.zeros((2, 2)), {"flag_values": [0, 3], "flag_meanings": "off stand_by"}),
            "plain": (("time", "asset"), np.zeros((2, 2))),
            "limit": ("asset", [46.4, 50.0], {"units": "degF"}),
            "hub": ("asset", ["a", "b"]),
        },
        coords={"asset": ["x", "y"], "time": np.array(["2026-01-01", "2026-01-02"], "datetime64[ns]")},
    )
    context = DatasetContext(ds)
    assert bind("Temp > 50 degF", context) == Compare(">", Signal("Temp", "degC"), Constant(10.0, "degC"))
    assert bind("mode == stand_by", context) == Compare("==", Signal("mode", "1"), Constant(3.0, "1"))
    assert bind("plain > 3", context) == Compare(">", Signal("plain", "unknown"), Constant(3.0, "unknown"))
    assert bind("hub == a", context) == bound.TextEquals(Property("hub", ""), "a")
    assert context.names() == ["Temp", "mode", "plain", "limit", "hub"]
    with pytest.raises(UnitError, match="nobody has stated"):
        bind("plain > 3 m", context)
    with pytest.raises(UnknownTermError, match="did you mean 'Temp'"):
        bind("temp > 3", context)


def test_rules_cant_use_labels(model: TwinModel) -> None:
    assert bind("fault == yes", AssetContext(model, "room"))
    with pytest.raises(SchemaError, match="label"):
        bind("fault == yes", AssetContext(model, "room", labels=False))


def test_a_part_of_a_tree_can_be_bound(room: AssetContext) -> None:
    text = "share(temperature > 50 degF)"
    call = parse(text)
    inner = call.arguments[0]  # type: ignore[union-attr]
    assert bind_condition(inner, room, text=text) == Compare(">", TEMPERATURE, Constant(10.0, "degC"))
    with pytest.raises(UnknownTermError, match="there is no function 'share'") as caught:
        bind(call, room, text=text)
    assert text in str(caught.value)
