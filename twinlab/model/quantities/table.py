"""The table of quantities: units with usual ranges, and usual spellings in six languages.

Spellings are English, German, French, Spanish, Italian and Dutch, in lower case. A spelling with a space is a phrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["Quantity", "choices", "fits", "quantities", "quantity_of_unit"]


@dataclass(frozen=True)
class Quantity:
    """A measured quantity."""

    # Name for signals: "temperature".
    name: str
    # Canonical unit -> values that are usual in it (low, high); the most usual unit first.
    units: dict[str, tuple[float, float]]
    # Usual names of columns; phrases have spaces.
    spellings: tuple[str, ...]
    # Symbols that mean the quantity only beside one of its units: "t", "p".
    symbols: tuple[str, ...] = ()
    # Totals of this quantity usually run on without end: an odometer.
    cumulative: bool = False


def _quantity(name: str, units: str, spellings: str, *, symbols: str = "", cumulative: bool = False) -> Quantity:
    ranges = {}
    for part in units.split("|") if units else ():
        unit, low, high = part.split()
        ranges[unit] = (float(low), float(high))
    return Quantity(name, ranges, tuple(spellings.split("|")), tuple(symbols.split()), cumulative)


@cache
def quantities() -> dict[str, Quantity]:
    """Return all quantities by name."""
    return {one.name: one for one in _TABLE}


def choices(quantity: str, low: float, high: float) -> tuple[str, ...]:
    """Return the units that fit a quantity and the range of its values, the most usual first.

    >>> choices("temperature", 34, 101), choices("humidity", 40, 90)
    (('degF', 'degC'), ('%',))
    """
    known = quantities().get(quantity)
    if known is None:
        return ()
    inside = [unit for unit, span in known.units.items() if span[0] <= low and high <= span[1]]
    likely = _likely_temperature(low, high) if "degC" in known.units else None
    return tuple(sorted(inside, key=lambda unit: unit != likely))


def _likely_temperature(low: float, high: float) -> str:
    if low >= 240 and high <= 330:
        return "K"
    return "degF" if high > 60 and low > -20 else "degC"


def fits(quantity: str, unit: str) -> bool:
    """Return whether a unit measures a quantity; units outside the table fit if they are of the same dimension.

    >>> fits("voltage", "min"), fits("flow", "gal/min"), fits("pressure", "kPa")
    (False, True, True)
    """
    known = quantities().get(quantity)
    return known is not None and (unit in known.units or _same_dimension(unit, tuple(known.units)))


@cache
def _same_dimension(unit: str, others: tuple[str, ...]) -> bool:
    from twinlab.model.units import compatible  # noqa: PLC0415  (loads pint, and few units need it)

    return any(compatible(unit, other) for other in others)


def quantity_of_unit(unit: str) -> str | None:
    """Return the quantity that a unit measures, where the unit leaves no doubt.

    >>> quantity_of_unit("degF"), quantity_of_unit("%")
    ('temperature', None)
    """
    return _BY_UNIT.get(unit)


_BY_UNIT = {
    **dict.fromkeys(("degC", "degF"), "temperature"),
    **dict.fromkeys(("Wh", "kWh", "MWh"), "energy"),
    **dict.fromkeys(("W", "kW", "MW"), "power"),
    **dict.fromkeys(("V", "mV", "kV"), "voltage"),
    **dict.fromkeys(("A", "mA"), "current"),
    **dict.fromkeys(("Pa", "hPa", "kPa", "MPa", "mbar", "bar", "psi", "barg", "psig", "inHg", "mmHg"), "pressure"),
    **dict.fromkeys(("km/h", "mph", "m/s", "kn", "ft/s"), "speed"),
    **dict.fromkeys(("L/min", "L/s", "L/h", "m³/h", "m³/s", "ft³/s", "gal/min"), "flow"),
    **dict.fromkeys(("Hz", "kHz"), "frequency"),
    **dict.fromkeys(("W/m²",), "irradiance"),
    **dict.fromkeys(("lx",), "illuminance"),
    **dict.fromkeys(("pH",), "ph"),
    **dict.fromkeys(("NTU",), "turbidity"),
    **dict.fromkeys(("µS/cm", "mS/cm"), "conductivity"),
    **dict.fromkeys(("rpm",), "rotation_speed"),
    **dict.fromkeys(("dBA",), "sound_level"),
}

_CONCENTRATION = "ppm 0 5000|ppb 0 500000|µg/m³ 0 100000|mg/m³ 0 5000"
_TEMPERATURE = "degC -60 200|degF -76 392|K 200 480"
_PRESSURE = "hPa 300 1100|kPa 0 3000|bar 0 400|Pa 0 2000000|mbar 300 1100|psi 0 6000|inHg 8 33|mmHg 200 800"
_SPEED = "km/h 0 300|mph 0 190|m/s 0 90|kn 0 170"


_TABLE = (
    _quantity(
        "dew_point",
        _TEMPERATURE,
        "dew point|dewpoint|dewp|dew|dewpt|taupunkt|point de rosée|punto de rocío|punto di rugiada|dauwpunt",
    ),
    _quantity(
        "temperature",
        _TEMPERATURE,
        "temperature|temp|tmp|tempr|temperatur|température|temperatura|temperatuur|thermocouple|thermistor|thermoelement",
        symbols="t tc tf ta tair",
    ),
    _quantity(
        "humidity",
        "% 0 105|1 0 1.05",
        "humidity|relative humidity|rel humidity|relative_humidity|hum|rh|relhum|rel hum|relative feuchte|rel feuchte|feuchte|luftfeuchte"
        "|luftfeuchtigkeit|feuchtigkeit|humidité|humidité relative|hygrométrie|humedad|humedad relativa|umidità|umidità relativa"
        "|vochtigheid|luchtvochtigheid|relatieve vochtigheid",
        symbols="h r.h.",
    ),
    _quantity(
        "pressure",
        _PRESSURE,
        "pressure|press|barometer|baro|baro pressure|druck|luftdruck|pression|presión|pressione|luchtdruk|druk",
        symbols="p bp pr pres slp",
    ),
    _quantity(
        "wind_speed",
        _SPEED,
        "wind speed|windspeed|wspd|wind spd|windspd|windgeschwindigkeit|vitesse du vent|vitesse vent|velocidad del viento|velocità del vento|windsnelheid",
        symbols="ws wind",
    ),
    _quantity(
        "wind_gust",
        _SPEED,
        "wind gust|windgust|gust|gust speed|hi speed|böe|windböe|rafale|rafales|ráfaga|raffica|windstoot",
    ),
    _quantity(
        "wind_direction",
        "degree 0 360",
        "wind direction|winddirection|wind dir|winddir|wdir|windrichtung|direction du vent|dirección del viento|direzione del vento|windrichting",
        symbols="wd",
    ),
    _quantity(
        "heading", "degree 0 360", "heading|bearing angle|kurs|fahrtrichtung|rumbo|rotta|koers", symbols="course cap"
    ),
    _quantity("latitude", "degree -90 90", "latitude|lat|breitengrad|geogr breite|latitud|latitudine|breedtegraad"),
    _quantity(
        "longitude",
        "degree -180 360",
        "longitude|lon|lng|längengrad|geogr länge|longitud|longitudine|lengtegraad",
        symbols="long",
    ),
    _quantity("altitude", "m -500 20000|ft -1600 65000", "altitude|alt|elevation|höhe|hoehe|altitud|altitudine|hoogte"),
    _quantity(
        "speed",
        _SPEED + "|rpm 0 100000",
        "speed|spd|velocity|geschwindigkeit|vitesse|velocidad|velocità|snelheid",
        symbols="v",
    ),
    _quantity(
        "rotation_speed",
        "rpm 0 100000|Hz 0 2000",
        "rpm|rotation speed|rotational speed|drehzahl|régime|vitesse de rotation|revoluciones|giri|toerental",
        symbols="n",
    ),
    _quantity(
        "odometer",
        "km 0 3000000|mile 0 2000000|m 0 3000000000",
        "odometer|odo|mileage|kilometerstand|kmstand|laufleistung|kilométrage|kilometraje|cuentakilómetros"
        "|chilometraggio|contachilometri|kilometerteller",
        cumulative=True,
    ),
    _quantity(
        "distance", "km 0 100000|m 0 100000|mile 0 100000", "distance|distanz|entfernung|distancia|distanza|afstand"
    ),
    _quantity(
        "energy",
        "kWh 0 1000000000|Wh 0 1000000000|MWh 0 10000000",
        "energy|energie|énergie|energía|energia|meter reading|zählerstand",
        symbols="consumption verbrauch consommation consumo verbruik",
        cumulative=True,
    ),
    _quantity(
        "power",
        "kW -100000 1000000|W -1000000 10000000|MW -5000 5000",
        "power|active power|leistung|wirkleistung|puissance|potencia|potenza|vermogen",
    ),
    _quantity(
        "reactive_power", "kvar -100000 100000|var -1000000 1000000", "reactive power|blindleistung|puissance réactive"
    ),
    _quantity("apparent_power", "kVA 0 100000|VA 0 1000000", "apparent power|scheinleistung|puissance apparente"),
    _quantity(
        "voltage",
        "V 0 1000000|mV -100000 1000000|kV 0 1000",
        "voltage|volt|volts|spannung|voltaje",
        symbols="u v tension tensione spanning",
    ),
    _quantity(
        "current",
        "A -10000 10000|mA -100000 100000",
        "current|amps|ampere|amperage|strom|stromstärke|courant|corriente|corrente|stroom",
        symbols="i a",
    ),
    _quantity(
        "frequency", "Hz 0 100000|kHz 0 1000", "frequency|freq|frequenz|fréquence|frecuencia|frequenza|frequentie"
    ),
    _quantity("power_factor", "1 -1 1|% -100 100", "power factor|pf|cos phi|cosphi|leistungsfaktor"),
    _quantity("battery", "% 0 100|V 0 60|mV 0 60000", "battery|batt|bat|batterie|akku|batería|batteria|accu|batterij"),
    _quantity(
        "flow",
        "m³/h 0 100000|L/min 0 100000|L/s 0 100000|m³/s 0 300000|ft³/s 0 10000000|gal/min 0 100000",
        "flow|flow rate|flowrate|discharge|streamflow|durchfluss|volumenstrom|abfluss|débit|caudal|portata|debiet",
        symbols="q",
    ),
    _quantity(
        "level",
        "m -100 9000|cm -1000 100000|mm -10000 1000000|ft -300 30000|% 0 100",
        "level|gage height|gauge height|water level|pegel|füllstand|wasserstand|niveau|nivel|livello|peil",
        symbols="stage",
    ),
    _quantity(
        "fuel",
        "% 0 100|L 0 5000|gal 0 1500",
        "fuel|fuel level|kraftstoff|tankfüllstand|tankinhalt|carburant|combustible|carburante|brandstof|diesel",
    ),
    _quantity(
        "rain",
        "mm 0 20000|inch 0 800",
        "rain|rainfall|precipitation|precip|prcp|niederschlag|regenmenge|pluie|précipitations|lluvia|precipitación"
        "|pioggia|precipitazione|neerslag",
        symbols="regen",
        cumulative=True,
    ),
    _quantity(
        "co2",
        "ppm 0 50000|% 0 100|mg/m³ 0 100000",
        "co2|carbon dioxide|kohlendioxid|dioxyde de carbone|co₂|anidride carbonica",
    ),
    _quantity("co", _CONCENTRATION, "co|carbon monoxide|kohlenmonoxid|monoxyde de carbone"),
    _quantity("no2", _CONCENTRATION, "no2|nitrogen dioxide|stickstoffdioxid"),
    _quantity("nox", _CONCENTRATION, "nox|nitrogen oxides|stickoxide"),
    _quantity("o3", _CONCENTRATION, "o3|ozone|ozon|ozono"),
    _quantity("so2", _CONCENTRATION, "so2|sulfur dioxide|sulphur dioxide|schwefeldioxid"),
    _quantity("pm10", "µg/m³ 0 10000|mg/m³ 0 10", "pm10"),
    _quantity("pm2_5", "µg/m³ 0 10000|mg/m³ 0 10", "pm2.5|pm2_5|pm25"),
    _quantity(
        "irradiance",
        "W/m² -50 2000",
        "irradiance|solar radiation|radiation|solar rad|ghi|globalstrahlung|einstrahlung|rayonnement|radiación|radiazione|straling",
    ),
    _quantity(
        "illuminance",
        "lx 0 200000",
        "illuminance|lux|light|beleuchtungsstärke|éclairement|iluminancia|illuminamento",
        symbols="intensity",
    ),
    _quantity(
        "sound_level", "dBA 0 150|dB 0 150", "sound level|noise|noise level|schallpegel|lärm|bruit|ruido|rumore|geluid"
    ),
    _quantity("mass", "kg 0 1000000|t 0 100000|lb 0 2000000|g 0 1000000000", "mass|masse|massa|masa"),
    _quantity(
        "weight",
        "kg 0 1000000|t 0 100000|lb 0 2000000|g 0 1000000000",
        "weight|gewicht|poids|peso|gross weight|net weight",
    ),
    _quantity("volume", "m³ 0 1000000000|L 0 1000000000|gal 0 1000000000", "volume|volumen|vol", cumulative=True),
    _quantity("ph", "pH 0 14", "ph|ph value|ph wert"),
    _quantity("turbidity", "NTU 0 10000", "turbidity|turb|trübung|turbidité|turbidez|torbidità|troebelheid"),
    _quantity(
        "conductivity",
        "µS/cm 0 200000|mS/cm 0 200",
        "conductivity|specific conductance|leitfähigkeit|conductivité|conductividad|conducibilità",
        symbols="cond",
    ),
    _quantity(
        "dissolved_oxygen",
        "mg/L 0 30|% 0 300",
        "dissolved oxygen|gelöster sauerstoff|oxygène dissous|oxígeno disuelto",
        symbols="do",
    ),
    _quantity("salinity", "PSU 0 50", "salinity|salzgehalt|salinité|salinidad|salinità"),
    _quantity(
        "acceleration",
        "m/s² -500 500",
        "acceleration|accel|accelerometer|beschleunigung|accélération|aceleración|accelerazione",
    ),
    _quantity("torque", "N·m -100000 100000", "torque|drehmoment|couple|par motor|coppia|koppel"),
)
