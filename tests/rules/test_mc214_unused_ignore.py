"""MC214: an ignore comment that does nothing."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.settings import Settings

GO = "RUN --mount=type=cache,target=/go/pkg/mod{} go build\n"
LOCKED, SHARED = GO.format(",sharing=locked"), GO.format("")
APT = "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get update\n"
TARGET = "RUN --mount=type=cache,target=/b/target,sharing=locked cargo build\n"
REGISTRY = "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked cargo fetch\n"


def unused(text: str, settings: Settings | None = None) -> list[tuple[int, int, str]]:
    """Return place and reason of each comment that does nothing."""
    result = migrate({"Dockerfile": text}, settings, root_name="shop")
    (file,) = result.files
    assert file.error is None
    return [(n.line, n.column, n.reason) for n in file.notes if n.rule == "MC214"]


@pytest.mark.parametrize(
    ("comment", "run", "does_nothing"),
    [
        pytest.param("ignore", LOCKED, False, id="a change"),
        pytest.param("ignore[MC101]", LOCKED, False, id="of that rule"),
        pytest.param("ignore[MC1]", LOCKED, False, id="of a prefix"),
        pytest.param("ignore[MC102,MC101]", LOCKED, False, id="of one of two rules"),
        pytest.param("ignore[MC102]", LOCKED, True, id="of another rule"),
        pytest.param("ignore[MC999]", LOCKED, True, id="of a rule that does not exist"),
        pytest.param("ignore[MC101]", SHARED, True, id="shared already"),
        pytest.param("ignore", SHARED, True, id="nothing to do"),
        pytest.param("ignore-file", SHARED, True, id="nothing in the file"),
        pytest.param("ignore-file[MC101]", LOCKED, False, id="a change in the file"),
        pytest.param("ignore[MC201]", APT, False, id="a note"),
        pytest.param("ignore", APT, False, id="any note"),
        pytest.param("ignore[MC202]", APT, True, id="another note"),
        pytest.param("ignore[MC102]", TARGET, False, id="an id"),
        pytest.param("ignore[MC103]", TARGET, True, id="no id"),
        pytest.param("ignore[MC104]", REGISTRY, False, id="a link"),
        pytest.param("ignore[MC104]", LOCKED, True, id="no link"),
        pytest.param("ignore[MC206]", "ARG A\n" + LOCKED, True, id="another instruction between"),
        pytest.param(
            "ignore[MC205]", SHARED.replace("mod", "mod,id=x$A"), False, id="a warning beside"
        ),
        pytest.param(
            "ignore[MC206]", SHARED.replace("mod", "mod,id=x$A"), False, id="another one beside"
        ),
        pytest.param("ignore[MC204]", SHARED.replace("mod", "mod,id=x$A"), True, id="no such one"),
    ],
)
def test_comment(comment: str, run: str, does_nothing: bool) -> None:
    found = unused(f"FROM rust\n# migrate-cache: {comment} why\n{run}")
    assert [line for line, _, _ in found] == [2] * does_nothing
    assert all(f"`# migrate-cache: {comment}` does nothing" in reason for _, _, reason in found)


def test_each_comment_counts_for_itself() -> None:
    text = (
        f"FROM golang\n  # migrate-cache: ignore[MC101]\n# migrate-cache: ignore[MC102]\n{LOCKED}"
        f"# migrate-cache: ignore[MC101]\n{APT}"
    )
    assert [(line, column) for line, column, _ in unused(text)] == [(3, 1), (5, 1)]


def test_notes_stand_in_the_order_of_places_and_codes() -> None:
    text = (
        f"FROM debian\n# migrate-cache: ignore[MC101]\n{APT}"
        f"# migrate-cache: ignore[MC101]\nRUN --mount=type=cache,id=x$A,target=/srv/x fetch-x\n"
    )
    (file,) = migrate({"Dockerfile": text}).files
    found = [(note.line, note.rule) for note in file.notes]
    assert found == [
        *((2, "MC214"), (3, "MC201"), (4, "MC214")),
        *((5, "MC202"), (5, "MC205"), (5, "MC206")),
    ]


def test_a_comment_about_another_instruction_does_nothing() -> None:
    text = f"FROM golang\n# migrate-cache: ignore[MC101]\nRUN true\n{LOCKED}"
    assert [line for line, _, _ in unused(text)] == [2]


def test_what_an_ignored_neighbour_hides_is_not_missed() -> None:
    text = f"FROM golang\n# migrate-cache: ignore\n{LOCKED}# migrate-cache: ignore[MC101]\n{LOCKED}"
    assert unused(text) == []


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        pytest.param(Settings(), 1, id="by default"),
        pytest.param(Settings(ignore=("MC214",)), 0, id="ignored"),
        pytest.param(Settings(select=("MC101",)), 0, id="not selected"),
        pytest.param(Settings(select=("MC2",)), 1, id="selected"),
    ],
)
def test_settings(settings: Settings, count: int) -> None:
    text = f"FROM golang\n# migrate-cache: ignore[MC101]\n{SHARED}"
    assert len(unused(text, settings)) == count


def test_a_comment_in_another_file_counts_there() -> None:
    files = {
        "a": f"FROM golang\n# migrate-cache: ignore[MC101]\n{SHARED}",
        "b": f"FROM golang\n# migrate-cache: ignore[MC101]\n{LOCKED}",
    }
    result = migrate(files)
    notes = {file.path: [note.rule for note in file.notes] for file in result.files}
    assert ["MC214" in notes[path] for path in files] == [True, False]
