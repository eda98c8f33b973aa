"""Join predictions of several issue times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import CANT_TELL

__all__ = ["check_alike", "join"]


def join(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return predictions of one target by several issue times as one Dataset, in order of issue time.

    Attributes that differ between the parts, such as ``model_hash`` after a new fit, become coordinates of ``issue_time``.
    An asset that a part lacks has no number there.

    Raises
    ------
    SchemaError
        If there is no part, two have the same issue time, or they differ in target, units, kind, lead times or quantiles.
    """
    if not parts:
        msg = "expected predictions of at least one issue time, got none"
        raise SchemaError(msg)
    parts = sorted(
        (one for one in parts if one["issue_time"].size), key=lambda one: one["issue_time"].values[0]
    ) or list(parts[:1])
    first = parts[0]
    along = "case" if "case" in first.dims else "issue_time"
    target = str(first.attrs["target"])
    for one in parts[1:]:
        check_alike(first, one)
    each = [np.unique(one["issue_time"].values) for one in parts]
    if len(np.unique(np.concatenate(each))) != sum(map(len, each)):
        msg = f"two predictions of {target!r} have the same issue time; each is issued once"
        raise SchemaError(msg)
    texts = list(dict.fromkeys(["", *(text for one in parts for text in one[CANT_TELL].attrs["reasons"])]))
    absent = f"the asset isn't in the prediction of {target} of this issue time"
    ids = list(dict.fromkeys(asset for one in parts for asset in one["asset"].values))
    grid = along == "issue_time"
    if grid and any(one.sizes["asset"] != len(ids) for one in parts):
        texts = list(dict.fromkeys([*texts, absent]))
    attrs, varying = _attributes(parts)
    recoded = []
    for one in parts:
        codes = np.array([texts.index(text) for text in one[CANT_TELL].attrs["reasons"]], "uint16")[
            one[CANT_TELL].values
        ]
        part = one.assign({CANT_TELL: (one[CANT_TELL].dims, codes)}).assign_coords(
            {
                name: (along, np.array([str(one.attrs.get(name, ""))] * one.sizes[along], object))
                for name in varying
                if name not in one.coords
            }
        )
        if grid and list(part["asset"].values) != ids:
            part = part.reindex(asset=ids, fill_value={CANT_TELL: texts.index(absent) if absent in texts else 0})
        recoded.append(part.drop_attrs(deep=False))
    out = xr.concat(recoded, along, data_vars="minimal", join="exact", combine_attrs="drop")
    out[target].attrs = dict(first[target].attrs)
    out[CANT_TELL].attrs = {"reasons": texts}
    return out.assign_attrs(attrs)


def _attributes(parts: Sequence[xr.Dataset]) -> tuple[dict[str, object], list[str]]:
    """Return the attributes that all parts share, and the names of those that differ."""
    names = list(dict.fromkeys(name for one in parts for name in one.attrs))
    varying = [name for name in names if len({str(one.attrs.get(name, "")) for one in parts}) > 1]
    varying += [name for name in names if name not in varying and any(name in one.coords for one in parts)]
    attrs: dict[str, object] = {name: parts[0].attrs[name] for name in names if name not in varying}
    # The schema needs them: the latest, beside the coordinate.
    return attrs | {name: parts[-1].attrs[name] for name in varying if name in parts[-1].attrs}, varying


def check_alike(first: xr.Dataset, one: xr.Dataset) -> None:
    """Check that predictions can be joined to others, issue times apart.

    Raises
    ------
    SchemaError
        If they differ in target, units, kind, lead times or quantiles.
    """
    target, found = str(first.attrs["target"]), str(one.attrs["target"])
    if found != target:
        msg = f"expected predictions of {target!r}, got some of {found!r}"
        raise SchemaError(msg)
    for name in ("units", "kind"):
        if one[target].attrs[name] != first[target].attrs[name]:
            msg = f"expected {name} {first[target].attrs[name]!r} of {target!r} at all issue times, got {one[target].attrs[name]!r}"
            raise SchemaError(msg)
    if ("case" in first.dims) != ("case" in one.dims):
        msg = f"expected predictions of {target!r} that are all of events, or all of a grid"
        raise SchemaError(msg)
    for name in ("lead_time", "quantile"):
        if name in first.dims and not np.array_equal(first[name].values, one[name].values):
            msg = f"expected the same {name} at all issue times of {target!r}"
            raise SchemaError(msg)
