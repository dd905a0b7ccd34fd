"""What holds for every test: reproducible examples, no display, no state shared with the user's own runs."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# Examples depend on the test alone, so that a failure is the same failure everywhere; `--hypothesis-profile=explore`
# looks for new ones. No deadline: the first call of a kernel compiles it.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of all tests the longest begins first: the others run beside it."""
    items.sort(key=lambda item: item.path.name != "test_wheel.py")
