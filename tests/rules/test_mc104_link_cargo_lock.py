"""MC104: Cargo's lock is linked into a registry cache that is shared."""

from __future__ import annotations

import pytest

from migrate_cache.settings import Override
from migrate_cache.testing import Migrated, migrated
from tests.rules.mounts import LOCKED, filled

RUST = "FROM rust:1.95\n"
REGISTRY = "RUN --mount=type=cache,target=/usr/local/cargo/registry<> "
GIT = "RUN --mount=type=cache,target=/usr/local/cargo/git<> "
BOTH = f"{REGISTRY}{GIT[4:]}"
FETCH, BUILD = f"{REGISTRY}cargo fetch\n", f"{REGISTRY}cargo build\n"
HEAD = (
    "# Put Cargo's package lock into the shared registry cache, for builds that run side by side\n"
)


def link(home: str = "/usr/local/cargo") -> str:
    """Return the lines that are inserted."""
    return (
        f"{HEAD}RUN mkdir -p -m 777 {home}/registry && "
        f"ln -sf registry/.package-cache registry/.package-cache-mutate {home}/\n"
    )


LINK = link()


def links(result: Migrated) -> int:
    """Return how many links were inserted."""
    return sum(text.count(HEAD) for text in result.values())


# -- what is inserted, and where ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"{RUST}{FETCH}", f"{RUST}{LINK}{FETCH}", id="above the RUN"),
        pytest.param(
            f"{RUST}\n# why\n# so\n{FETCH}",
            f"{RUST}\n{LINK}# why\n# so\n{FETCH}",
            id="its comments",
        ),
        pytest.param(f"{RUST}{FETCH}{BUILD}", f"{RUST}{LINK}{FETCH}{BUILD}", id="once in a stage"),
        pytest.param(
            f"{RUST}RUN cargo install x\n{FETCH}",
            f"{RUST}RUN cargo install x\n{LINK}{FETCH}",
            id="not above a RUN that does not mount it",
        ),
        pytest.param(
            f"{RUST.replace('5', '5 AS a')}{FETCH}FROM a\n{BUILD}",
            f"{RUST.replace('5', '5 AS a')}{LINK}{FETCH}FROM a\n{BUILD}",
            id="once in a chain of stages",
        ),
        pytest.param(
            f"{RUST.replace('5', '5 AS a')}RUN true\nFROM a\n{BUILD}",
            f"{RUST.replace('5', '5 AS a')}RUN true\nFROM a\n{LINK}{BUILD}",
            id="in the stage that mounts it",
        ),
        pytest.param(
            f"{RUST}{FETCH}{RUST}{BUILD}",
            f"{RUST}{LINK}{FETCH}{RUST}{LINK}{BUILD}",
            id="in each of two stages",
        ),
        pytest.param(f"{RUST}{BOTH}cargo b\n", f"{RUST}{LINK}{BOTH}cargo b\n", id="two mounts"),
        pytest.param(
            f"{RUST}ENV CARGO_HOME=/c\n{FETCH}".replace("/usr/local/cargo", "/c"),
            f"{RUST}ENV CARGO_HOME=/c\n{link('/c')}{FETCH}".replace("/usr/local/cargo/r", "/c/r"),
            id="another CARGO_HOME",
        ),
        pytest.param(
            f"{RUST}{FETCH}ENV CARGO_HOME=/c\n{BUILD.replace('/usr/local/cargo', '/c')}",
            f"{RUST}{LINK}{FETCH}ENV CARGO_HOME=/c\n{link('/c')}"
            f"{BUILD.replace('/usr/local/cargo', '/c')}",
            id="two of them",
        ),
        pytest.param(
            f"{RUST}ENV CARGO_HOME=/x/git\n{FETCH}".replace("/usr/local/cargo", "/x/git"),
            f"{RUST}ENV CARGO_HOME=/x/git\n{link('/x/git')}"
            f"{FETCH.replace('/usr/local/cargo', '/x/git')}",
            id="one that is called as a folder in it",
        ),
        pytest.param(
            f"{RUST}{FETCH.replace('/registry', '/registry/cache')}".replace(
                "RUN ", f"{REGISTRY.strip()} "
            ),
            f"{RUST}{LINK}{FETCH.replace('/registry', '/registry/cache')}".replace(
                "RUN --mount=type=cache,target=/usr/local/cargo/registry/cache",
                f"{REGISTRY}--mount=type=cache,target=/usr/local/cargo/registry/cache",
            ),
            id="a folder below it beside it",
        ),
    ],
)
def test_link(before: str, after: str) -> None:
    result = migrated(filled(before, LOCKED))
    assert result == filled(after, "sharing=shared")
    assert set(result.codes) == {"MC101"}


