"""What is quarantined stays until a person decides, once, on the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.sources.live.guarded import quarantine as module
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry


def entry(gateway: str = "truck-1") -> QuarantineEntry:
    return QuarantineEntry("", "trucks", gateway, "rows", "unsigned", "expected a signature", 0, 0, first=1, rows=3)


class Clock:
    now = 10**18

    def __call__(self) -> int:
        self.now += 10**9
        return self.now


def test_the_same_message_is_one_entry_with_its_number(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, "trucks", clock=Clock())
    for _ in range(8):
        assert quarantine.add(entry(), b"bytes", same=b"x")
    (found,) = quarantine.entries()
    assert found.count >= 6
    assert len(quarantine) == 1


def test_a_decision_is_taken_once_and_seen_by_the_historian(tmp_path: Path) -> None:
    historian, person = (Quarantine(tmp_path, "trucks", clock=Clock()) for _ in range(2))
    historian.add(entry(), b"one", same=b"1")
    historian.add(entry(), b"two", same=b"2")
    first, second = person.entries()
    person.decide(first.id, "released", by=" Noor ", note="checked at the truck")
    person.decide(second.id, "discarded", by="Noor")
    with pytest.raises(SchemaError, match="'Noor' has released"):
        person.decide(first.id, "discarded", by="Ada")
    with pytest.raises(SchemaError, match="who decides"):
        person.decide(first.id, "released", by=" ")
    with pytest.raises(UnknownTermError):
        person.decide("f" * 24, "released", by="Ada")
    ((found, message),) = historian.released()
    assert (found.by, found.note, message) == (
        "Noor",
        "checked at the truck",
        {first.id: b"two", second.id: b"one"}[first.id],
    )
    historian.ingested(found)
    assert historian.released() == []
    assert sorted(one.state for one in Quarantine(tmp_path, "trucks").entries()) == ["discarded", "ingested"]
    assert list((tmp_path / "live" / "quarantine" / "trucks").glob("*.message")) == []


def test_a_discarded_message_that_comes_again_is_counted_and_stays_discarded(tmp_path: Path) -> None:
    historian = Quarantine(tmp_path, "trucks", clock=Clock())
    historian.add(entry(), b"one", same=b"1")
    (found,) = historian.entries()
    Quarantine(tmp_path, "trucks").decide(found.id, "discarded", by="Noor")
    historian.released()
    assert historian.add(entry(), b"one", same=b"1")
    assert [one.state for one in historian.entries()] == ["discarded"]


def test_a_full_quarantine_says_so_and_stores_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    quarantine = Quarantine(tmp_path, "trucks", clock=Clock())
    assert [quarantine.add(entry(), b"x", same=bytes([n])) for n in range(3)] == [True, True, False]
    assert quarantine.refused == 1


def test_of_two_people_who_decide_at_once_the_second_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine = Quarantine(tmp_path, "trucks", clock=Clock())
    quarantine.add(entry(), b"one", same=b"1")
    (found,) = quarantine.entries()
    quarantine.decide(found.id, "released", by="Noor")
    with pytest.raises(SchemaError, match="'Noor' has released"):
        quarantine.check(found.id, by="Ada")
    # Ada had looked before Noor decided.
    monkeypatch.setattr(quarantine, "check", lambda *_, **__: found)
    with pytest.raises(SchemaError, match="'Noor' has released"):
        quarantine.decide(found.id, "discarded", by="Ada")
    assert [one.state for one in Quarantine(tmp_path, "trucks").entries()] == ["released"]


def test_one_message_is_read_without_the_others_and_no_id_leads_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    historian = Quarantine(tmp_path, "trucks", clock=Clock())
    for number in range(20):
        historian.add(entry(), b"x", same=bytes([number]))
    quarantine = Quarantine(tmp_path, "trucks", clock=Clock())
    found = quarantine.entries()[0]
    read = []
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, **how: (read.append(self.stem), real(self, **how))[1])
    assert quarantine.entry(found.id) == found
    assert set(read) == {found.id}
    elsewhere = tmp_path / "live" / "quarantine" / "other"
    elsewhere.mkdir()
    (elsewhere / "a.json").write_text((tmp_path / "live" / "quarantine" / "trucks" / f"{found.id}.json").read_text())
    for other in ("../other/a", "a" * 24, found.id.upper(), "", "*"):
        assert quarantine.entry(other) is None
        with pytest.raises(UnknownTermError):
            quarantine.decide(other, "released", by="Ada")


def test_who_let_a_message_in_is_said_once_its_rows_are_stored(tmp_path: Path) -> None:
    historian, person = (Quarantine(tmp_path, "trucks", clock=Clock()) for _ in range(2))
    historian.add(entry(), b"one", same=b"1")
    (found,) = person.entries()
    person.decide(found.id, "released", by="Noor")
    ((released, _),) = historian.released()
    historian.ingested(released)
    with pytest.raises(SchemaError, match="'Noor' has released"):
        person.decide(found.id, "discarded", by="Ada")
