"""Units: what a spelling means, and that a conversion is pint's or is refused."""

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError
from twinlab.model.units import canonical_unit, compatible, conversion, convert, known_units
from twinlab.model.units.common import _COMMON, common_conversion
from twinlab.model.units.conversions import _exact
from twinlab.model.units.table import ALIASES, REFUSED

PINT = pint.UnitRegistry()
KNOWN = known_units()
#: Pairs that pint knows under the same names, to compare with.
PLAIN = [
    ("km/h", "m/s"),
    ("mph", "m/s"),
    ("kn", "km/h"),
    ("inch", "mm"),
    ("mile", "km"),
    ("ft", "m"),
    ("inHg", "hPa"),
    ("mbar", "Pa"),
    ("psi", "kPa"),
    ("lb", "kg"),
    ("kWh", "MJ"),
    ("gal", "L"),
    ("m³/h", "L/s"),
    ("µg/m³", "mg/m³"),
    ("W/m²", "kW/m²"),
    ("h", "min"),
    ("d", "s"),
    ("degC", "degF"),
    ("degF", "degC"),
    ("degF", "K"),
    ("K", "degC"),
    ("hp", "kW"),
    ("Btu", "kWh"),
    ("acre", "m²"),
]


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("F", "degF"),
        ("f", "degF"),
        ("°F", "degF"),
        ("degF", "degF"),
        ("deg F", "degF"),
        ("deg. F", "degF"),
        ("Fahrenheit", "degF"),
        ("℉", "degF"),
        ("C", "degC"),
        ("°C", "degC"),
        ("º C", "degC"),
        ("[°C]", "degC"),
        ("℃", "degC"),
        ("mi/h", "mph"),
        ("MPH", "mph"),
        ("km/hr", "km/h"),
        ("kph", "km/h"),
        ("KMH", "km/h"),
        ("in Hg", "inHg"),
        ('"Hg', "inHg"),
        ('"', "inch"),
        ("m3/h", "m³/h"),
        ("m^3/h", "m³/h"),
        ("m**3/h", "m³/h"),
        ("m³/h", "m³/h"),
        ("㎥/h", "m³/h"),
        ("µg/m3", "µg/m³"),
        ("\u03bcg/m\u00b3", "µg/m³"),
        ("ug/m^3", "µg/m³"),
        ("W m-2", "W/m²"),
        ("m s-1", "m/s"),
        ("W/m2/K", "W/(m²·K)"),
        ("W/(m2 K)", "W/(m²·K)"),
        ("Nm3/h", "Nm³/h"),
        ("N m", "N·m"),
        ("kW h", "kWh"),
        ("KWH", "kWh"),
        ("mbar", "mbar"),
        ("hPa", "hPa"),
        ("pct", "%"),
        ("cfm", "ft³/min"),
        ("", "1"),
        ("-", "1"),
        ("1/s", "1/s"),
        ("metres", "m"),
        ("kilometres", "km"),
        ("furlong", "furlong"),
        ("EUR/MWh", "EUR/MWh"),
        ("K/W", "K/W"),
        ("NM", "nmi"),
        ("nm", "nm"),
        ("Nm", "N·m"),
        ("mS", "mS"),
        ("ms", "ms"),
        ("mW", "mW"),
        ("MW", "MW"),
    ],
)
def test_a_field_spelling_means_one_unit(spelling: str, canonical: str) -> None:
    assert canonical_unit(spelling) == canonical


@pytest.mark.parametrize(
    "spelling", ["mw", "Mpa", "MS ", "ton", "M", "H", "T", "Cal", "NM3", "year", "W/m2 K", "kg/m s"]
)
def test_an_ambiguous_spelling_is_refused_and_the_message_says_why(spelling: str) -> None:
    if spelling == "MS ":
        assert canonical_unit(spelling) == "MS"
        return
    with pytest.raises(UnitError, match="ambiguous"):
        canonical_unit(spelling)


def test_case_that_could_be_two_units_names_both() -> None:
    with pytest.raises(UnitError, match="case decides between MW and mW"):
        canonical_unit("mw")


@pytest.mark.parametrize(
    ("spelling", "hint"),
    [("celcius", "degC"), ("farenheit", "degF"), ("degCC", "degC"), ("km/hh", "km/h"), ("kilometer per huor", "km/h")],
)
def test_an_unknown_unit_is_refused_with_the_nearest_one(spelling: str, hint: str) -> None:
    with pytest.raises(UnitError, match=f"did you mean '{hint}'"):
        canonical_unit(spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        "PM",
        "pctt",
        "10 km",
        "1e3 m",
        "L/100km",
        "m//s",
        "/s",
        "s/",
        "(",
        "m²²",
        "kg/(m/s)",
        "foo",
        "x" * 10_000,
        "decibel_ratio",
        "$$",
        "A B",
        "m s",
        "\x00",
        "m\n/\x07s",
    ],
)
def test_what_is_no_unit_is_refused(spelling: str) -> None:
    # pint alone takes "PM" for a petamolar.
    with pytest.raises(UnitError):
        canonical_unit(spelling)


def test_a_unit_error_is_a_schema_error_and_a_value_error() -> None:
    assert issubclass(UnitError, SchemaError)
    assert issubclass(UnitError, ValueError)


@pytest.mark.parametrize("unit", KNOWN)
def test_a_canonical_unit_stays_what_it_is(unit: str) -> None:
    assert canonical_unit(canonical_unit(unit)) == canonical_unit(unit)
    assert conversion(unit, unit) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("canonical", sorted(ALIASES))