def test_the_link_ends_its_lines_as_the_file_does() -> None:
    before = filled(f"{RUST}{FETCH}", LOCKED).replace("\n", "\r\n")
    after = filled(f"{RUST}{LINK}{FETCH}", "sharing=shared").replace("\n", "\r\n")
    assert migrated(before) == after


def test_the_stage_nearest_the_root_gets_the_link() -> None:
    text = f"{RUST.replace('5', '5 AS a')}{FETCH}FROM a AS b\n{BUILD}FROM b\n{BUILD}{RUST}{BUILD}"
    result = migrated(filled(text, LOCKED))
    assert links(result) == 2
    assert result["Dockerfile"].startswith(filled(f"{RUST.replace('5', '5 AS a')}{LINK}", ""))


@pytest.mark.parametrize(
    ("files", "mounts", "count"),
    [
        pytest.param(f"{RUST}{FETCH}", "", 1, id="shared by default"),
        pytest.param(f"{RUST}{FETCH}", "sharing=shared", 1, id="shared already"),
        pytest.param(f"{RUST}{FETCH}{BUILD}", ("", LOCKED), 1, id="shared once"),
        pytest.param({"a": f"{RUST}{FETCH}", "b": f"{RUST}{BUILD}"}, LOCKED, 2, id="two files"),
        pytest.param(
            f"{RUST}# migrate-cache: ignore[MC101] x\n{FETCH}", LOCKED, 0, id="it stays locked"
        ),
        pytest.param(
            f"{RUST}# migrate-cache: ignore[MC101] x\n{FETCH}{BUILD}",
            (LOCKED, ""),
            1,
            id="one of two stays locked",
        ),
        pytest.param(
            f"{RUST}{BOTH}cargo b\n# migrate-cache: ignore[MC101] x\n{REGISTRY}cargo b\n",
            LOCKED,
            1,
            id="the git folder becomes shared, the registry stays locked",
        ),
        pytest.param(f"{RUST}{FETCH}", f"uid=1000,{LOCKED}", 1, id="a cache of another owner"),
        pytest.param(
            f"{RUST}{FETCH}USER app\n{BUILD}",
            (LOCKED, f"{LOCKED},uid=9"),
            1,
            id="root links for it",
        ),
        pytest.param(f"{RUST}USER root\n{FETCH}USER 0\n{BUILD}", LOCKED, 1, id="root by number"),
        pytest.param(f"{RUST}USER 0:0\n{FETCH}", LOCKED, 1, id="root and its group"),
        pytest.param(
            f"{RUST}RUN --mount=type=cache,id=c,target=/usr/local/cargo/registry<> "
            "--mount=type=cache,id=c,target=/usr/local/cargo/git<> cargo fetch\n",
            LOCKED,
            1,
            id="both folders in one cache",
        ),
    ],
)
def test_how_many(files: str | dict[str, str], mounts: str | tuple[str, ...], count: int) -> None:
    result = migrated(filled(files, mounts))
    assert links(result) == count
    assert "MC211" not in result.codes


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        pytest.param({}, 1, id="by default"),
        pytest.param({"cargo_lock": False}, 0, id="switched off"),
        pytest.param({"select": ("MC101", "MC104")}, 1, id="selected"),
        pytest.param({"select": ("MC104",)}, 0, id="nothing becomes shared"),
        pytest.param({"select": ("MC101",)}, 0, id="not selected"),
        pytest.param({"ignore": ("MC104",)}, 0, id="ignored"),
        pytest.param({"ignore": ("MC101",)}, 0, id="the sharing is ignored"),
        pytest.param({"ignore": ("MC102", "MC2")}, 1, id="others are ignored"),
        pytest.param({"overrides": (Override(("*",), skip=True),)}, 0, id="the file is skipped"),
    ],
)
def test_settings(settings: dict[str, object], count: int) -> None:
    text = filled(f"{RUST}{FETCH}", LOCKED)
    result = migrated(text, **settings)
    assert links(result) == count
    assert (result == text) is (count == 0 and "cargo_lock" not in settings)


