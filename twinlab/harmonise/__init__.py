"""TRANSLATE: tags, columns and clocks of a source into the twin's signals, units and UTC. Never guesses."""

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
