"""What every model of a system offers: a state goes in, a later state and what happened on the way come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr


@dataclass(frozen=True)
class Advanced:
    """What a model returns when it has advanced.

    Parameters
    ----------
    state : Dataset
        The state at the end. Scalars ``start``, ``time`` (datetime64[ns], UTC), ``seed`` and ``replication`` (int64), and
        whatever the model needs to go on; attributes ``model`` and ``model_hash``.
    results : Dataset
        What happened. A signal has dims among ``time`` (the start of each cell) and the asset type, and attributes
        ``asset_type``, ``signal``, ``units``; a KPI of the whole span has neither dim.
    events : mapping of str to DataFrame
        Event tables by event type. Empty unless they were asked for.
    """

    state: xr.Dataset
    results: xr.Dataset
    events: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """A model of a system, on labelled arrays.

    Two calls with the same arguments return the same arrays, in any process and after any number of stops in between.
    """

    @property
    def name(self) -> str:
        """Name of the model."""

    def content_hash(self) -> str:
        """Hash of everything that decides what the model does, hexadecimal."""

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        """State at a start (UTC). ``replication`` is a number from 0 on: random numbers depend on it and the seed only."""

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        """Advance to a later instant.

        Parameters
        ----------
        state : Dataset
            A state of this model; it isn't changed.
        until : datetime64
            End of the span, UTC, exclusive.
        step : timedelta64
            Width of the cells of the results' ``time``.
        trace : bool
            Return event tables too.
        """


@runtime_checkable
class BatchModel(Model, Protocol):
    """A model that advances many replications faster than one by one."""

    def advance_many(
        self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64, step: np.timedelta64
    ) -> xr.Dataset:
        """Results of several forks of one state, with a first dim ``replication``; equal to those of `advance`, bit for bit.

        It releases Python's lock while it computes, so that chunks of replications run on threads.
        """
