"""Unit faults: channels that write another unit than their mapping declares, also from some time on, and the fix.

In: labelled arrays of a signal, its unit and spans. Out: suspects, ranked, with confidence, evidence and fix.
Read in order: `suspects` (the call), `hypotheses`, `profiles` (a bounded sample), `features`, `peers`, `switches`, `scoring`,
`evidence`, `fixes` (lines of a mapping); `swaps` (of coordinates and words).
Never: one hypothesis named where two explain the data equally well.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Hypothesis": "hypotheses",
        "MappingFix": "fixes",
        "Suspect": "suspects",
        "Swap": "swaps",
        "UnitFix": "suspects",
        "fix_text": "fixes",
        "suspect_units": "suspects",
        "swapped_positions": "swaps",
        "swapped_words": "swaps",
    },
)
