"""TRANSLATE: tags, columns and clocks of a source into the twin's signals, units and UTC. Never guesses.

In: frames of the ledger, a mapping, a model. Out: `Claims` (values, events, assets, links) and what couldn't be
placed.
Read in order: `claims`, `compiled`, `frames`, then `stream` (observations), `rows` and `events` and `entities`
(tables), then `times`, `formats`, `zones`, `folds`, `values`, `tags`, `properties`. `drafting` guesses, for a person
to edit.
Never: a row dropped without a finding, a unit or a clock assumed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {  # no submodule may have the name of a public function: importing it would put the module in its place
        "AssetClaims": "claims",
        "Claims": "claims",
        "Context": "claims",
        "Draft": "drafting.twin",
        "EventClaims": "claims",
        "Harmonised": "claims",
        "Problem": "claims",
        "RelationshipClaims": "claims",
        "Series": "claims",
        "UnknownTerm": "claims",
        "draft": "drafting.twin",
        "harmonise": "frames",
    },
)