def test_every_spelling_of_the_catalogue_leads_to_its_unit(canonical: str) -> None:
    wanted = canonical_unit(canonical)
    assert {canonical_unit(text) for text in ALIASES[canonical].split("|")} <= {wanted}


@pytest.mark.parametrize("spelling", sorted(REFUSED))
def test_every_refused_spelling_is_refused(spelling: str) -> None:
    with pytest.raises(UnitError, match="ambiguous"):
        canonical_unit(spelling)


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    try:
        unit = canonical_unit(text)
    except UnitError:
        return
    assert canonical_unit(unit) == unit


@given(
    st.lists(
        st.sampled_from(["m", "s", "kg", "W", "K", "°C", "kWh", "h", "/", "·", " ", "2", "-1", "(", ")", "^3", "1"]),
        max_size=9,
    )
)
def test_any_compound_is_a_unit_that_stays_what_it_is_or_a_unit_error(parts: list[str]) -> None:
    try:
        unit = canonical_unit("".join(parts))
    except UnitError:
        return
    assert canonical_unit(unit) == unit


@given(st.sampled_from(PLAIN), st.floats(-1e6, 1e6))
def test_a_conversion_is_pints(pair: tuple[str, str], value: float) -> None:
    source, target = pair
    expected = PINT.Quantity(value, PINT.parse_units(source)).to(PINT.parse_units(target)).magnitude
    assert convert([value], source, target)[0] == pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("one", sorted(_COMMON))
def test_what_is_known_without_pint_is_exactly_pints(one: str) -> None:
    assert canonical_unit(one) == one
    for other in _COMMON:
        known = common_conversion(one, other)
        if known is None:
            assert not compatible(one, other)
        else:
            assert known == _exact(one, other)


def test_common_units_convert_without_loading_pint() -> None:
    code = (
        "from twinlab.model.units import convert; import sys; convert([1], 'mph', 'm/s'); print('pint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@given(st.sampled_from(PLAIN), st.floats(-1e6, 1e6))
def test_there_and_back_again_is_the_same_value(pair: tuple[str, str], value: float) -> None:
    source, target = pair
    back = convert(convert([value], source, target), target, source)[0]
    assert math.isclose(back, value, rel_tol=1e-12, abs_tol=1e-9)


@given(st.decimals(-200, 2000, places=2))
def test_fahrenheit_to_celsius_is_within_one_unit_in_the_last_place_of_the_exact_value(value: object) -> None:
    exact = (Fraction(str(value)) - 32) * 5 / 9
    found = convert([float(str(value))], "F", "degC")[0]
    assert abs(Fraction(found) - exact) <= Fraction(4, 10**13)


def test_fahrenheit_and_celsius_meet_where_they_should() -> None:
    assert convert([-40.0, 32.0, 212.0], "°F", "°C").tolist() == [-40.0, 0.0, 100.0]
    assert convert([-40.0, 0.0, 100.0], "°C", "°F").tolist() == [-40.0, 32.0, 212.0]


def test_a_conversion_keeps_shape_and_missing_values() -> None:
    found = convert(np.array([[1.0, np.nan], [2.0, np.inf]]), "km", "m")
    assert found.shape == (2, 2)
    np.testing.assert_array_equal(found, [[1000.0, np.nan], [2000.0, np.inf]])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("degC", "delta_degC"),
        ("K", "delta_K"),
        ("delta_degF", "degF"),
        ("rpm", "Hz"),
        ("degree", "1"),
        ("kvar", "kW"),
        ("kVA", "kW"),
        ("psi", "psig"),
        ("barg", "bar"),
        ("dBm", "mW"),
        ("dB", "1"),
        ("pH", "mol/L"),
        ("Nm³/h", "m³/h"),
        ("Mbit/s", "Hz"),
        ("degF", "m"),
        ("EUR", "USD"),
    ],
)
def test_what_would_be_silently_wrong_is_refused_and_both_units_are_named(source: str, target: str) -> None:
    with pytest.raises(UnitError) as caught:
        conversion(source, target)
    assert repr(source) in str(caught.value)
    assert repr(target) in str(caught.value)
    assert not compatible(source, target)


@pytest.mark.parametrize(
    ("source", "target", "scale"),
    [
        ("delta_degF", "delta_degC", 5 / 9),
        ("degF/h", "degC/h", 5 / 9),
        ("rpm", "degree/s", 6.0),
        ("psig", "barg", 0.06894757293168362),
        ("Mbit/s", "MB/s", 0.125),
        ("lx", "lm/m²", 1.0),
        ("kvar·h", "var·s", 3.6e6),
        ("%", "1", 0.01),
        ("degree", "arcmin", 60.0),
    ],
)
def test_what_pint_mixes_up_still_converts_within_its_kind(source: str, target: str, scale: float) -> None:
    pre, found, post = conversion(source, target)
    assert (pre, post) == (0.0, 0.0)
    assert found == pytest.approx(scale, rel=1e-15)


@given(st.sampled_from(KNOWN), st.sampled_from(KNOWN))
def test_two_units_convert_both_ways_or_neither(one: str, other: str) -> None:
    assert compatible(one, other) == compatible(other, one)
    if compatible(one, other):
        there, back = conversion(one, other), conversion(other, one)
        assert there.scale * back.scale == pytest.approx(1.0, rel=1e-12)
