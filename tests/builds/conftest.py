"""What the tests of build files share."""

from __future__ import annotations

import pytest

from migrate_cache.builds.sources import Budget


class Steps:
    """The steps of work that budgets granted."""

    def __init__(self) -> None:
        self.total = 0


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Count the steps of work, which bound what hostile files cost."""
    counted = Steps()
    spend = Budget.spend

    def count(budget: Budget, amount: int) -> None:
        spend(budget, amount)
        counted.total += amount

    monkeypatch.setattr(Budget, "spend", count)
    return counted
