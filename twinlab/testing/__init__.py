"""Fakes for tests, of ours and of users: a twin that lives in memory and reads like a real one."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"FakeTwin": "fake_twin"})
