"""Fitted models that are stored: as files of arrays and text, with a card, a check of drift and coverage, and versions that are proposed.

In: a fitted predictor or a model of anomalies, and the twin that it was fitted on. Out: the same model again in another process or a later version,
with equal predictions; what it is made of; whether it still fits.
Read in order: `plain` (numbers, texts, times, arrays), `format` (the registry of kinds of models), `formats` (one module a kind), `files`; then
`inputs` and `drift`, `outcomes`, `evaluation`, `stored`, `storing`, `decisions`, `store`, `card`, `check`, `diff`.
Never: a pickle, or any other code from a file; a file that is partly written; a damaged file that is read as if it were whole; another version in use
without a decision.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MODEL_FORMATS": "format",
        "ModelCard": "card",
        "ModelCheck": "check",
        "ModelDiff": "diff",
        "ModelFormat": "format",
        "ModelStore": "store",
        "dataclass_format": "format",
        "from_arrays": "format",
        "model_hash": "format",
        "read_model": "files",
        "to_arrays": "format",
        "write_model": "files",
    },
)
