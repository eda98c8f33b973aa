"""Costs of maintenance in twin.yaml: amounts and properties; what doesn't fit is refused with its path."""

import pytest

from twinlab.errors import TwinlabError
from twinlab.model import dump_model, parse_model
from twinlab.model.predictions.costs import Amount

MODEL = """\
twin: rooms
asset_types:
  room:
    properties: {repair: {dtype: number, unit: "1"}, name: {dtype: text}}
maintenance:
  room: {acting: 300 EUR, failing: 4000 EUR}
"""


def test_amounts_and_properties_are_read_and_written_back():
    model = parse_model(MODEL)
    costs = model.maintenance["room"]
    assert (costs.acting, costs.failing, costs.currency) == ("300 EUR", "4000 EUR", "EUR")
    assert parse_model(dump_model(model)) == model
    assert parse_model(MODEL.replace("300 EUR", "repair")).maintenance["room"].currency == "EUR"
    assert (
        parse_model(MODEL.replace("300 EUR", "repair").replace("4000 EUR", "repair")).maintenance["room"].currency == ""
    )
    assert parse_model("twin: rooms").maintenance == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "300 EUR",
            "300",
            "expected an amount with its currency such as '4000 EUR', or the name of a property, got '300'",
        ),
        ("300 EUR", "-3 EUR", "got '-3 EUR'"),
        (
            "300 EUR",
            "repairs",
            "maintenance.room.acting: there is no property 'repairs' of 'room' that is a number; did you mean 'repair'",
        ),
        ("300 EUR", "name", "no property 'name' of 'room' that is a number"),
        ("300 EUR", "300 USD", "maintenance.room.failing: expected one currency, got EUR and USD"),
        ("  room: {a", "  rooms: {a", "maintenance.rooms: there is no asset type 'rooms'; did you mean 'room'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(old, new, said):
    with pytest.raises(TwinlabError) as caught:
        parse_model(MODEL.replace(old, new))
    assert said in str(caught.value)


def test_an_amount_is_a_number_and_a_currency():
    assert Amount.parse("12.5€") == Amount(12.5, "€")
    assert Amount.parse("EUR 12") is None
