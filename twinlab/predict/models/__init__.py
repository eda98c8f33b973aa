"""Fitted models as files of arrays and text that another process, another machine and a later version can read.

In: a fitted predictor or a model of anomalies. Out: arrays and JSON, a file of them, and the same model again with equal predictions.
Read in order: `plain` (numbers, texts, times, arrays), `format` (the registry of kinds of models), `formats` (one module a kind), `files`.
Never: a pickle, or any other code from a file; a file that is partly written; a damaged file that is read as if it were whole.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MODEL_FORMATS": "format",
        "ModelFormat": "format",
        "dataclass_format": "format",
        "from_arrays": "format",
        "model_hash": "format",
        "read_model": "files",
        "to_arrays": "format",
        "write_model": "files",
    },
)
