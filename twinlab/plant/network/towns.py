"""Towns with hubs: code, name, latitude, longitude (degrees, WGS 84), weight of their parcel volume."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TOWNS", "Town"]


class Town(NamedTuple):
    """A town with a hub."""

    code: str
    name: str
    latitude: float
    longitude: float
    # Volume of parcels from and to the town, relative to the others.
    weight: float


#: The first town is the centre of the network: every other hub has a truck to it. All are in Central European time.
TOWNS = (
    Town("FRA", "Frankfurt", 50.1109, 8.6821, 1.6),
    Town("HAM", "Hamburg", 53.5511, 9.9937, 1.5),
    Town("BER", "Berlin", 52.5200, 13.4050, 1.8),
    Town("MUC", "München", 48.1374, 11.5755, 1.5),
    Town("CGN", "Köln", 50.9375, 6.9603, 1.4),
    Town("STR", "Stuttgart", 48.7758, 9.1829, 1.2),
    Town("LEJ", "Leipzig", 51.3397, 12.3731, 1.0),
    Town("HAJ", "Hannover", 52.3759, 9.7320, 1.0),
    Town("NUE", "Nürnberg", 49.4521, 11.0767, 0.9),
    Town("DTM", "Dortmund", 51.5136, 7.4653, 1.1),
    Town("BRE", "Bremen", 53.0793, 8.8017, 0.8),
    Town("AMS", "Amsterdam", 52.3676, 4.9041, 1.1),
    Town("PRG", "Prag", 50.0755, 14.4378, 0.9),
    Town("VIE", "Wien", 48.2082, 16.3738, 1.1),
    Town("ZRH", "Zürich", 47.3769, 8.5417, 0.9),
    Town("BRU", "Brüssel", 50.8503, 4.3517, 0.9),
    Town("DRS", "Dresden", 51.0504, 13.7373, 0.7),
    Town("KSF", "Kassel", 51.3127, 9.4797, 0.7),
    Town("ERF", "Erfurt", 50.9848, 11.0299, 0.6),
    Town("MHG", "Mannheim", 49.4875, 8.4660, 0.8),
    Town("KEL", "Kiel", 54.3233, 10.1228, 0.5),
    Town("SXB", "Straßburg", 48.5734, 7.7521, 0.7),
    Town("LUX", "Luxemburg", 49.6116, 6.1319, 0.5),
    Town("SZG", "Salzburg", 47.8095, 13.0550, 0.5),
)
