"""TRANSLATE: tags, columns and clocks of a source into the twin's signals, units and UTC. Never guesses."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetClaims": "claims",
        "Claims": "claims",
        "Context": "claims",
        "Draft": "draft",
        "EventClaims": "claims",
        "Harmonised": "claims",
        "Problem": "claims",
        "RelationshipClaims": "claims",
        "Series": "claims",
        "UnknownTerm": "claims",
        "draft": "draft",
        "harmonise": "harmonise",
    },
)
