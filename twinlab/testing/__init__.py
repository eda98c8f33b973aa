"""Fakes, example twins and conformance checks for tests, of ours and of users.

In: nothing but arguments. Out: a twin in memory that reads like a real one.
Read in order: `fake_twin`, `example_model`, `example_stations`, `example_moving`, `page_checks`.
Never: behaviour that a real twin doesn't have.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"FakeTwin": "fake_twin", "check_page": "page_checks"})
