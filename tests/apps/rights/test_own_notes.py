"""Notes and alerts of somebody who sees some assets only."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from twinlab.apps.rights.restricted_twin import RestrictedTwin
from twinlab.apps.rights.rights import Rights
from twinlab.errors import UnknownTermError
from twinlab.events.annotations import annotation
from twinlab.explore.pages.now.notes import can_note
from twinlab.model.access.policy_file import parse_policy
from twinlab.testing import FakeTwin

WHEN = "2026-03-24T06:00:00"


class NotedTwin(FakeTwin):
    """A twin with notes and alerts of cold rooms, vans and deliveries."""

    written: list[str]

    def _rows(self) -> pd.DataFrame:
        first, second = self.assets("cold_room").index[:2]
        about = [f"too_warm/{first}", f"too_warm/{second}", "silent_van/V01", "late_delivery/D/1", "unknown/X"]
        keys = [f"{one}/{WHEN}" for one in about] + ["intrusion"]
        return pd.DataFrame({"key": keys, "id": keys, "note": [f"on {one}" for one in keys]})

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        return self._rows()

    def alerts(self, *, state: str | None = None) -> pd.DataFrame:
        return self._rows().assign(state=state)

    def annotate(self, key: str, *, note: str | None, acknowledged: bool | None, author: str) -> None:
        self.written.append(key)

    def annotate_many(self, said: Any) -> None:
        self.written += [one.about.key for one in said]

    def snooze_alert(self, id: str, *, until: object, author: str) -> None:  # noqa: A002
        self.written.append(id)


@pytest.fixture(scope="module")
def twin() -> NotedTwin:
    found = FakeTwin.example(days=2, trips=20)
    made = NotedTwin(found.model, assets=found._assets, histories=found._histories)
    made.written = []
    return made


@pytest.fixture
def first(twin: NotedTwin) -> str:
    return str(twin.assets("cold_room").index[0])


@pytest.fixture
def some(twin: NotedTwin, first: str) -> RestrictedTwin:
    twin.written.clear()
    policy = f"roles: {{dispatcher: {{assets: [{{type: cold_room, ids: ['{first}']}}]}}}}"
    return RestrictedTwin(twin, Rights(parse_policy(policy), ("dispatcher",)))


def test_notes_and_alerts_of_the_assets_that_are_seen_are_there(some: RestrictedTwin, first: str) -> None:
    assert list(some.notes()["key"]) == [f"too_warm/{first}/{WHEN}"]
    assert list(some.notes(history=True)["key"]) == [f"too_warm/{first}/{WHEN}"]
    found = some.alerts(state="active")
    assert (list(found["id"]), list(found["state"])) == ([f"too_warm/{first}/{WHEN}"], ["active"])
    # The page Now offers to write notes.
    assert can_note(some)


def test_only_exceptions_of_these_assets_are_written_on(some: RestrictedTwin, twin: NotedTwin, first: str) -> None:
    own = f"too_warm/{first}/{WHEN}"
    others = [key for key in twin.notes()["key"] if key != own]
    some.annotate(own, note="seen", acknowledged=True, author="dora")
    some.annotate_many([annotation(own, note="again", author="dora")])
    some.snooze_alert(own, until="2026-03-25", author="dora")
    assert twin.written == [own] * 3
    for key in others:
        with pytest.raises(UnknownTermError, match="that you may see"):
            some.annotate(key, note="seen", author="dora")
        with pytest.raises(UnknownTermError, match="that you may see"):
            some.annotate_many([annotation(own, note="ok", author="dora"), annotation(key, note="no", author="dora")])
        with pytest.raises(UnknownTermError, match="that you may see"):
            some.snooze_alert(key, until="2026-03-25", author="dora")
    assert twin.written == [own] * 3


def test_who_sees_the_whole_twin_sees_all_notes(twin: NotedTwin) -> None:
    whole = RestrictedTwin(twin, Rights(parse_policy("roles: {viewer: {pages: [now]}}"), ("viewer",)))
    assert len(whole.notes()) == len(whole.alerts()) == 6
