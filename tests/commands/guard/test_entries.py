"""What a guard records can be written by the audit, and proves who signed."""

from __future__ import annotations

from tests.commands.guard.attacks import ATTACKS
from tests.commands.guard.site import Site
from twinlab.commands.messages import open_signed
from twinlab.control.audit.rows import checked_entry
from twinlab.signing.keys import KeyRingFile


def test_the_audit_takes_every_entry_of_a_guard(site: Site) -> None:
    for attack in ATTACKS:
        if attack.number in {2, 7, 16, 17, 21}:
            site.guard.submit(attack.wire(site))
            site.time.wait(30)
    site.set(4.0)
    site.forklift.acknowledges = False
    site.set(4.0)
    site.guard.submit(site.stop_wire())
    site.set()
    site.time.wait(60)
    site.guard.tick()
    # A reason of another program may be long, and no text that can be written.
    site.time.wait(10)
    site.forklift.blocked = ("\ud800" * 3000,)
    site.submit()
    assert len(site.entries) > 30
    for entry in site.entries:
        assert checked_entry(entry).kind == entry["kind"]


def test_an_accepted_command_is_recorded_with_its_signatures(site: Site) -> None:
    site.set()
    site.guard.submit(site.stop_wire())
    ring = KeyRingFile(site.keys).read()
    wires = [entry["what"]["wire"] for entry in site.entries if "wire" in entry["what"]]
    assert [open_signed(wire.encode(), ring=ring).command.operation for wire in wires] == ["select", "operate", "stop"]
