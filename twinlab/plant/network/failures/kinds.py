"""Kinds of failures: of which asset, how long before one can see it, how long a repair takes, and what people write about it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KINDS", "Cause", "FailureKind"]


class Cause(NamedTuple):
    """A cause of a failure, with what mechanics write into the maintenance log."""

    name: str
    findings: tuple[str, ...]
    work: str


class FailureKind(NamedTuple):
    """A kind of failure."""

    asset_type: str
    component: str
    # Days from the first damage to the failure, least and most.
    days: tuple[float, float]
    # Hours from the failure to the end of the repair, least and most.
    repair: tuple[float, float]
    causes: tuple[Cause, ...]


#: Name of a rate -> the kind of failure.
KINDS: dict[str, FailureKind] = {
    "compressor": FailureKind("cold_room", "compressor", (6.0, 13.0), (5.0, 22.0), (
        Cause("loss of refrigerant", ("Kältemittel fehlt", "Leck an der Bördelung, Anlage leer", "Kältem. zu wenig"), "abgedichtet und gefüllt"),
        Cause("worn valves", ("Ventilplatten verschlissen", "Verdichter bringt keine Leistung"), "Verdichter getauscht"),
        Cause("dirty condenser", ("Verflüssiger zu, HD-Störung", "Verflüssiger verschmutzt"), "gereinigt, Druckschalter neu"),
    )),
    "seal": FailureKind("cold_room", "door seal", (7.0, 15.0), (20.0, 70.0), (
        Cause("worn gasket", ("Türdichtung gerissen", "Dichtung hängt raus", "Tuerdichtung defekt"), "Dichtung neu"),
        Cause("hit by a forklift", ("Rahmen verzogen, Stapler?", "Tür schließt nicht mehr dicht"), "gerichtet, Dichtung neu"),
    )),
    "sensor": FailureKind("cold_room", "temperature sensor", (4.0, 9.0), (6.0, 40.0), (
        Cause("moisture in the sensor", ("Fühler nass", "Fühler zeigt Unsinn", "keine Anzeige mehr"), "Fühler getauscht"),
        Cause("broken cable", ("Kabelbruch am Fühler", "Wackelkontakt Fühlerkabel"), "Kabel neu"),
    )),
    "battery": FailureKind("forklift", "battery", (12.0, 24.0), (6.0, 40.0), (
        Cause("sulphated cells", ("Zellen platt", "Batterie am Ende, lädt nicht mehr voll"), "Batterie getauscht"),
        Cause("low electrolyte", ("Säurestand zu niedrig", "Zelle trocken gefahren"), "Zelle getauscht"),
    )),
    "brake": FailureKind("truck", "brake", (5.0, 11.0), (2.0, 5.0), (
        Cause("stuck caliper", ("Bremssattel fest", "VA re Bremse heiß, qualmt", "Bremse geht nicht auf"), "Sattel neu"),
        Cause("worn bearing", ("Radlager HA links", "Lager heißgelaufen"), "Lager neu"),
    )),
    "cooling": FailureKind("truck", "cooling", (5.0, 11.0), (2.0, 5.0), (
        Cause("clogged radiator", ("Motor zu heiß, Kühler dicht", "Kühler zu"), "Kühler gespült"),
        Cause("worn water pump", ("Wasserpumpe defekt", "Kühlwasser weg, Pumpe leckt"), "Pumpe neu"),
    )),
}  # fmt: skip
