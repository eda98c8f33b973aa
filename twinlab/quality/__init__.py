"""JUDGE: one flag per value per test, QARTOD's numbers; never changes a value."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MAX_LOOK_BACK": "cells",
        "NEIGHBOUR_REACH": "cells",
        "flag_cells": "cells",
        "margins": "cells",
        "untested": "cells",
    },
)
