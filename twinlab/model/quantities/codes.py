"""Parameter codes of the U.S. Geological Survey: what a column called ``00010`` measures, and its unit.

Source: USGS Water Services, "Parameter codes", https://help.waterdata.usgs.gov/parameter_cd (public domain).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ParameterCode", "parameter_code"]

_COLUMN = re.compile(r"(?:\w*?_)?(?P<code>\d{5})(?:_(?P<statistic>0000[1238]))?")
#: Statistic codes -> ending of the signal's name; the mean has none.
_STATISTICS = {"00001": "_maximum", "00002": "_minimum", "00003": "", "00008": "_median"}
#: Code -> name of the signal, canonical unit, title.
_CODES = {
    "00010": ("temperature", "degC", "Temperature, water"),
    "00011": ("temperature", "degF", "Temperature, water"),
    "00020": ("air_temperature", "degC", "Temperature, air"),
    "00021": ("air_temperature", "degF", "Temperature, air"),
    "00025": ("pressure", "mmHg", "Barometric pressure"),
    "00035": ("wind_speed", "mph", "Wind speed"),
    "00036": ("wind_direction", "degree", "Wind direction"),
    "00045": ("rain", "inch", "Precipitation"),
    "00046": ("rain", "inch", "Precipitation, cumulative"),
    "00052": ("humidity", "%", "Relative humidity"),
    "00055": ("speed", "ft/s", "Stream velocity"),
    "00060": ("flow", "ft³/s", "Discharge"),
    "00061": ("flow", "ft³/s", "Discharge, instantaneous"),
    "00062": ("reservoir_level", "ft", "Elevation of reservoir water surface"),
    "00065": ("level", "ft", "Gage height"),
    "00095": ("conductivity", "µS/cm", "Specific conductance at 25 °C"),
    "00300": ("dissolved_oxygen", "mg/L", "Dissolved oxygen"),
    "00301": ("dissolved_oxygen_saturation", "%", "Dissolved oxygen, percent of saturation"),
    "00400": ("ph", "pH", "pH"),
    "00480": ("salinity", "PSU", "Salinity"),
    "30208": ("flow", "m³/s", "Discharge"),
    "30209": ("flow", "m³/s", "Discharge, instantaneous"),
    "62361": ("chlorophyll", "µg/L", "Chlorophyll"),
    "62608": ("irradiance", "W/m²", "Total solar radiation"),
    "62611": ("groundwater_level", "ft", "Groundwater level above NAVD 1988"),
    "63160": ("stream_level", "ft", "Stream water level elevation above NAVD 1988"),
    "63680": ("turbidity", "NTU", "Turbidity (formazin nephelometric units)"),
    "72019": ("depth_to_water", "ft", "Depth to water level below land surface"),
    "72255": ("speed", "ft/s", "Mean water velocity"),
    "99133": ("nitrate", "mg/L", "Nitrate plus nitrite"),
}


@dataclass(frozen=True)
class ParameterCode:
    """A parameter code found in the name of a column."""

    code: str
    name: str
    # Canonical unit.
    unit: str
    title: str


def parameter_code(column: str) -> ParameterCode | None:
    """Return the parameter code in a column's name; None if it has none that is known.

    >>> parameter_code("00010").unit, parameter_code("69928_00060_00001").name, parameter_code("12345")
    ('degC', 'flow_maximum', None)
    """
    match = _COLUMN.fullmatch(column.strip())
    found = _CODES.get(match["code"]) if match else None
    if match is None or found is None:
        return None
    name, unit, title = found
    return ParameterCode(match["code"], name + _STATISTICS.get(match["statistic"] or "", ""), unit, title)
