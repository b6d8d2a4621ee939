"""MC213: a cache that needs exclusive access is not locked."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

APT = "RUN --mount=type=cache,target=/var/cache/apt<> apt-get update\n"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        pytest.param("", "MC213", id="no mode"),
        pytest.param("sharing=shared", "MC213", id="shared"),
        pytest.param("id=x", "MC213", id="an id"),
        pytest.param(LOCKED, "MC201", id="locked"),
        pytest.param("sharing=private", "MC207", id="private"),
    ],
)
def test_modes(option: str, code: str) -> None:
    text = filled(f"FROM debian\n{APT}", option)
    result = migrated(text)
    assert result == text
    assert result.codes == [code]
    assert result.reasons[0].startswith("not locked, but ") is (code == "MC213")


def test_another_user_of_the_id_is_at_the_same_risk() -> None:
    text = filled(f"FROM debian\n{APT}RUN --mount=type=cache,target=/x<> fetch-x\n", "id=x")
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC213", "MC213"]


def test_locked_at_one_place_only() -> None:
    result = migrated(filled(f"FROM debian\n{APT}{APT}", (LOCKED, "")))
    assert result.codes == ["MC201", "MC213"]
    assert result.notes == ["MC203", "MC203"]
