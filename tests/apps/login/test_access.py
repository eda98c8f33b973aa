"""Who may see what."""

import re
from pathlib import Path

import pytest

from twinlab.apps.login.access import User, current_user, known_roles, may_see
from twinlab.explore.page_registry import PAGES
from twinlab.model.access.policy import DEFAULT_POLICY
from twinlab.model.access.roles import ROLES


def test_the_reader_at_this_machine_sees_everything():
    assert may_see(None, "now")
    assert may_see(None, "a page of a later day")


@pytest.mark.parametrize(
    ("roles", "page", "seen"),
    [
        (("viewer",), "now", True),
        (("viewer",), "quality", False),
        (("steward",), "quality", True),
        (("dispatcher", "steward"), "quality", True),
        (("admin",), "a page of a later day", True),
        (("steward",), "a page of a later day", False),
        (("captain",), "now", False),
        ((), "now", False),
        (("viewer",), "*", False),
    ],
)
def test_a_role_opens_its_pages_and_no_others(roles, page, seen):
    assert may_see(User("dora", roles=roles), page) is seen


def test_somebody_without_a_role_is_a_viewer():
    assert User("dora").roles == ("viewer",)
    assert may_see(User("dora"), "map")


def test_outside_of_a_served_session_there_is_no_user():
    assert current_user() is None


def test_the_default_policy_is_the_one_in_the_reference():
    text = (Path(__file__).parents[3] / "notebooks" / "reference" / "access.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([^|]*) \| (\w+) \| (\w+) \| (\w+) \| ([^|]*) \|$", text, re.MULTILINE)
    found = {
        role: (pages, assets, highest, purposes, commands) for role, pages, assets, highest, purposes, commands in rows
    }
    assert set(found) == set(ROLES) == set(DEFAULT_POLICY.roles)
    for role, (pages, assets, highest, purposes, commands) in found.items():
        rule = DEFAULT_POLICY.roles[role]
        known = {"*"} if pages == "all" else set(pages.split(", ")) & set(PAGES.names())
        assert known == known_roles()[role], role
        assert (assets == "all") is (rule.assets is None)
        assert highest == rule.sensitivity
        assert (purposes == "none") is (rule.purposes == [])
        assert (commands == "none") is (rule.commands == [])
