"""A command that passes is carried out once; whatever goes wrong then ends at the fail-safe value."""

from __future__ import annotations

from tests.commands.guard.site import Site


def test_select_and_operate_set_a_value_once(site: Site) -> None:
    selected = site.select()
    assert (selected.outcome, selected.target, site.forklift.changes) == ("selected", "forklift/7", [])
    done = site.operate()
    assert (done.outcome, done.value, done.unit) == ("done", 6.0, "km/h")
    assert site.forklift.changes == [("forklift/7", 6.0)]
    assert [entry["kind"] for entry in site.entries] == ["command accepted", "command accepted", "command answered"]
    assert site.entries[2]["who"] == ["Ann", "Bob"]
    assert site.entries[2]["what"]["value"] == 6.0


def test_a_stop_stops(site: Site) -> None:
    site.set()
    answer = site.guard.submit(site.stop_wire())
    assert (answer.outcome, answer.value, site.forklift.safe) == ("done", 0.0, ["forklift/7"])