# -- where it is there already, or not needed -----------------------------------------------------


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("ln -s registry/.package-cache $CARGO_HOME/", True),
        ("ln -sf registry/.package-cache /usr/local/cargo", True),
        ("ln -fs registry/.package-cache registry/.package-cache-mutate $CARGO_HOME/", True),
        ("ln -f -s registry/.package-cache $CARGO_HOME", True),
        ("ln -s $CARGO_HOME/registry/.package-cache $CARGO_HOME/.package-cache", True),
        ("mkdir -p $CARGO_HOME/registry && ln -s registry/.package-cache $CARGO_HOME/", True),
        ("ln registry/.package-cache $CARGO_HOME/", False),
        ("ln -f registry/.package-cache $CARGO_HOME/", False),
        ("ln -s registry/.package-cache-mutate $CARGO_HOME/", False),
        ("ln -s registry/.package-cache /root/.cargo/", False),
        ("ln -s registry/.package-cache $CARGO_HOME/other", False),
        ("ln -s", False),
        ("ln -s $CARGO_HOME/", False),
        ("ln -s registry/.package-cache", False),
        ("ln -s /x/registry/.package-cache $CARGO_HOME/", False),
        ("cp -s registry/.package-cache $CARGO_HOME/", False),
        ("echo ln -s registry/.package-cache $CARGO_HOME/", False),
    ],
)
def test_a_link_that_is_there(line: str, there: bool) -> None:
    result = migrated(filled(f"{RUST}RUN {line}\n{FETCH}", LOCKED))
    assert links(result) == (not there)
    assert result["Dockerfile"].endswith(filled(FETCH, "sharing=shared"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(
            f"{RUST.replace('5', '5 AS a')}<L>FROM a\n{FETCH}",
            0,
            id="in the stage it is built FROM",
        ),
        pytest.param(f"{RUST}<L>{RUST}{FETCH}", 1, id="in another stage"),
        pytest.param(f"{RUST}{FETCH}<L>{BUILD}", 1, id="below the first RUN"),
        pytest.param(f"{RUST}{FETCH}<L>", 1, id="below the only RUN"),
        pytest.param(f"{RUST}{REGISTRY}<K> && cargo b\n", 0, id="in the RUN itself"),
    ],
)
def test_where_a_link_counts(text: str, count: int) -> None:
    command = "ln -s registry/.package-cache $CARGO_HOME/"
    text = text.replace("<L>", f"RUN {command}\n").replace("<K>", command)
    assert links(migrated(filled(text, LOCKED))) == count


HOME = "FROM rust\nENV CARGO_HOME=/c\nRUN --mount=type=cache,{} {}cargo fetch\n"
IN_HOME = "--mount=type=cache,target=/c/registry,sharing=locked "


@pytest.mark.parametrize(
    ("around", "count"),
    [
        pytest.param("target=/c", 0, id="CARGO_HOME is a cache"),
        pytest.param("target=/c,sharing=locked", 0, id="a locked one"),
        pytest.param("target=/c/registry/cache", 1, id="a folder below the registry"),
    ],
)
def test_where_cargo_home_is_a_cache_no_link_is_needed(around: str, count: int) -> None:
    result = migrated(HOME.format(around, IN_HOME))
    assert links(result) == count
    assert "MC211" not in result.codes


