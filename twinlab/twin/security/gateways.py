"""Gateways of all live sources with their keys: a table from the historian's status, the quarantine and the key rings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.signing.keys.ring_file import KeyRingFile
from twinlab.sources.live.guarded.quarantine import FOLDER, Quarantine

if TYPE_CHECKING:
    from twinlab.model.mapping import Mapping as SourceMapping

__all__ = ["GATEWAY_COLUMNS", "QUARANTINE_COLUMNS", "gateway_table", "quarantine_table", "quarantines"]

GATEWAY_COLUMNS: dict[str, str] = {
    "source": "str", "gateway": "str", "state": "str", "signed": "bool", "key": "str", "key_state": "str", "last_seen": "datetime64[ns]",
    "epoch": "str", "sequence": "int64", "quarantined": "int64", "reason": "str",
}  # fmt: skip
QUARANTINE_COLUMNS: dict[str, str] = {
    "id": "str", "source": "str", "gateway": "str", "kind": "str", "reason": "str", "state": "str", "noted": "datetime64[ns]",
    "last": "datetime64[ns]", "count": "int64", "epoch": "str", "first": "int64", "rows": "int64", "size": "int64", "key": "str",
    "why": "str", "by": "str", "note": "str", "decided": "datetime64[ns]",
}  # fmt: skip


def quarantines(folder: Path, source: str | None, names: Mapping[str, SourceMapping]) -> list[Quarantine]:
    """Return the quarantines of a twin's sources that have one."""
    if not (folder / FOLDER).is_dir():
        return []
    return [Quarantine(folder, name) for name in names if source in (None, name)]


def quarantine_table(found: list[Quarantine]) -> pd.DataFrame:
    """Return quarantined messages, the newest first, with the columns `QUARANTINE_COLUMNS`."""
    rows = [{name: getattr(one, name) for name in QUARANTINE_COLUMNS} for each in found for one in each.entries()]
    table = pd.DataFrame(rows, columns=list(QUARANTINE_COLUMNS))
    for name in ("noted", "last", "decided"):
        # 0 is never.
        times = pd.Series(table[name].to_numpy(dtype="datetime64[ns]"), index=table.index)
        table[name] = times.where(times.notna() & (times != pd.Timestamp(0)))
    table = table.astype(QUARANTINE_COLUMNS)
    return table.sort_values("noted", ascending=False, ignore_index=True)


def gateway_table(
    folder: Path,
    sources: Mapping[str, Mapping[str, Any]],
    mappings: Mapping[str, SourceMapping],
    messages: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row for each gateway that the historian knows, has messages of in quarantine, or that a key ring names.

    Parameters
    ----------
    folder : Path
        The twin's.
    sources : mapping of str to mapping
        Of the historian's status.
    mappings : mapping of str to Mapping
    messages : DataFrame
        Of `quarantine_table`.
    """
    waiting = messages[messages["state"] == "quarantined"]
    rows = []
    for source, mapping in mappings.items():
        if mapping.live is None or mapping.live.kind != "mqtt":
            continue
        status = sources.get(source, {})
        streams, offline = status.get("streams", {}), set(status.get("streams_offline", ()))
        keys, fault = _keys(folder, getattr(mapping.live.options, "keys", None))
        own = waiting[waiting["source"] == source]
        for name in sorted({*streams, *keys, *own["gateway"]}):
            stream = streams.get(name, {})
            last = own[own["gateway"] == name]
            rows.append({
                "source": source, "gateway": name,
                "state": "offline" if name in offline else "seen" if stream.get("last_ns") else "never seen",
                "signed": bool(stream.get("signed")), "key": stream.get("key", ""), "key_state": fault or keys.get(name, "no key"),
                "last_seen": pd.Timestamp(stream["last_ns"]) if stream.get("last_ns") else pd.NaT,
                "epoch": stream.get("epoch", ""), "sequence": stream.get("sequence", 0), "quarantined": len(last),
                "reason": "" if last.empty else last["reason"].iloc[0],
            })  # fmt: skip
    return pd.DataFrame(rows, columns=list(GATEWAY_COLUMNS)).astype(GATEWAY_COLUMNS)


def _keys(folder: Path, path: str | None) -> tuple[dict[str, str], str]:
    """Return the state of each device's keys, and why there is none."""
    if path is None:
        return {}, "signatures aren't required"
    try:
        ring = KeyRingFile(folder / path).read()
    except SchemaError as error:
        return {}, " ".join(str(error).split())
    out = {}
    for name, device in ring.devices.items():
        valid = sum(key.revoked is None for key in device.keys)
        revoked = len(device.keys) - valid
        out[name] = f"{valid} valid" + (f", {revoked} revoked" if revoked else "") if device.keys else "no key"
    return out, ""
