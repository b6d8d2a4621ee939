"""MC902: a result that does not read as planned leaves the file untouched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migrate_cache import migrate
from migrate_cache.dockerfile.mount import Mount
from migrate_cache.text.errors import SafetyError

pytestmark = pytest.mark.usefixtures("_sabotage")
if TYPE_CHECKING:
    from migrate_cache.text.edit import Edit

BAD = "FROM golang\nRUN --mount=type=cache,id=bad,target=/go/pkg/mod,sharing=locked go build\n"
GOOD = "FROM node\nRUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n"


@pytest.fixture(params=["private", "shared\nRUN <<EOF"], ids=["another mode", "a broken file"])
def _sabotage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the mode of a mount with the id ``bad`` come out wrong."""
    real = Mount.set

    def broken(self: Mount, name: str, value: str) -> tuple[Edit, ...]:
        edits = real(self, name, value)
        wrong = tuple(replace(edit, text=request.param) for edit in edits)
        return wrong if self.id == "bad" else edits

    monkeypatch.setattr(Mount, "set", broken)


def test_the_file_stays_as_it_is() -> None:
    (file,) = migrate({"Dockerfile": BAD}).files
    assert isinstance(file.error, SafetyError)
    assert "the safety net refused the result" in str(file.error)
    assert file.after == file.before == BAD
    assert file.changes == ()


def test_the_others_are_done() -> None:
    bad, good = migrate({"a": BAD, "b": GOOD}).files
    assert bad.error is not None
    assert (good.error, good.after) == (None, GOOD.replace("locked", "shared"))


def test_a_cache_that_the_file_uses_stays_locked_everywhere() -> None:
    files = {"a": BAD + GOOD, "b": GOOD}
    result = migrate(files)
    assert {file.path: file.after for file in result.files} == files
    assert [outcome.rule for outcome in result.mounts] == ["MC101", "MC101", "MC203"]
    assert "a:4 stays locked (the safety net refused" in result.mounts[2].reason
