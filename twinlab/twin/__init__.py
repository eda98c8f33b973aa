"""The façade: `Twin` connects the rooms; the rooms offer the same functions without it.

In: a folder, or files to start from. Out: a `Twin`, reports, exports.
Read in order: `facade`, `folder`, `definitions`, `ingest`, `writer`, `report`, `summary`, `export`, `annotating`, `calibrations`, `questions`,
`progress`, `starter`, `tutorials`.
Never: logic that belongs in a room.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "IngestReport": "report",
        "Twin": "facade",
        "TwinWriter": "writer",
        "backups": "backup.listing",
        "check_backups": "backup.listing",
        "checklist": "questions",
        "create": "folder",
        "open_twin": "folder",
        "pull": "remote.pull",
        "restore": "backup.restoring",
    },
)
