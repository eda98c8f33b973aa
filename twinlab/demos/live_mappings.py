"""Mappings of the parcel twin for the servers of a running plant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from twinlab.demos.overlays import overlaid
from twinlab.plant.files.erp import TABLES

__all__ = ["file_mapping", "live_mappings"]

_HERE = Path(__file__).parent / "parcel" / "mapping"
#: Register within a room's registers -> signal; see `twinlab.plant.peers.modbus`.
_REGISTERS = {"temperature": 0, "door": 2, "compressor": 3}
#: What else devices report if the twin's model has it: what commands set.
_SET_POINT: dict[str, Any] = {"register": 1, "variable": "SetPoint"}
#: Register of the current, in a plant with failures.
_CURRENT = 8
_STATES = {"door": {"0": "closed", "1": "open"}, "compressor": {"0": "off", "1": "on"}}
_VARIABLES = {"temperature": "Temperature", "door": "Door", "compressor": "Compressor"}


def live_mappings(
    peers: Mapping[str, Mapping[str, Any]], *, signals: Collection[tuple[str, str]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return a mapping for each server of a plant, whose rows come while the twin runs.

    Parameters
    ----------
    peers : mapping of str to mapping
        ``peers`` of the running plant's ``plant.json``: name -> address.
    signals : collection of (str, str), optional
        Asset types and signals of the twin's model; values of others that devices send aren't mapped.

    Returns
    -------
    dict of str to dict
        Name of the source -> its mapping, as in a mapping file.
    """
    found = {name: {"source": name, **_MAKERS[peer](peers[peer])} for name, peer in _SOURCES.items() if peer in peers}
    if peers.get("dispatch", {}).get("wear"):
        found["maintenance"] = {**file_mapping("maintenance", wear=True), "live": _watch(peers["dispatch"])}
    for mapping in found.values():
        _leave_out(mapping, signals)
    return found


def _leave_out(mapping: dict[str, Any], signals: Collection[tuple[str, str]] | None) -> None:
    """Remove the rules of a stream for signals that the model doesn't have, and what is polled for them."""
    if signals is None or "stream" not in mapping:
        return
    tags = mapping["stream"]["tags"]
    missing = [tag for tag, rule in tags.items() if (rule["asset"].partition("/")[0], rule["signal"]) not in signals]
    for tag in missing:
        signal = tags.pop(tag)["signal"]
        for polled in ("registers", "nodes"):
            entries = mapping["live"].get(polled, {})
            for name in [name for name in entries if name.endswith(f".{signal}")]:
                del entries[name]


def _trucks(peer: Mapping[str, Any]) -> dict[str, Any]:
    units = {"lat": ("latitude", "degree"), "lon": ("longitude", "degree"), "kmh": ("speed", "km/h"),
             "odo_km": ("odometer", "km"), "fuel_l": ("fuel", "L"), "speed_factor": ("speed_factor", "1")}  # fmt: skip
    if peer.get("wear"):
        units |= {"brake_c": ("brake_temperature", "degC"), "coolant_c": ("coolant_temperature", "degC")}
    tags = {
        rf"/^(?P<id>T\d+)/{tag}$/": {"signal": signal, "unit": unit, "asset": "truck/{id}"}
        for tag, (signal, unit) in units.items()
    }
    # What the gateways have scored, once they have a model.
    scored: dict[str, dict[str, Any]] = {"anomaly": {"unit": "1"}, "unusual": {"states": {"0": "no", "1": "yes"}}}
    tags |= {rf"/^(?P<id>T\d+)/{tag}$/": {"signal": tag, "asset": "truck/{id}", **rule} for tag, rule in scored.items()}
    return {"stream": {"tags": tags}, "live": _broker(peer, stale_after="1h")}


def _forklifts(peer: Mapping[str, Any]) -> dict[str, Any]:
    units = {"x_m": ("x", "m"), "y_m": ("y", "m"), "kmh": ("speed", "km/h"), "max_kmh": ("max_speed", "km/h"),
             "person_m": ("person_distance", "m"), "battery_pct": ("battery", "%"), "load_kg": ("load", "kg")}  # fmt: skip
    if peer.get("wear"):
        units["volt"] = ("voltage", "V")
    rules: dict[str, dict[str, Any]] = {tag: {"signal": signal, "unit": unit} for tag, (signal, unit) in units.items()}
    rules["mode"] = {"signal": "mode", "states": {"idle": "idle", "drive": "driving", "charge": "charging"}}
    tags = {rf"/^(?P<id>F\d+)/{tag}$/": {**rule, "asset": "forklift/{id}"} for tag, rule in rules.items()}
    return {"stream": {"tags": tags}, "live": _broker(peer, stale_after="10min")}


def _broker(peer: Mapping[str, Any], *, stale_after: str) -> dict[str, Any]:
    live: dict[str, Any] = {key: peer[key] for key in ("host", "port", "ca", "certificate", "key", "prefix")}
    # Only signed messages of its gateways are taken. The log is on this machine: what the broker refuses is searched for intrusions.
    live |= {
        name: peer[given] for name, given in (("keys", "gateway_keys"), ("broker_log", "broker_log")) if given in peer
    }
    # The broker wants the name of the certificate as the client's.
    return {"kind": "mqtt", **live, "client": "historian", "stale_after": stale_after}


