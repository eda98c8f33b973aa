"""LEARN: short paths by role, and exercises that check themselves on the demo twins.

In: a role or an exercise, and an answer. Out: what to read and do; whether an answer is right, or what to look at again. Read in order:
`roles` (paths), `exercise` (a task and its text), `twins` (what it is done on), `comparing`, `checks/` (what is right, computed from the
twin), `checking`, `progress` (a file of the reader), `shown` (tables). The texts are in ``texts/``, a Markdown file each.
Never: an answer in a hint or in this code; something sent to anybody.

>>> import twinlab as tl
>>> [path.role for path in tl.learn.paths()][:3]
['dispatcher', 'analyst', 'steward']
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Exercise": "exercise",
        "Role": "roles",
        "Verdict": "checking",
        "check": "checking",
        "paths": "shown",
        "progress_table": "shown",
        "remember": "progress",
        "learning_page": "page",
        "show": "shown",
        "start": "shown",
        "twin": "twins",
    },
)
