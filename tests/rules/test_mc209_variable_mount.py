"""MC209: a mount that a variable decides, or that runs elsewhere, is left alone."""

from __future__ import annotations

import pytest

from migrate_cache.testing import migrated

NODE = "FROM node:24\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            f"{NODE}ARG M\nRUN --mount=type=cache,target=/root/.npm,sharing=$M npm ci\n",
            "its sharing mode comes from a variable",
            id="the mode",
        ),
        pytest.param(
            f"{NODE}ENV M=locked\nRUN --mount=type=cache,target=/root/.npm,sharing=$M npm ci\n",
            "its sharing mode comes",
            id="the mode, from ENV",
        ),
        pytest.param(
            f"{NODE}ARG T\nRUN --mount=type=$T,target=/root/.npm,sharing=locked npm ci\n",
            "its type comes from a variable",
            id="the type",
        ),
        pytest.param(
            f"{NODE}ARG T\nRUN --mount=type=$T,target=/root/.npm,sharing=$T npm ci\n",
            "its type comes from a variable",
            id="both",
        ),
        pytest.param(
            f"{NODE}ARG B\nARG A\nRUN --mount=type=cache,target=/$B/$A,sharing=locked npm ci\n",
            "its target depends on A, B, which a build decides",
            id="the target",
        ),
        pytest.param(
            f"{NODE}ONBUILD RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n",
            "an ONBUILD trigger runs in another image",
            id="ONBUILD",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=cache,target=/a,target=/root/.npm,sharing=locked npm ci\n",
            "given more than once",
            id="the target twice",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=cache,dst=/a,target=/root/.npm,sharing=locked npm ci\n",
            "given more than once",
            id="the target by two names",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=cache,id=a,id=b,target=/root/.npm,sharing=locked npm ci\n",
            "given more than once",
            id="the id twice",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=bind,type=cache,target=/root/.npm,sharing=locked npm ci\n",
            "given more than once",
            id="the type twice",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=cache,sharing=shared,target=/root/.npm,sharing=locked npm i\n",
            "given more than once",
            id="the mode twice",
        ),
    ],
)
def test_left_alone(text: str, reason: str) -> None:
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC209"]
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"{NODE}ENV D=/root\nRUN --mount=type=cache,target=$D/.npm,sharing=locked npm ci\n",
            id="a target that ENV tells",
        ),
        pytest.param(
            f"{NODE}ARG D=/root\nRUN --mount=type=cache,target=$D/.npm,sharing=locked npm ci\n",
            id="a target by default",
        ),
        pytest.param(
            f"{NODE}ARG I\nRUN --mount=type=cache,target=/root/.npm,id=$I,sharing=locked npm ci\n",
            id="the id",
        ),
        pytest.param(
            f"{NODE}RUN --mount=type=cache,uid=0,uid=0,target=/root/.npm,sharing=locked npm ci\n",
            id="another option twice",
        ),
    ],
)
def test_no_obstacle(text: str) -> None:
    result = migrated(text)
    assert result == text.replace("locked", "shared")
    assert result.codes == ["MC101"]


def test_a_default_that_a_build_changes() -> None:
    text = f"{NODE}ARG D=/root\nRUN --mount=type=cache,target=$D/.npm,sharing=locked npm ci\n"
    compose = "services: {a: {build: {context: ., args: {D: /x}}}}"
    result = migrated(text, build_files={"compose.yaml": compose})
    assert result == text
    assert result.codes == ["MC209"]
