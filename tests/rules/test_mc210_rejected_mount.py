"""MC210: a mount that BuildKit would reject is left alone."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated

GO = "FROM golang\nRUN --mount=type=cache,{} go build\n"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("target=/go/pkg/mod,sharing=lock", id="a mode that does not exist"),
        pytest.param("target=/go/pkg/mod,sharing=locked,size=1", id="an option"),
        pytest.param("target=/go/pkg/mod,sharing=locked,uid=root", id="a user that is no number"),
    ],
)
@pytest.mark.parametrize("before", ["", "ONBUILD "])
def test_left_alone(options: str, before: str) -> None:
    text = GO.format(options).replace("RUN", f"{before}RUN")
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC210"]
    assert result.reasons[0].startswith("BuildKit would reject this instruction: ")


def test_every_mount_of_the_run_is() -> None:
    text = GO.format("target=/go/pkg/mod,sharing=x --mount=type=cache,target=/x,sharing=locked")
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC210", "MC210"]


def test_other_runs_are_migrated() -> None:
    text = GO.format("target=/root/.npm,sharing=x") + GO.format("target=/go/pkg/mod,sharing=locked")
    result = migrated(text)
    assert result == text.replace("locked", "shared")
    assert result.codes == ["MC210", "MC101"]
