"""MC211: Cargo's caches stay locked where the lock cannot be linked into them."""

from __future__ import annotations

import pytest

from migrate_cache import migrate
from migrate_cache.settings import Override
from migrate_cache.testing import migrated
from tests.rules.mounts import LOCKED, filled

RUST = "FROM rust:1.95\n"
REGISTRY = "RUN --mount=type=cache,target=/usr/local/cargo/registry<> "
GIT = "RUN --mount=type=cache,target=/usr/local/cargo/git<> "
FETCH, BUILD = f"{REGISTRY}cargo fetch\n", f"{REGISTRY}cargo build\n"
OWN = "ENV CARGO_HOME=/c\n"
OWN_FETCH = "RUN --mount=type=cache,target=/c/registry<> cargo fetch\n"
PRIVATE = f"FROM example.com/rust\n{OWN}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # Whose directory is it?
        pytest.param(f"FROM example.com/rust\n{FETCH}", "is CARGO_HOME", id="an unknown image"),
        pytest.param(
            f"{RUST}ENV CARGO_HOME='/a b'\n{OWN_FETCH}".replace("/c/registry", "'/a b/registry'"),
            "cannot be written into a command safely",
            id="a path that needs quotes",
        ),
        pytest.param(f"{RUST}{GIT}cargo fetch\n", "without /usr/local/cargo/registry", id="git"),
        pytest.param(
            f"{RUST}RUN --mount=type=cache,target=/usr/local/cargo/registry/cache<> cargo fetch\n",
            "mounts /usr/local/cargo/registry/cache without /usr/local/cargo/registry, so",
            id="a folder below the registry",
        ),
        # Is there a shell?
        pytest.param(f'{RUST}SHELL ["pwsh", "-c"]\n{FETCH}', "POSIX shell", id="another shell"),
        pytest.param(
            f"# escape=`\n{RUST}{FETCH}", "POSIX shell", id="the escape character of Windows"
        ),
        pytest.param(f'{RUST}{REGISTRY}["cargo", "fetch"]\n', "has a shell", id="exec form"),
        # May the user write there?
        pytest.param(f"{RUST}USER app\n{FETCH}", "user app may not be allowed", id="a user"),
        pytest.param(f"{RUST}USER app:root\n{FETCH}", "user app may not", id="and its group"),
        pytest.param(f"{RUST}USER 1000\n{FETCH}", "user 1000 may not", id="a number"),
        pytest.param(
            f"{PRIVATE}{OWN_FETCH}", "example.com/rust does not tell", id="who is the user?"
        ),
        pytest.param(
            f"{PRIVATE}RUN sudo apt-get install -y git\n{OWN_FETCH}", "may write /c", id="sudo"
        ),
        pytest.param(
            f"{PRIVATE}RUN doas apk add git\n{OWN_FETCH}", "may write /c", id="another sudo"
        ),
        pytest.param(
            f"{PRIVATE}RUN apt-get --help && apt-cache search x\n{OWN_FETCH}",
            "may write /c",
            id="nothing that only root can",
        ),
        pytest.param(
            f"{PRIVATE}{OWN_FETCH}RUN apt-get install -y git\n", "may write /c", id="root later"
        ),
        pytest.param(
            f"{PRIVATE}USER root\nRUN apt-get update\nUSER app\n{OWN_FETCH}",
            "user app may not",
            id="root before",
        ),
        pytest.param(
            f"{RUST}{FETCH}USER app\n{BUILD}", "different users (app, root)", id="two users"
        ),
        pytest.param(
            f"FROM debian\nUSER app\nENV CARGO_HOME=/home/app/.cargo\n{FETCH}".replace(
                "/usr/local/cargo", "/home/app/.cargo"
            ),
            "user app may not",
            id="a home that nobody filled",
        ),
        pytest.param(
            f"FROM debian\nRUN curl sh.rustup.rs | sh\nUSER app\nENV CARGO_HOME=/home/app/.cargo\n"
            f"{FETCH}".replace("/usr/local/cargo", "/home/app/.cargo"),
            "user app may not",
            id="a home that another user filled",
        ),
        pytest.param(
            "FROM debian\nUSER app\nRUN curl sh.rustup.rs | sh\nENV CARGO_HOME=/opt/cargo\n"
            f"{FETCH}".replace("/usr/local/cargo", "/opt/cargo"),
            "user app may not",
            id="a folder that is not in the home",
        ),
        # Can it lie in the mount?
        pytest.param(
            f"{RUST}{REGISTRY.replace('<>', '<>,ro')}cargo fetch\n", "read-only", id="read-only"
        ),
        pytest.param(
            f"{RUST}{OWN}RUN --mount=type=tmpfs,target=/c {OWN_FETCH[4:]}",
            "another mount of the RUN (/c) hides",
            id="a mount of CARGO_HOME",
        ),
        pytest.param(
            f"{RUST}{OWN}RUN --mount=type=bind,target=/,from=x {OWN_FETCH[4:]}",
            "hides CARGO_HOME",
            id="a mount of a folder above it",
        ),
        pytest.param(
            f"{RUST}{OWN}RUN --mount=type=cache,target=/c,sharing=private {OWN_FETCH[4:]}",
            "hides CARGO_HOME",
            id="a private cache of CARGO_HOME",
        ),
        # Does it stay?
        pytest.param(f"{RUST}{FETCH}RUN rm -rf /usr/local/cargo\n", "line 3 removes", id="removed"),
        pytest.param(
            f"{RUST}{FETCH}RUN rm -rf $CARGO_HOME/registry\n", "line 3 removes", id="the registry"
        ),
        pytest.param(
            f"{RUST}{FETCH}RUN rm -rf ${{CARGO_HOME}}/{{registry,git}}\n",
            "line 3 removes",
            id="in braces",
        ),
        pytest.param(
            f"{RUST}{FETCH}RUN rm -f $CARGO_HOME/.package-cache-mutate\n",
            "line 3 removes",
            id="a link",
        ),
        pytest.param(
            f"{RUST}{FETCH}RUN rm -rf /usr/local/cargo/*\n", "line 3 removes", id="all in it"
        ),
        pytest.param(
            f"{RUST}{FETCH}RUN rm -rf /usr/local/cargo/?egistry\n", "line 3 removes", id="a glob"
        ),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf /usr/local/*\n", "line 3 removes", id="all above"),
        pytest.param(f"{RUST}{FETCH}RUN rm -rf /*\n", "line 3 removes", id="everything"),
        pytest.param(
            f"{RUST}{FETCH}RUN cd / && rm -rf usr\n", "line 3 removes", id="a relative path"
        ),
        pytest.param(
            f"{RUST}{OWN.replace('/c', '/root/.cargo')}{OWN_FETCH.replace('/c/', '/root/.cargo/')}"
            "RUN rm -rf ~/.cargo\n",
            "line 4 removes",
            id="in the home",
        ),
        pytest.param(
            f"{RUST}{OWN.replace('/c', '/root/.cargo')}{OWN_FETCH.replace('/c/', '/root/.cargo/')}"
            "RUN rm -rf ~\n",
            "line 4 removes",
            id="the home",
        ),
        pytest.param(f"{RUST}{FETCH}RUN cargo cache -a\n", "line 3 removes", id="cargo cache"),
        pytest.param(
            f"{RUST}{REGISTRY}cargo fetch && rm -rf $CARGO_HOME\n", "line 2 removes", id="at once"
        ),
        pytest.param(
            f"FROM rust AS a\n{FETCH}FROM a\nRUN cd / && rm -r $CARGO_HOME\n",
            "line 4 removes",
            id="in a stage that is built on it",
        ),
        pytest.param(
            f"{RUST}{FETCH}COPY --from=rust /usr/local /usr/local\n", "line 3 copies", id="copied"
        ),
        pytest.param(
            f"{RUST}{FETCH}COPY --from=rust /x /usr/local/cargo\n", "line 3 copies", id="over it"
        ),
        pytest.param(
            f'{RUST}{FETCH}COPY --from=rust ["/usr/local", "/usr/local/"]\n',
            "line 3 copies",
            id="in exec form",
        ),
        pytest.param(
            f"{RUST}{FETCH}COPY --from=rust /x /usr/local /usr/\n", "line 3 copies", id="one of two"
        ),
    ],
)
def test_the_lock_cannot_be_linked(text: str, reason: str) -> None:
    before = filled(text, LOCKED)
    result = migrated(before)
    assert result == before
    decided = dict(zip(result.codes, result.reasons, strict=True))
    assert {code for code in result.codes if code != "MC207"} == {"MC211"}
    assert decided["MC211"].startswith("stays locked, Cargo's lock cannot be linked into it: ")
    assert reason in decided["MC211"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{PRIVATE}USER root\n{OWN_FETCH}", id="USER says so"),
        pytest.param(f"{PRIVATE}RUN apt-get install -y git\n{OWN_FETCH}", id="root installs"),
        pytest.param(f"{PRIVATE}RUN useradd app\n{OWN_FETCH}", id="root adds a user"),
        pytest.param(f"{PRIVATE}RUN apk add git\n{OWN_FETCH}", id="root adds a package"),
        pytest.param(f"{PRIVATE}{OWN_FETCH.replace('cargo', 'dnf update && cargo')}", id="at once"),
        pytest.param(
            f"FROM example.com/rust AS a\nRUN apt update\nFROM a\n{OWN}{OWN_FETCH}",
            id="in the stage that it is built FROM",
        ),
        pytest.param(
            "FROM debian\nUSER app\nRUN curl https://sh.rustup.rs | sh\n"
            "RUN --mount=type=cache,target=/home/app/.cargo/registry<> cargo fetch\n",
            id="a user who ran the installer",
        ),
        pytest.param(
            "FROM debian\nUSER app\nRUN true\nRUN ./rustup-init -y\n"
            "RUN --mount=type=cache,target=/home/app/.cargo/registry<> cargo fetch\n",
            id="under its other name",
        ),
        pytest.param(
            "FROM debian\nUSER app\nRUN rustup default stable\n"
            "RUN --mount=type=cache,target=/home/app/.cargo/registry<> cargo fetch\n",
            id="a user who ran rustup",
        ),
    ],
)
def test_who_may_write(text: str) -> None:
    text = text.replace("USER app\n", "USER app\nENV CARGO_HOME=/home/app/.cargo\n")
    result = migrated(filled(text, LOCKED))
    assert result.codes == ["MC101"]
    assert "ln -sf registry/.package-cache" in result["Dockerfile"]


@pytest.mark.parametrize(
    "command",
    [
        *(f"{tool} {step} x" for tool in ("apt-get", "apt") for step in ("install", "update")),
        *(
            f"{tool} {step} x"
            for tool in ("dnf", "yum", "microdnf")
            for step in ("install", "update")
        ),
        *(f"{tool} upgrade x" for tool in ("apt-get", "apt", "apk", "dnf", "yum", "microdnf")),
        *(f"apk {step} x" for step in ("add", "update")),
        *(f"zypper {step} x" for step in ("install", "in", "update")),
        *(f"pacman {step} x" for step in ("-S", "-Sy", "-Syu", "-Syyu")),
        *(f"{tool} x" for tool in ("useradd", "adduser", "groupadd", "addgroup")),
    ],
)
def test_what_only_root_can_do(command: str) -> None:
    text = f"{PRIVATE}RUN {command}\n{OWN_FETCH}"
    assert migrated(filled(text, LOCKED)).codes == ["MC101"]


@pytest.mark.parametrize(
    "run",
    [
        pytest.param("echo rustup", id="a word"),
        pytest.param("curl sh.rustup.rs", id="the installer is not run"),
        pytest.param("./rustup-init.sh", id="it may be"),
    ],
)
def test_the_run_itself_proves_nothing(run: str) -> None:
    home = "/home/app/.cargo"
    text = f"FROM debian\nUSER app\nENV CARGO_HOME={home}\n"
    text += f"RUN --mount=type=cache,target={home}/registry<> {run} && cargo fetch\n"
    result = migrated(filled(text, LOCKED))
    assert result.codes == ["MC211"]


def test_a_directory_of_cargo_that_the_configuration_names() -> None:
    known = {"target": "/c/downloads", "kind": "cargo-subdir", "tools": ["cargo"]}
    text = filled(f"{RUST}RUN --mount=type=cache,target=/c/downloads<> cargo fetch\n", LOCKED)
    result = migrated(text, caches=(known,))
    assert result == text
    assert result.codes == ["MC211"]
    assert "mounts /c/downloads without /c/registry" in result.reasons[0]


def test_a_build_that_chooses_the_base_image() -> None:
    text = filled(f"ARG IMAGE=rust\nFROM $IMAGE\n{FETCH}", LOCKED)
    compose = "services: {a: {build: {context: ., args: {IMAGE: %s}}}}"
    result = migrated(text, build_files={"compose.yaml": compose % "example.com/rust"})
    assert result == text
    assert result.codes == ["MC211"]
    assert "a build decides which base image it is" in result.reasons[0]


def test_a_build_that_chooses_the_tag() -> None:
    text = filled(f"ARG TAG=1\nFROM rust:$TAG\n{FETCH}", LOCKED)
    compose = "services: {a: {build: {context: ., args: {TAG: 2}}}}"
    assert migrated(text, build_files={"compose.yaml": compose}).codes == ["MC101"]


def test_a_build_that_chooses_something_else() -> None:
    text = filled(f"ARG IMAGE=rust\nFROM $IMAGE\nARG X\n{FETCH}", LOCKED)
    compose = "services: {a: {build: {context: ., args: {X: y}}}}"
    assert migrated(text, build_files={"compose.yaml": compose}).codes == ["MC101"]


# -- caches that hang together --------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", [pytest.param("", id="by default"), pytest.param("sharing=shared", id="written")]
)
def test_a_cache_that_is_shared_already_is_at_a_risk(mode: str) -> None:
    text = filled(f"{RUST}USER app\n{FETCH}", mode)
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC211"]
    assert result.reasons[0].startswith("shared without Cargo's lock, so cold parallel builds")


def test_the_caches_of_one_run_stay_locked_together() -> None:
    text = filled(f"{RUST}{REGISTRY}{GIT[4:]}cargo b\n{GIT}cargo fetch\n", LOCKED)
    result = migrated(text)
    assert result == text
    assert result.codes == ["MC211"] * 3
    assert all("Dockerfile:3 mounts /usr/local/cargo/git without" in r for r in result.reasons)


def test_caches_that_no_run_mounts_together_are_judged_alone() -> None:
    text = f"{RUST}{FETCH}{GIT}cargo fetch\n"
    result = migrated(filled(text, LOCKED))
    assert result.codes == ["MC101", "MC211"]


def test_a_chain_of_caches_stays_locked_together() -> None:
    run = (
        "RUN --mount=type=cache,id={},target=/usr/local/cargo/registry<> "
        "--mount=type=cache,id={},target=/usr/local/cargo/git<> cargo fetch\n"
    )
    text = RUST + run.format("a", "b") + run.format("c", "b") + run.format("c", "d")
    result = migrated(filled(text, LOCKED))
    assert result.codes == ["MC211"] * 6
    assert all("the lock would lie in different caches (a, c)" in r for r in result.reasons)


def test_locks_in_different_caches_do_not_count() -> None:
    stage = (
        f"{RUST}{OWN}RUN --mount=type=cache,id=%s,target=/c "
        "--mount=type=cache,id=registry,target=/c/registry,sharing=locked cargo fetch\n"
    )
    text = stage % "one" + stage % "two"
    result = migrated(text)
    assert result == text
    assert result.codes.count("MC211") == 2
    assert "different caches (one, two)" in result.reasons[result.codes.index("MC211")]


def test_a_cargo_home_that_cannot_be_written() -> None:
    text = (
        f"{RUST}{OWN}RUN --mount=type=cache,target=/c,ro "
        "--mount=type=cache,target=/c/registry,sharing=locked cargo fetch\n"
    )
    result = migrated(text)
    assert result == text
    assert "mounts /c read-only" in result.reasons[1]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        pytest.param("uv sync", "MC202", id="another tool"),
        pytest.param("cp -r /x /y", "MC211", id="a copy"),
    ],
)
def test_an_id_that_stands_for_another_directory_too(second: str, code: str) -> None:
    text = (
        f"{RUST}RUN --mount=type=cache,id=c,target=/usr/local/cargo/registry<> cargo fetch\n"
        f"RUN --mount=type=cache,id=c,target=/x<> {second}\n"
    )
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, LOCKED)
    assert result.codes == [code, code]


def test_an_id_that_stands_for_another_directory_too_without_the_lock() -> None:
    text = (
        f"{RUST}RUN --mount=type=cache,id=c,target=/usr/local/cargo/registry<> cargo fetch\n"
        "RUN --mount=type=cache,id=c,target=/x<> cp -r /x /y\n"
    )
    result = migrated(filled(text, LOCKED), cargo_lock=False)
    assert result.codes == ["MC211", "MC211"]
    assert "Dockerfile:3 uses the same id for another directory" in result.reasons[0]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        pytest.param(f"ONBUILD {FETCH}", "ONBUILD", id="ONBUILD"),
        pytest.param(f"# migrate-cache: ignore[MC104] x\n{FETCH}", "comment in line 2", id="here"),
    ],
)
def test_one_mount_that_cannot_have_the_link_holds_the_others_back(first: str, reason: str) -> None:
    text = filled(f"{RUST}{first}{BUILD}", LOCKED)
    result = migrated(text)
    assert result == text
    assert result.codes[1] == "MC211"
    assert reason in result.reasons[1]


def test_the_first_run_of_the_chain_decides() -> None:
    text = f"FROM rust AS a\n# migrate-cache: ignore[MC104]\n{REGISTRY.replace('<>', ',id=x<>')}"
    text += f"cargo fetch\nFROM a\n{BUILD}"
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, LOCKED)
    assert result.codes == ["MC211", "MC211"]


def test_the_first_run_of_the_chain_must_be_cargos_too() -> None:
    text = (
        f"FROM example.com/rust\nUSER root\n{REGISTRY.replace('<>', ',id=x<>')}cargo fetch\n"
        f"ENV CARGO_HOME=/usr/local/cargo\n{BUILD}"
    )
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, LOCKED)
    assert result.codes == ["MC211", "MC211"]
    assert all("does not tell whether" in reason for reason in result.reasons)


def test_a_file_that_must_not_change_holds_the_others_back() -> None:
    files = filled({"a": f"{RUST}{FETCH}", "b": f"{RUST}{BUILD}"}, LOCKED)
    result = migrated(files, overrides=(Override(("b",), skip=True),))
    assert result == files
    assert result.codes == ["MC211", "MC211"]
    assert "b:2: the configuration skips this file" in result.reasons[0]


def test_a_file_that_cannot_be_read_holds_the_others_back() -> None:
    text = filled(f"{RUST}{FETCH}", LOCKED)
    broken = "RUN --mount=type=cache,target=/usr/local/cargo/registry <<EOF\n"
    result = migrate({"a": text, "b": f"{RUST}{broken}"})
    assert result.files[0].after == text
    assert [outcome.rule for outcome in result.mounts] == ["MC211"]
    assert "b cannot be read" in result.mounts[0].reason


def test_a_link_that_is_there_helps_a_user_who_could_not_make_it() -> None:
    text = (
        f"FROM rust AS a\nRUN ln -s registry/.package-cache $CARGO_HOME/\nFROM a\nUSER app\n{FETCH}"
    )
    result = migrated(filled(text, LOCKED))
    assert result == filled(text, "sharing=shared")