def test_the_nearest_cache_around_cargo_home_holds_the_lock() -> None:
    home, registry = "--mount=type=cache,target=/x/c ", IN_HOME.replace("/c/", "/x/c/")
    text = (
        f"FROM rust\nENV CARGO_HOME=/x/c\nRUN {home}{registry}cargo fetch\n"
        f"RUN --mount=type=cache,target=/x {home}{registry}cargo build\n"
    )
    result = migrated(text)
    assert "MC211" not in result.codes
    assert result["Dockerfile"].count("registry,sharing=shared") == 2


def test_a_folder_above_cargo_home_is_a_cache() -> None:
    text = (
        "FROM debian\nRUN curl sh.rustup.rs | sh\nRUN --mount=type=cache,target=/root "
        "--mount=type=cache,target=/root/.cargo/registry,sharing=locked cargo fetch\n"
    )
    result = migrated(text)
    assert links(result) == 0
    assert result["Dockerfile"].endswith("registry,sharing=shared cargo fetch\n")


# -- what does not hinder it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{RUST}RUN rm -rf $CARGO_HOME/registry\n{FETCH}", id="removed before"),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf $CARGO_HOME/registry/src\n", id="a folder in it"),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf $CARGO_HOME/bin /tmp/*\n", id="something else"),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf ./registry\n", id="another registry"),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf /usr/local/cargo2\n", id="a longer name"),
        pytest.param(f"{RUST}{FETCH}RUN ls /usr/local/cargo/registry\n", id="looked at"),
        pytest.param(f"{RUST}{FETCH}RUN cargo build\n", id="another command of Cargo"),
        pytest.param(f"{RUST}{FETCH}FROM rust\nRUN rm -rf $CARGO_HOME\n", id="in another stage"),
        pytest.param(f"{RUST}{FETCH}COPY . /usr/local/cargo\n", id="copied from the context"),
        pytest.param(f"{RUST}{FETCH}COPY --from=x /y /usr/local/\n", id="another folder beside it"),
        pytest.param(
            f"{RUST}{FETCH}COPY --from=x /usr/local/cargo/bin/y /usr/local/cargo/bin/\n",
            id="a file in it",
        ),
        pytest.param(
            f"{RUST}COPY --from=rust /usr/local/cargo /usr/local/cargo\n{FETCH}", id="copied before"
        ),
        pytest.param(f"{RUST}{FETCH}COPY --from=x /usr/local /opt/\n", id="copied elsewhere"),
        pytest.param(f'{RUST}{FETCH}SHELL ["pwsh"]\nRUN ls\n', id="another shell later"),
        pytest.param(f'{RUST}SHELL ["/bin/bash", "-c"]\n{FETCH}', id="another POSIX shell"),
        pytest.param(f'{RUST}RUN true\n{REGISTRY}["cargo", "fetch"]\n', id="exec form"),
        pytest.param(
            f"{RUST}RUN --mount=type=bind,target=/usr/local/cargo/config.toml "
            f"{REGISTRY[4:]}cargo fetch\n",
            id="a bind mount of one file in it",
        ),
        pytest.param(
            f"{RUST}RUN --mount=type=secret,target=/usr/local/cargo {REGISTRY[4:]}cargo fetch\n",
            id="a secret",
        ),
        pytest.param(f"{RUST}ARG IMAGE\n{FETCH}", id="an argument that is no base image"),
        pytest.param(f"ARG TAG\nFROM rust:$TAG\n{FETCH}", id="a tag that is open"),
        pytest.param(f"ARG IMAGE=rust\nFROM $IMAGE\n{FETCH}", id="a base image by default"),
    ],
)
def test_what_does_not_hinder_the_link(text: str) -> None:
    result = migrated(filled(text, LOCKED))
    assert links(result) == 1
    assert "MC211" not in result.codes


def test_the_second_registry_of_a_file_that_has_its_link_already_is_no_other_place() -> None:
    text = (
        f"{RUST}RUN --mount=type=cache,id=a,target=/usr/local/cargo/registry<> cargo fetch\n"
        "RUN --mount=type=cache,id=b,target=/usr/local/cargo/registry<> cargo build\n"
    )
    result = migrated(filled(text, LOCKED))
    assert links(result) == 1
    assert result.codes == ["MC101", "MC101"]