def _refrigeration(peer: Mapping[str, Any]) -> dict[str, Any]:
    registers = {
        f"{room}.{signal}": {"address": place * peer["registers_a_room"] + register, "device": int(unit)}
        for unit, members in peer["units"].items()
        for place, room in enumerate(members["rooms"])
        for signal, register in (
            _REGISTERS | {"set_point": _SET_POINT["register"]} | ({"current": _CURRENT} if peer.get("wear") else {})
        ).items()
    }
    temperature = {"unit": "degF", "scale": 0.1, "missing": [-32768]}
    live = {"kind": "modbus", "host": peer["host"], "port": peer["port"], "every": "10s",
            "bridge": peer["registers_a_room"], "registers": registers}  # fmt: skip
    current = {"unit": "A", "scale": 0.01} if peer.get("wear") else None
    set_point = {"unit": "degF", "scale": 0.1}
    return {"stream": {"tags": _room_tags(temperature, set_point, current)}, "live": live}


def _warehouses(peer: Mapping[str, Any]) -> dict[str, Any]:
    nodes = {
        f"{room}.{signal}": f"nsu={peer['namespace']};s={room}.{variable}"
        for room in peer["rooms"]
        for signal, variable in (
            _VARIABLES | {"set_point": _SET_POINT["variable"]} | ({"current": "Current"} if peer.get("wear") else {})
        ).items()
    }
    viewer = peer["viewer"]
    live = {"kind": "opcua", "url": peer["endpoint"], "nodes": nodes, "trigger": "timestamp",
            "certificate": viewer["certificate"], "private_key": viewer["key"],
            "server_certificate": peer["server_certificate"], "stale_after": "10min"}  # fmt: skip
    current = {"unit": "A"} if peer.get("wear") else None
    return {"stream": {"tags": _room_tags({"unit": "degC"}, {"unit": "degC"}, current)}, "live": live}


def _room_tags(
    temperature: Mapping[str, Any], set_point: Mapping[str, Any], current: Mapping[str, Any] | None
) -> dict[str, Any]:
    tags = {
        "temperature": dict(temperature),
        "set_point": dict(set_point),
        **{signal: {"states": states} for signal, states in _STATES.items()},
    }
    if current is not None:
        tags["current"] = dict(current)
    return {
        rf"/^(?P<room>R\d+)[.]{signal}$/": {"signal": signal, "asset": "cold_room/{room}", **rule}
        for signal, rule in tags.items()
    }


def _erp(peer: Mapping[str, Any]) -> dict[str, Any]:
    found = file_mapping("erp")
    url = f"postgresql+psycopg://{peer['user']}@{peer['host']}:{peer['port']}/{peer['database']}"
    tables = {table: {"updated": "updated_at", "key": _key(columns)} for table, columns in TABLES.items()}
    live = {"kind": "sql", "url": url, "password": f"file:{peer['password_file']}", "every": "2s", "overlap": "1min",
            "tables": tables, "stale_after": "1h"}  # fmt: skip
    for table in found["tables"]:
        table["ignore"] = ["updated_at"]
    return {"tables": found["tables"], "live": live}


def _key(columns: str) -> list[str]:
    """Return the primary key of a table.

    >>> _key("code TEXT PRIMARY KEY, town TEXT"), _key("a TEXT, b TEXT, PRIMARY KEY (a, b)")
    (['code'], ['a', 'b'])
    """
    _, _, several = columns.partition("PRIMARY KEY (")
    return [name.strip() for name in several.rstrip(")").split(",")] if several else [columns.split(maxsplit=1)[0]]


def _telematics(peer: Mapping[str, Any]) -> dict[str, Any]:
    reports = {
        "path": "/reports", "rows": "items", "key": ["number"], "updated": "number", "since": "after", "times": "number",
        "oldest": "oldest", "parameters": {"limit": "500"},
        "pages": {"by": "cursor", "next": "next", "parameter": "after", "more": "more"},
    }  # fmt: skip
    live = {"kind": "http", "url": peer["endpoint"], "certificates": peer["ca"], "token": f"file:{peer['token_file']}",
            "every": "5s", "requests_per_second": peer["requests_a_second"] / 2, "tables": {"reports": reports},
            "stale_after": "1h"}  # fmt: skip
    columns = file_mapping("roadtrace", wear=bool(peer.get("wear")))["tables"][0]["columns"]
    table = {
        "table": "reports",
        "time": {"column": "time", "format": "iso", "zone": "offset"},
        "asset": {"type": "truck", "column": "vehicle", "pattern": r"T\d+"},
        "columns": columns,
        "ignore": ["number", "battery_pct", "load_kg", "mode", *(["volt"] if peer.get("wear") else [])],
    }
    return {"tables": [table], "live": live}


def _dispatch(peer: Mapping[str, Any]) -> dict[str, Any]:
    found = file_mapping("dispatch")
    return {"files": found["files"], "tables": found["tables"], "live": _watch(peer)}


def _watch(peer: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "watch", "folder": peer["endpoint"], "stale_after": "2d"}


def file_mapping(name: str, *, wear: bool = False) -> dict[str, Any]:
    """Return the mapping of a source's files; in a plant with failures with the columns that it has besides."""
    more = _HERE.parent / "failures" / "mapping" / f"{name}.yaml"
    found: dict[str, Any] = overlaid(_HERE / f"{name}.yaml", more if wear else None)
    return found


#: Source -> the plant's peer.
_SOURCES = {
    "erp": "erp", "trucks": "mqtt", "halls": "forklifts", "refrigeration": "modbus", "warehouses": "opcua", "telematics": "rest",
    "dispatch": "dispatch",
}  # fmt: skip
_MAKERS = {
    "erp": _erp, "mqtt": _trucks, "forklifts": _forklifts, "modbus": _refrigeration, "opcua": _warehouses, "rest": _telematics,
    "dispatch": _dispatch,
}  # fmt: skip
