"""Score rows with an exported anomaly model, ``model = dict(np.load(path))``; numpy only, elementwise: the same bits in any batches."""

from typing import Any

import numpy as np


def score(model: dict[str, Any], values: Any, state: Any = None) -> tuple[Any, Any]:  # noqa: ANN401
    """Return index [time, asset], 1 at the limit, of values [time, asset, signal] in the model's order; state for later rows."""
    rows, later = scaled_rows(model, values, state or (model["newest"], tuple(model["earlier"])))
    index = {"pca": pca, "robust": robust, "forest": forest}[str(model["kind"])](model, rows) / model["limit"]
    few = np.isfinite(values).sum(axis=2) * 2 < values.shape[2]
    return np.where(few, np.nan, index.reshape(few.shape)), later


def scaled_rows(model: dict[str, Any], values: Any, state: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return [column, row]: signals (of angles, two cosines) less their levels, by their scales, 0 where missing; later state."""
    every, level = np.stack([values[:, :, place] for place in model["place"]], axis=2), model["mean"]
    for at in np.flatnonzero(model["turn"]):
        every[:, :, at] = np.cos(np.ascontiguousarray(every[:, :, at]) * model["turn"][at] - model["shift"][at])
    if model["share"].any():
        newest, earlier = state[0], [*state[1]]
        for now in every:
            newest = np.where(np.isfinite(now), newest + model["share"] * (now - newest), newest)
            earlier.append(newest)
        level = np.where(model["share"] > 0, np.reshape(earlier[: len(every)], every.shape), level)
        state = newest, tuple(earlier[len(every) :])
    scaled = np.where(np.isfinite(every), (every - level - model["offset"]) / model["scale"], 0.0)
    return np.ascontiguousarray(scaled.reshape(-1, scaled.shape[2]).T), state


def pca(model: dict[str, Any], rows: Any) -> Any:  # noqa: ANN401
    """Return the larger of T² and Q as shares of their limits."""
    squares = [sum(weight * row for weight, row in zip(one, rows, strict=True)) ** 2 for one in model["components"].T]
    t2, within = sum(s / v for s, v in zip(squares, model["variances"], strict=True)), sum(squares)
    return np.maximum(t2 / model["t2_limit"], np.maximum(sum(r**2 for r in rows) - within, 0.0) / model["q_limit"])


def robust(model: dict[str, Any], rows: Any) -> Any:  # noqa: ANN401
    """Return the largest deviation from the median as a share of its limit."""
    return np.abs((rows - model["centre"][:, None]) / model["spread"][:, None]).max(axis=0) / model["z_limit"]


def forest(model: dict[str, Any], rows: Any) -> Any:  # noqa: ANN401
    """Return the score of an isolation forest as a share of its limit."""
    nodes, rows = np.repeat(model["roots"][:, None], rows.shape[1], axis=1), rows.astype(np.float32)
    for _ in range(int(model["levels"])):
        left = rows[model["feature"][nodes], np.arange(rows.shape[1])] <= model["threshold"][nodes]
        nodes = np.where(left, model["left"][nodes], model["right"][nodes])
    return 2.0 ** -(sum(model["depth"][nodes]) / model["usual_depth"]) / model["forest_limit"]
