"""Who may see what."""

import pytest

from twinlab.apps.login.access import User, current_user, may_see


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
