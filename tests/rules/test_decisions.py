"""What becomes of each cache mount, and why: the outcomes of small projects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_cache.files.discovery import is_dockerfile
from migrate_cache.plan.api import migrate
from migrate_cache.settings import Override, Settings
from tests.projects import check_one_outcome_per_mount

if TYPE_CHECKING:
    from migrate_cache.plan.model import ProjectResult

FIXTURES = Path(__file__).parents[2] / "fixtures"
REGISTRY = "--mount=type=cache,target=/usr/local/cargo/registry,sharing=locked"
GIT = "--mount=type=cache,target=/usr/local/cargo/git,sharing=locked"
TARGET = "--mount=type=cache,target=/build/target,sharing=locked"
RUST = "FROM rust:1.90\nWORKDIR /build\n"
BUILD = f"RUN {TARGET} cargo build --release\n"
KEPT = "MC102 /build/target locked"
OWN = "MC102 target-shop -"


def outcomes(result: ProjectResult) -> list[str]:
    """Rule, id and mode of each mount after the plan, ``-`` for no mode."""
    return [f"{o.rule} {o.id_after} {o.sharing_after or '-'}" for o in result.outcomes]


def notes(result: ProjectResult) -> list[tuple[str, int]]:
    return [(note.rule, note.line) for file in result.files for note in file.notes]


def linked(result: ProjectResult) -> int:
    return sum(change.rule == "MC104" for file in result.files for change in file.changes)


# -- outputs: a RUN that depends on what another one left ---------------------------------------


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("cp target/release/api /out/", KEPT),
        ("mv target/release/api /out/", KEPT),
        ("install -D target/release/api /out/api", KEPT),
        ("ln -f target/release/api /out/api", KEPT),
        ("tar -cf /api.tar -C target release", KEPT),
        ("rsync -a target/ /out/", KEPT),
        ("sh -c 'cp target/release/api /out/'", KEPT),
        ("cd target/release && find . -name api -exec cp {} /out ;", KEPT),
        ("./scripts/package.sh", KEPT),
        ("make dist", KEPT),
        ("cargo metadata && cp -r target /out", KEPT),
        ("cargo generate-rpm", KEPT),
        ("cargo deb --no-build", KEPT),
        ("cargo build --release --bin tool && cp target/release/api /out/", KEPT),
        ("cargo build && cp target/release/api /out/", KEPT),
        ("cargo test && ./target/release/api --version", KEPT),
        ("cargo test && ./scripts/check.sh", KEPT),
        ("pip install target/wheels/api.whl", KEPT),
        ("cargo build --release && cp target/release/api /out/", OWN),
        ("cargo build --release && cp $CARGO_TARGET_DIR/release/api /out/", OWN),
        ("cargo build --release --target x86_64-unknown-linux-musl "
         "&& cp target/x86_64-unknown-linux-musl/release/api /out/", OWN),
        ("cargo test", OWN),
        ("cargo metadata --format-version 1", OWN),
        ("cargo install --path . --root /out", OWN),
    ],
)  # fmt: skip
def test_a_second_run_that_reads_keeps_the_id(second: str, expected: str) -> None:
    result = migrate({"Dockerfile": RUST + BUILD + f"RUN {TARGET} {second}\n"}, root_name="shop")
    assert outcomes(result) == [expected, expected]


@pytest.mark.parametrize(
    ("image", "directory", "runs", "kept"),
    [
        ("gcc:15", "/src/build", ("cmake -B build", "cmake --build build"), True),
        ("gcc:15", "/src/build", ("cmake -B build", "cmake -B build && ninja -C build"), False),
        ("gcc:15", "/src/builddir", ("meson setup builddir", "meson compile -C builddir"), True),
        ("dotnet", "/src/obj", ("dotnet restore", "dotnet publish --no-restore"), True),
        ("dotnet", "/src/obj", ("dotnet build", "dotnet test --no-build"), True),
        ("dotnet", "/src/obj", ("dotnet restore", "dotnet publish"), False),
        ("elixir", "/src/deps", ("mix deps.get", "mix compile"), True),
        ("elixir", "/src/_build", ("mix compile", "mix release --no-compile"), True),
        ("elixir", "/src/_build", ("mix deps.compile", "mix release"), False),
        ("swift", "/src/.build", ("swift build", "swift test --skip-build"), True),
        ("maven", "/src/target", ("mvn package", "mvn spring-boot:repackage"), True),
        ("maven", "/src/target", ("mvn compile", "mvn package"), False),
        ("gradle", "/src/build", ("gradle build", "gradle jar -x compileJava"), True),
        ("gradle", "/src/build", ("gradle build", "cp build/libs/api.jar /"), True),
        ("node:24", "/src/.next", ("npx next build", "npx next export"), True),
        ("debian", "/root/.cache/bazel", ("bazel build //api", "cp -L bazel-bin/api /"), True),
    ],
)
def test_steps_of_one_tool(image: str, directory: str, runs: tuple[str, str], kept: bool) -> None:
    mount = f"--mount=type=cache,target={directory},sharing=locked"
    lines = "".join(f"RUN {mount} {run}\n" for run in runs)
    image = "mcr.microsoft.com/dotnet/sdk:9.0" if image == "dotnet" else image
    result = migrate({"Dockerfile": f"FROM {image}\nWORKDIR /src\n{lines}"}, root_name="shop")
    assert [o.changed for o in result.outcomes] == [not kept, not kept]
    # Tools that do not lock their own directory keep the lock beside a new id.
    assert {o.sharing_after for o in result.outcomes} == {"locked"}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (f"{RUST}RUN {TARGET} cp target/release/api /api\n", [KEPT, KEPT]),
        (f"{RUST}RUN {TARGET} ./package.sh\n", [KEPT, KEPT]),
        # A script that is called a build is one, of another service.
        (f"{RUST}RUN {TARGET} ./build.sh\n", [OWN, "MC102 target-other locked"]),
        (f"{RUST}RUN {TARGET} make\n", [OWN, "MC102 target-other locked"]),
        (f"{RUST}RUN {TARGET},readonly cargo build --release\n", [KEPT, KEPT]),
        # It cannot be read, but it names the directory.
        (f"{RUST}RUN {TARGET} <<EOF\ncp target/release/api /api\n", [KEPT]),
        # Another owner: another cache.
        (f"{RUST}RUN {TARGET},uid=1000 cp target/release/api /api\n", [OWN, KEPT]),
    ],
)
def test_another_file_that_reads_keeps_the_id(other: str, expected: list[str]) -> None:
    files = {"Dockerfile": RUST + BUILD, "other.Dockerfile": other}
    assert outcomes(migrate(files, root_name="shop")) == expected


def test_a_new_id_is_safe_where_the_plan_makes_the_compile_run_again() -> None:
    text = f"{RUST}RUN {REGISTRY} {TARGET} cargo build\nRUN {TARGET} cp target/debug/api /\n"
    result = migrate({"Dockerfile": text}, root_name="shop")
    assert outcomes(result)[1:] == [OWN, OWN]
    # Without the link nothing but `id` and `sharing` would change, and the registry's mode
    # does: `sharing=shared` without an id is the pure default.
    result = migrate({"Dockerfile": text}, Settings(cargo_lock=False), root_name="shop")
    assert outcomes(result)[1:] == [OWN, OWN]
    result = migrate({"Dockerfile": text}, Settings(ignore=("MC101", "MC104")), root_name="shop")
    assert outcomes(result)[1:] == [KEPT, KEPT]


def test_an_existing_id_with_a_reader_keeps_its_lock() -> None:
    mount = "--mount=type=cache,id=api,target=/build/target,sharing=locked"
    reading = f"RUN {mount} cp target/debug/api /\n"
    result = migrate({"Dockerfile": f"{RUST}RUN {mount} cargo build\n{reading}"}, root_name="shop")
    assert outcomes(result) == ["MC103 api locked"] * 2
    result = migrate(
        {"Dockerfile": f"{RUST}RUN {REGISTRY} {mount} cargo build\n{reading}"}, root_name="shop"
    )
    assert outcomes(result)[1:] == ["MC103 api -"] * 2


# -- modes --------------------------------------------------------------------------------------

NPM = "RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci\n"
SCRIPT = NPM.replace("/root/.npm", "/x,id=/root/.npm").replace("npm ci", "<<EOF\n#!/bin/x\nEOF")


@pytest.mark.parametrize(
    ("first", "second", "expected", "warned"),
    [
        # The mount that is held back is quiet; the others say who holds them.
        (NPM, "# migrate-cache: ignore[MC101] slow\n" + NPM, ["MC203", "MC101"], [("MC203", 2)]),
        (NPM, "ONBUILD " + NPM, ["MC203", "MC209"], [("MC203", 2), ("MC209", 2)]),
        (NPM, NPM.replace("locked", "private"), ["MC203", "MC207"],
         [("MC203", 2), ("MC203", 2), ("MC207", 2)]),
        (NPM, NPM.replace("locked", "locked,sharing=locked"), ["MC203", "MC209"],
         [("MC203", 2), ("MC209", 2)]),
        (NPM, NPM.replace("locked", "$MODE"), ["MC203", "MC209"], None),
        (NPM, NPM.replace("npm ci", "cp -r /root/.npm /x"), ["MC101", "MC101"], []),
        # What a script does cannot be told, though it names nothing but files.
        (NPM, SCRIPT, ["MC202", "MC202"], None),
        (NPM, NPM.replace("locked", "shared"), ["MC101", "MC101"], []),
        (NPM, NPM.replace("locked", "locked,uid=1000,sharing=private"), ["MC101", "MC209"], None),
    ],
)  # fmt: skip
def test_one_cache_has_one_mode(
    first: str, second: str, expected: list[str], warned: list[tuple[str, int]] | None
) -> None:
    files = {"a.Dockerfile": "FROM node:24\n" + first, "b.Dockerfile": "FROM node:24\n" + second}
    result = migrate(files)
    assert [o.rule for o in result.outcomes] == expected
    if warned is not None:
        assert sorted(notes(result)) == warned


@pytest.mark.parametrize(
    ("mount", "command", "rule"),
    [
        ("target=/var/cache/apt,sharing=locked", "apt-get update", "MC201"),
        ("target=/var/cache/apt", "apt-get update", "MC213"),
        ("target=/srv/things,sharing=locked", "make-things", "MC202"),
        ("target=/root/.npm,sharing=private", "npm ci", "MC207"),
        ("target=$WHERE,sharing=locked", "npm ci", "MC209"),
        ("target=/root/.npm,sharing=locke", "npm ci", "MC210"),
    ],
)
def test_what_is_left_alone_has_a_note(mount: str, command: str, rule: str) -> None:
    text = f"FROM node:24\nARG WHERE\nRUN --mount=type=cache,{mount} {command}\n"
    result = migrate({"Dockerfile": text})
    (outcome,) = result.outcomes
    assert (outcome.rule, outcome.changed) == (rule, False)
    assert rule in {code for code, _ in notes(result)}


def test_a_single_lock_that_keeps_a_run_serial_is_named() -> None:
    apt = "--mount=type=cache,target=/var/cache/apt,sharing=locked"
    npm = "--mount=type=cache,target=/root/.npm,sharing=locked"
    text = f"FROM node:24\nRUN {apt} {npm} apt-get update && npm ci\n"
    result = migrate({"Dockerfile": text})
    assert "this lock alone still makes parallel builds" in result.outcomes[0].reason


# -- ids that meet ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("id=go-${ARCH}", "id=go-amd64", True),
        ("id=go-${ARCH}", "id=go-${PLATFORM}", True),
        ("id=go-${ARCH}", "id=modules", False),
        ("id=go,mode=0755", "id=go,mode=755", True),
        ("id=go,uid=0", "id=go,gid=0", True),
        ("id=go,uid=0", "id=go", False),
        ("id=/go/pkg/mod", "readonly=false", True),
        ("id=go", "id=go,from=seed", False),
    ],
)
def test_caches_that_may_be_one_change_together(first: str, second: str, together: bool) -> None:
    held = Override(files=("b.Dockerfile",), skip=True)
    head = "FROM golang\nARG ARCH\nARG PLATFORM\n"
    files = {
        f"{name}.Dockerfile": f"{head}RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked,"
        f"{options} go build\n"
        for name, options in (("a", first), ("b", second))
    }
    result = migrate(files, Settings(overrides=(held,)))
    assert result.outcomes[0].changed is not together


def test_an_id_that_a_build_changes_meets_what_it_becomes() -> None:
    compose = b"services:\n  web:\n    build: {context: ., args: {KIND: web}}\n"
    files = {
        "Dockerfile": "FROM golang\nARG KIND=api\n"
        "RUN --mount=type=cache,id=go-$KIND,target=/go/pkg/mod,sharing=locked go build\n",
        "other.Dockerfile": "FROM golang\n"
        "RUN --mount=type=cache,id=go-web,target=/go/pkg/mod,sharing=locked go build\n",
    }
    held = Settings(overrides=(Override(files=("other.Dockerfile",), skip=True),))
    result = migrate(files, held, build_files={"compose.yaml": compose})
    assert not any(o.changed for o in result.outcomes)


# -- the lock of a build output -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        (RUST + BUILD, Settings(), OWN),
        (RUST + BUILD, Settings(keep_lock=True), "MC102 target-shop locked"),
        (f"{RUST}RUN {TARGET} make\n", Settings(), "MC102 target-shop locked"),
        (f"FROM debian\nWORKDIR /build\nRUN {TARGET} ./build.sh\n", Settings(),
         "MC102 target-shop locked"),
        (f"{RUST}ARG TARGETARCH\n{BUILD}", Settings(), "MC102 target-shop-${TARGETARCH} -"),
        # It is used after the RUN: in the id it would expand to nothing.
        (f"{RUST}{BUILD}ARG TARGETARCH\nRUN echo $TARGETARCH\n", Settings(),
         "MC102 target-shop locked"),
        (f"{RUST}ARG TARGETARCH\nRUN {TARGET} make\n", Settings(),
         "MC102 target-shop-${TARGETARCH} locked"),
    ],
)  # fmt: skip
def test_the_lock_beside_a_new_id(text: str, settings: Settings, expected: str) -> None:
    assert outcomes(migrate({"Dockerfile": text}, settings, root_name="shop")) == [expected]


# -- Cargo's lock -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"FROM rust\nUSER app\nRUN {REGISTRY} cargo fetch\n", "user app may not be allowed"),
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nUSER app\nRUN {REGISTRY} cargo build\n",
         "different users (app, root)"),
        (f'FROM rust\nSHELL ["pwsh", "-Command"]\nRUN {REGISTRY} cargo fetch\n', "POSIX shell"),
        (f'FROM rust\nRUN {REGISTRY} ["cargo", "fetch"]\n', "has a shell"),
        (f"FROM example.com/rust\nRUN {REGISTRY} cargo fetch\n", "is CARGO_HOME"),
        ("FROM example.com/rust\nENV CARGO_HOME=/c\nRUN sudo apt-get install -y git\n"
         "RUN --mount=type=cache,target=/c/registry,sharing=locked cargo fetch\n",
         "may write /c"),
        (f"FROM rust\nRUN {GIT} cargo fetch\n", "without /usr/local/cargo/registry"),
        (f"FROM rust\nRUN {REGISTRY},ro cargo fetch --offline\n", "read-only"),
        (f"FROM rust\nONBUILD RUN {REGISTRY} cargo build\nRUN {REGISTRY} cargo fetch\n",
         "ONBUILD"),
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nRUN rm -rf /usr/local/cargo/registry\n",
         "line 3 removes"),
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nRUN rm -rf ${{CARGO_HOME}}/{{registry,git}}\n",
         "line 3 removes"),
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nRUN rm -rf /usr/local/cargo/*\n",
         "line 3 removes"),
        (f"FROM rust AS a\nRUN {REGISTRY} cargo fetch\nFROM a\nRUN cd / && rm -r $CARGO_HOME\n",
         "line 4 removes"),
        (f"FROM rust AS a\nRUN {REGISTRY} cargo fetch\nCOPY --from=rust /usr/local /usr/local\n",
         "line 3 copies"),
        ("FROM rust\nENV CARGO_HOME=/c\nRUN --mount=type=tmpfs,target=/c "
         "--mount=type=cache,target=/c/registry,sharing=locked cargo fetch\n", "hides"),
        ("FROM rust\nENV CARGO_HOME=/c\nRUN --mount=type=cache,target=/c,sharing=private "
         "--mount=type=cache,target=/c/registry,sharing=locked cargo fetch\n", "hides"),
    ],
)  # fmt: skip
def test_the_lock_cannot_be_linked(text: str, reason: str) -> None:
    result = migrate({"Dockerfile": text})
    cargo = [o for o in result.outcomes if o.kind == "cargo-subdir" and o.rule != "MC209"]
    assert {o.rule for o in cargo} == {"MC211"}
    assert {o.sharing_after for o in cargo} == {"locked"}
    assert all(reason in o.reason for o in cargo)
    assert not linked(result)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nRUN {REGISTRY} cargo build\n", 1),
        (f"FROM rust AS a\nRUN {REGISTRY} cargo fetch\nFROM a\nRUN {REGISTRY} cargo build\n", 1),
        (f"FROM rust AS a\nRUN {REGISTRY} cargo fetch\nFROM rust\nRUN {REGISTRY} cargo build\n", 2),
        # Another user with a cache of its own: root makes the links, it writes behind them.
        (f"FROM rust\nRUN {REGISTRY} cargo fetch\nUSER app\nRUN {REGISTRY},uid=9 cargo build\n", 1),
        (f"FROM rust\nRUN rm -rf $CARGO_HOME/registry\nRUN {REGISTRY} cargo fetch\n", 1),
        (f"FROM rust\nRUN {REGISTRY} cargo fetch && rm -rf $CARGO_HOME/registry/src\n", 1),
        (f"FROM rust\nRUN ln -s registry/.package-cache $CARGO_HOME/\nRUN {REGISTRY} cargo b\n", 0),
        ("FROM rust\nENV CARGO_HOME=/c\nRUN --mount=type=cache,target=/c "
         "--mount=type=cache,target=/c/registry,sharing=locked cargo fetch\n", 0),
        ("FROM debian\nRUN curl sh.rustup.rs | sh\nRUN --mount=type=cache,target=/root "
         "--mount=type=cache,target=/root/.cargo/registry,sharing=locked cargo fetch\n", 0),
        ("FROM rust\nRUN --mount=type=cache,id=c,target=/usr/local/cargo/registry,sharing=locked "
         "--mount=type=cache,id=c,target=/usr/local/cargo/git,sharing=locked cargo fetch\n", 1),
    ],
)  # fmt: skip
def test_the_lock_is_linked_once_where_it_is_needed(text: str, links: int) -> None:
    result = migrate({"Dockerfile": text})
    assert linked(result) == links
    assert {o.sharing_after for o in result.outcomes} <= {"shared", ""}


def test_locks_in_different_caches_do_not_count() -> None:
    stage = (
        "FROM rust\nENV CARGO_HOME=/c\nRUN --mount=type=cache,id={},target=/c "
        "--mount=type=cache,id=registry,target=/c/registry,sharing=locked cargo fetch\n"
    )
    result = migrate({"Dockerfile": stage.format("one") + stage.format("two")})
    assert [o.rule for o in result.outcomes if o.id_before == "registry"] == ["MC211"] * 2


def test_no_link_where_the_mounts_stay_locked() -> None:
    text = f"FROM rust\n# migrate-cache: ignore[MC101] slow disk\nRUN {REGISTRY} cargo fetch\n"
    assert not linked(migrate({"Dockerfile": text}))


def test_without_the_link_the_hazard_is_reported() -> None:
    shared = REGISTRY.replace(",sharing=locked", "")
    result = migrate(
        {"a.Dockerfile": f"FROM rust\nRUN {REGISTRY} cargo fetch\n",
         "b.Dockerfile": f"FROM rust\nRUN {shared} cargo fetch\n"},
        Settings(cargo_lock=False),
    )  # fmt: skip
    assert outcomes(result)[0].endswith("shared")
    assert notes(result) == [("MC211", 2), ("MC211", 2)]
    assert not linked(result)


# -- fresh ids ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (["id=m,sharing=locked go mod download"], ["m-shop"]),
        (["sharing=locked go mod download"], ["go-mod-shop"]),
        (["id=shop-m,sharing=locked go mod download"], ["shop-m"]),
        (["id=m go mod download"], ["m"]),
        (["id=s/1-m,sharing=locked go mod download"], ["s/1-m"]),
        (["id=m,sharing=locked go mod download", "id=m,ro cp -r /go/pkg/mod /x"], ["m", "m"]),
        (["id=m,sharing=locked go mod download", "id=m GOPROXY=off go build"], ["m", "m"]),
        (["id=m,sharing=locked go mod download", "id=m go build"], ["m-shop", "m-shop"]),
        (["id=m-$A,sharing=locked go build", "id=m-x,sharing=locked go build"],
         ["m-$A-shop", "m-x-shop"]),
    ],
)  # fmt: skip
def test_fresh_ids(runs: list[str], expected: list[str]) -> None:
    lines = "".join(f"RUN --mount=type=cache,target=/go/pkg/mod,{run}\n" for run in runs)
    text = f"FROM golang\nARG A\n{lines}"
    result = migrate({"Dockerfile": text}, Settings(fresh_ids=True), root_name="shop")
    assert [o.id_after for o in result.outcomes] == expected
    assert not any(o.sharing_after == "locked" for o in result.outcomes)


# -- what is copied out of a mount --------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("COPY --from=builder /build/target/release/api /api", True),
        ("COPY --from=0 build/target/release/api /api", True),
        ('COPY --from=builder ["/build/target/release/api", "/api"]', True),
        ("RUN --mount=type=bind,from=builder,source=/build/target/release,target=/r ls /r", True),
        ("COPY --from=builder /usr/local/bin/api /api", False),
        ("COPY --from=builder /build/targets /targets", False),
        ("COPY --from=elsewhere /build/target/release/api /api", False),
    ],
)
def test_copying_from_a_mount_in_another_stage(line: str, warned: bool) -> None:
    text = f"FROM rust AS builder\nWORKDIR /build\n{BUILD}FROM debian\n{line}\n"
    assert (("MC212", 5) in notes(migrate({"Dockerfile": text}))) is warned


def test_a_directory_that_is_filled_without_the_mount_too_is_in_the_image() -> None:
    text = (
        f"FROM rust AS builder\nWORKDIR /build\n{BUILD}RUN cargo build --release\n"
        "FROM debian\nCOPY --from=builder /build/target/release/api /api\n"
    )
    assert not notes(migrate({"Dockerfile": text}, root_name="shop"))


# -- nothing silent -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted(path.name for path in FIXTURES.iterdir()))
def test_every_mount_has_one_outcome(case: str) -> None:
    folder = FIXTURES / case / "before"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and is_dockerfile(path.name)
    }
    check_one_outcome_per_mount(files, migrate(files, root_name="shop"))
