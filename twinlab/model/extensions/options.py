"""Options of what other packages add: their types and units, and errors that name the option.

The options of one test or kind of rule are the fields of a class that derives from `Options`. A field's type says what
``twin.yaml`` may contain: any type of pydantic, `Duration`, or a number with a unit (`Quantity`, `Difference`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ValidationError, ValidationInfo, WithJsonSchema
from pydantic_core import ErrorDetails, InitErrorDetails

from twinlab.errors import UnitError, UnknownTermError
from twinlab.model.basics import Model
from twinlab.model.terms import nearest
from twinlab.model.units import canonical_unit, convert
from twinlab.model.units.table import TEMPERATURES

__all__ = ["Difference", "Options", "Quantity", "checked_options", "fault", "fault_text", "located"]

_NUMBER = re.compile(r"\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>\S.*?)?\s*")


class Options(Model):
    """Base of an extension's options: one field an option, with its type, its default and a docstring.

    >>> class StuckOptions(Options):
    ...     tolerance: Difference = 0.0
    >>> StuckOptions.model_validate({"tolerance": "9 degF"}, context={"unit": "degC"}).tolerance
    5.0
    """


Checked = TypeVar("Checked", bound=Options)


def _number(given: object, info: ValidationInfo, *, difference: bool) -> object:
    """Return a number with its unit as text in the unit of the context; anything else as it is, for pydantic to judge."""
    if not isinstance(given, str):
        return given
    match = _NUMBER.fullmatch(given)
    if match is None:
        msg = f"expected a number, or a number with its unit such as '2 degC', got {given!r}"
        raise ValueError(msg)
    if match["unit"] is None:
        return float(match["number"])
    target = (info.context or {}).get("unit")
    if target is None:
        msg = f"expected a number without a unit (there is no signal whose unit it could have), got {given!r}"
        raise ValueError(msg)
    try:
        source = canonical_unit(match["unit"])
        if difference:
            source, target = TEMPERATURES.get(source, source), TEMPERATURES.get(target, target)
        return float(convert([float(match["number"])], source, target)[0])
    except UnitError as error:
        raise ValueError(str(error)) from error


def _quantity(given: object, info: ValidationInfo) -> object:
    return _number(given, info, difference=False)


def _difference(given: object, info: ValidationInfo) -> object:
    return _number(given, info, difference=True)


_SCHEMA = WithJsonSchema({"type": ["number", "string"]})
#: A value of the signal: a number in the signal's unit, or text with another unit that is converted ("50 degF").
Quantity = Annotated[float, BeforeValidator(_quantity), _SCHEMA]
#: A difference of two values of the signal; 9 degF are 5 degC here, and -12.8 degC as a `Quantity`.
Difference = Annotated[float, BeforeValidator(_difference), _SCHEMA]


def checked_options(
    kind: type[Checked], given: object, *, what: str, place: tuple[str | int, ...], unit: str | None = None
) -> Checked:
    """Return options validated by their class.

    Parameters
    ----------
    kind : type of Options
    given : object
        As the YAML file has them; nothing stands for no options.
    what : str
        Whose options they are, for messages: ``"the quality test 'stuck'"``.
    place : tuple
        Keys that lead to them, from the part of the model that is being validated.
    unit : str, optional
        Canonical unit that a `Quantity` and a `Difference` are converted to.

    Raises
    ------
    pydantic.ValidationError
        With a line for each fault at ``place`` and below. An unknown option's line names the nearest known one.
    """
    context = {"unit": unit}
    try:
        return kind.model_validate({} if given is None else given, context=context)
    except ValidationError as error:
        lines = []
        for details in error.errors():
            key = str(details["loc"][-1]) if details["loc"] else ""
            if details["type"] == "extra_forbidden":
                known = [info.alias or name for name, info in kind.model_fields.items()]
                problem: Exception = UnknownTermError(f"{what} has no option {key!r}{nearest(key, known)}")
            elif details["type"] == "missing":
                problem = ValueError(f"{what} needs the option {key!r}")
            else:
                problem = ValueError(f"{what}: {fault_text(details)}")
            lines.append(fault((*place, *details["loc"]), problem, details["input"]))
        raise located(lines) from None


def fault(place: tuple[str | int, ...], problem: Exception, given: object) -> InitErrorDetails:
    """Return one fault with its place, for `located`."""
    return InitErrorDetails(type="value_error", loc=place, input=given, ctx={"error": problem})


def located(faults: list[InitErrorDetails]) -> ValidationError:
    """Return an error that a validator of the model raises so that each fault has its own place in the file."""
    return ValidationError.from_exception_data("options", faults)


def fault_text(details: ErrorDetails | Mapping[str, Any]) -> str:
    """Return what pydantic found wrong as "expected ..., got ..."."""
    error = details.get("ctx", {}).get("error")
    if isinstance(error, Exception):
        return str(error)
    got = details["input"]
    shown = repr(got) if isinstance(got, (str, int, float, bool)) or got is None else f"a {_type_name(got)}"
    if details["type"] == "literal_error":
        options = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
        if options:
            return f"expected one of {', '.join(options)}, got {shown}{nearest(got, options) if isinstance(got, str) else ''}"
    if details["type"] == "union_tag_not_found":
        return f"expected the key {details['ctx']['discriminator']}, which says what it is; got {shown[:80]}"
    if details["type"] == "union_tag_invalid":
        options, tag = re.findall(r"'([^']*)'", details["ctx"]["expected_tags"]), str(details["ctx"]["tag"])
        return f"expected one of {', '.join(options)} as {details['ctx']['discriminator']}, got {tag!r}{nearest(tag, options)}"
    text = re.sub(r"^(Input|Value|String|List|Tuple|Keys?) should ", "should ", details["msg"]).replace(
        "should be ", "", 1
    )
    text = text.replace("a valid dictionary", "a mapping of keys to values").replace("a valid tuple", "a list")
    return f"expected {text[:1].lower() + text[1:]}, got {shown[:80]}"


def _type_name(value: object) -> str:
    return {"dict": "mapping", "list": "list"}.get(type(value).__name__, type(value).__name__)
