"""The plant of the tests of the view."""

from tests.explore.views.control.conftest import template

__all__ = ["template"]
