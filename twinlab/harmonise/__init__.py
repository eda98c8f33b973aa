"""TRANSLATE: tags, columns and clocks of a source into the twin's signals, units and UTC. Never guesses.

In: frames of the ledger, a mapping, a model. Out: `Claims` (values, events, assets, relationships) and findings
(unknown terms, problems).
Read in order: `claims`, `findings`, `cells`, `times/`, `tags`, `values`, `compiled`, then `stream` (observations) and
`tables/` (records), then `frames`. `drafting/` proposes a model and mappings for a person to edit.
Never: a row dropped without a finding, a unit or a time zone assumed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {  # no submodule may have the name of a public function: importing it would put the module in its place
        "AssetClaims": "claims",
        "Claims": "claims",
        "Context": "claims",
        "Draft": "drafting.draft",
        "EventClaims": "claims",
        "Harmonised": "claims",
        "Problem": "claims",
        "RelationshipClaims": "claims",
        "Series": "claims",
        "UnknownTerm": "claims",
        "draft": "drafting.draft",
        "harmonise": "frames",
    },
)
