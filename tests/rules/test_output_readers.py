"""RUNs that need what another RUN put into a build output: the cache keeps its id (MC102)."""

from __future__ import annotations

import pytest

from migrate_cache.testing import Migrated, migrated
from tests.rules.mounts import LOCKED, filled

RUST = "FROM rust:1.95\nWORKDIR /b\n"
MOUNT = "RUN --mount=type=cache,target=/b/target<> "
REGISTRY = "RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked "


def check_kept(result: Migrated, kept: bool) -> None:
    """Assert that all mounts kept their ids, or that all got new ones."""
    changed = ["id=" in line for line in result["Dockerfile"].split("\n") if "mount" in line]
    assert changed == [not kept] * len(changed)
    assert all(("reads" in reason) is kept for reason in result.reasons)


# -- a RUN that does not compile ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ("cp target/release/api /out/", True),
        ("mv target/release/api /out/", True),
        ("install -D target/release/api /out/api", True),
        ("ln -f target/release/api /out/api", True),
        ("tar -cf /api.tar -C target release", True),
        ("rsync -a target/ /out/", True),
        ("sh -c 'cp target/release/api /out/'", True),
        ("cd target/release && find . -name api -exec cp {} /out ;", True),
        ("target/release/api --version", True),
        ("ls", True),
        ("./scripts/package.sh", True),
        ("make dist", True),
        ("cargo metadata && ./scripts/package.sh", True),
        ("pip install target/wheels/api.whl", True),
        ("cargo metadata && cp -r target /out", True),
        ("cargo metadata && cp -r $CARGO_TARGET_DIR/release /out", True),
        ("cargo metadata && /b/target/release/api", True),
        ("cargo metadata && cp -r targets /out", False),
        ("cargo metadata --target-dir target", False),
        ("cargo metadata --format-version 1", False),
        ("cargo fetch", False),
    ],
)
def test_a_second_run_that_does_not_compile(second: str, kept: bool) -> None:
    text = f"{RUST}ENV CARGO_TARGET_DIR=/b/target\n{MOUNT}cargo build --release\n{MOUNT}{second}\n"
    check_kept(migrated(filled(text, LOCKED), root_name="shop"), kept)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("readonly", True),
        ("ro", True),
        ("readonly=true", True),
        ("readonly=TRUE", True),
        ("readonly=1", True),
        ("readonly=false", False),
        ("readonly=0", False),
        ("readwrite=false", True),
        ("rw=true", False),
        ("readwrite", False),
        ("readonly,rw", False),
        ("rw,readonly", True),
    ],
)
def test_a_run_that_cannot_write_reads(options: str, kept: bool) -> None:
    text = (
        f"{RUST}{MOUNT}cargo build\nRUN --mount=type=cache,{options},target=/b/target<> cargo t\n"
    )
    check_kept(migrated(filled(text, LOCKED), root_name="shop"), kept)


@pytest.mark.parametrize(
    ("runs", "kept"),
    [
        pytest.param(["./build.sh"], False, id="a script may do all by itself"),
        pytest.param(["./build.sh", "./pack.sh"], True, id="two scripts may hand over"),
        pytest.param(["cp -r target /out"], True, id="what is read comes from somewhere"),
        pytest.param(["cargo metadata"], False, id="nothing is read"),
        pytest.param(["cargo metadata", "cargo tree"], False, id="twice nothing"),
        pytest.param(["cargo metadata", "./build.sh"], False, id="nothing and a script"),
        pytest.param(["cargo build", "cargo test"], False, id="two that compile"),
    ],
)
def test_runs_of_one_stage(runs: list[str], kept: bool) -> None:
    text = RUST + "".join(f"{MOUNT}{run}\n" for run in runs)
    check_kept(migrated(filled(text, LOCKED), root_name="shop"), kept)


def test_a_reader_in_another_stage() -> None:
    text = f"{RUST}{MOUNT}cargo build\nFROM debian\nWORKDIR /b\n{MOUNT}cp target/debug/api /\n"
    check_kept(migrated(filled(text, LOCKED), root_name="shop"), kept=True)


# -- tools that work in steps ---------------------------------------------------------------------

TOOLS = {
    "cmake": ("gcc:15", "/b/build"),
    "meson": ("gcc:15", "/b/builddir"),
    "dotnet": ("mcr.microsoft.com/dotnet/sdk:9.0", "/b/obj"),
    "deps": ("elixir", "/b/deps"),
    "mix": ("elixir", "/b/_build"),
    "next": ("node:24", "/b/.next"),
    "swift": ("swift", "/b/.build"),
    "mvn": ("maven", "/b/target"),
    "gradle": ("gradle", "/b/build"),
    "bazel": ("debian", "/root/.cache/bazel"),
}


@pytest.mark.parametrize(
    ("tool", "first", "second", "kept"),
    [
        ("cmake", "cmake -B build", "cmake --build build", True),
        ("cmake", "cmake -B build", "cmake --install build", True),
        ("cmake", "cmake -B build", "cmake -B build && cmake --build build", False),
        ("cmake", "cmake -B build", "cmake --version && cmake --build build", True),
        ("cmake", "cmake -B build", "cmake -E echo x && cmake --build build", True),
        ("cmake", "cmake -B build", "cmake -P x.cmake && cmake --build build", True),
        ("cmake", "cmake -B build", "cmake -P x.cmake", False),
        ("cmake", "cmake -B build", "cmake -B build && ninja -C build", False),
        ("cmake", "cmake -B build", "cmake && ninja -C build", True),
        ("cmake", "cmake -B build", "ctest", True),
        ("meson", "meson setup builddir", "meson compile", True),
        ("meson", "meson setup builddir", "meson install", True),
        ("meson", "meson setup builddir", "meson test", True),
        ("meson", "meson setup builddir", "meson dist", True),
        ("meson", "meson setup builddir", "meson configure", True),
        ("meson", "meson setup builddir", "meson introspect", True),
        ("meson", "meson setup builddir", "meson", True),
        ("meson", "meson setup builddir", "meson setup x && meson compile", False),
        ("dotnet", "dotnet restore", "dotnet publish --no-restore", True),
        ("dotnet", "dotnet build", "dotnet test --no-build", True),
        ("dotnet", "dotnet build", "dotnet pack --no-build && dotnet ef x", True),
        ("dotnet", "dotnet build", "dotnet build --no-restore && dotnet test --no-build", True),
        ("dotnet", "dotnet build", "dotnet build && dotnet test --no-build", False),
        ("dotnet", "dotnet build", "dotnet restore && dotnet publish --no-restore", False),
        ("dotnet", "dotnet build", "dotnet publish && dotnet test --no-build", False),
        ("dotnet", "dotnet build", "dotnet test && dotnet pack --no-build", False),
        ("dotnet", "dotnet build", "dotnet pack && dotnet test --no-build", False),
        ("dotnet", "dotnet restore", "dotnet publish", False),
        ("deps", "mix deps.get", "mix compile", True),
        ("deps", "mix deps.get", "mix do deps.get, compile", False),
        ("deps", "mix deps.get", "mix do deps.get + compile", False),
        ("deps", "mix deps.get", "mix setup", False),
        ("deps", "mix deps.get", "mix do compile", True),
        ("mix", "mix compile", "mix release --no-compile", True),
        ("mix", "mix compile", "mix release --no-deps-check", True),
        ("mix", "mix deps.compile", "mix release", False),
        ("next", "npx next build", "npx next export", True),
        ("next", "npx next build", "npx next build && npx next export", False),
        ("next", "npx next build", "npx next telemetry", True),
        ("swift", "swift build", "swift test --skip-build", True),
        ("swift", "swift build", "swift test", False),
        ("mvn", "mvn package", "mvn spring-boot:repackage", True),
        ("mvn", "mvn package", "mvn -q -Dx=y jib:build", True),
        ("mvn", "mvn package", "mvn org.acme:x-plugin:1.0:run@main", True),
        ("mvn", "mvn package", "mvn package jib:build", False),
        ("mvn", "mvn compile", "mvn package", False),
        ("mvn", "mvn compile", "mvn --version", False),
        ("gradle", "gradle build", "gradle jar -x compileJava", True),
        ("gradle", "gradle build", "gradle jar --exclude-task :x:compileKotlin", True),
        ("gradle", "gradle build", "gradle jar -x test", False),
        ("gradle", "gradle build", "gradle compileJava jar", False),
        ("gradle", "gradle build", "cp build/libs/api.jar /", True),
        ("bazel", "bazel build //api", "cp -L bazel-bin/api /", True),
        ("bazel", "bazel build //api", "bazel test //api", False),
    ],
)
def test_steps(tool: str, first: str, second: str, kept: bool) -> None:
    image, directory = TOOLS[tool]
    text = f"FROM {image}\nWORKDIR /b\n" + "".join(
        f"RUN --mount=type=cache,target={directory}<> {run}\n" for run in (first, second)
    )
    result = migrated(filled(text, LOCKED), root_name="shop")
    check_kept(result, kept)
    # These tools do not lock inside the directory: beside a new id the lock stays.
    assert result["Dockerfile"].count("sharing=locked") == 2


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ("cargo generate-rpm", True),
        ("cargo deb --no-build", True),
        ("cargo deb", False),
        ("cargo build --no-build", False),
        ("cargo llvm-cov report", True),
        ("cargo llvm-cov", False),
        ("cargo build --release && cargo generate-rpm", False),
        ("cargo fetch && cargo generate-rpm", True),
        ("cargo && cargo generate-rpm", True),
        ("cargo test", False),
        ("cargo install --path . --root /out", False),
        ("cargo +nightly build", False),
        *(
            (f"cargo generate-rpm && cargo {step}", False)
            for step in (
                *("build", "b", "check", "c", "clippy", "test", "t", "nextest run", "bench"),
                *("r", "rustc", "install x", "zigbuild", "chef cook"),
            )
        ),
    ],
)
def test_cargos_steps(second: str, kept: bool) -> None:
    text = f"{RUST}{MOUNT}cargo build --release\n{MOUNT}{second}\n"
    check_kept(migrated(filled(text, LOCKED), root_name="shop"), kept)


# -- a RUN that compiles one thing and copies another ---------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        # Another profile's result
        ("cargo build --release", "cargo build && cp target/release/api /", True),
        ("cargo build", "cargo build --release && cp target/debug/api /", True),
        ("cargo build --release", "cargo build --release && cp target/release/api /", False),
        ("cargo build -r", "cargo build -r && cp target/release/api /", False),
        ("cargo build -r", "cargo build && cp target/other/api /", False),
        ("cargo build --profile x", "cargo build && cp target/x/api /", True),
        ("cargo build --profile=x", "cargo build && cp target/x/api /", True),
        ("cargo build -r", "cargo build --profile x && cp target/x/api /", False),
        ("cargo build -r", "cargo build --profile dev && cp target/debug/api /", False),
        ("cargo build -r", "cargo build --profile test && cp target/debug/api /", False),
        ("cargo build -r", "cargo build --profile bench && cp target/release/api /", False),
        ("cargo build -r", "cargo bench && cp target/release/api /", False),
        ("cargo build -r", "cargo install --path . && cp target/release/api /", False),
        ("cargo build -r", "cargo test && cp target/release/api /", True),
        ("cargo build -r", "cargo build && cp target/$P/api /", False),
        ("cargo build -r", "cargo build && cp /b/target/release/api /", True),
        ("cargo build -r", "cargo build && cp target/a-b-c/release/api /", True),
        ("cargo build -r", "cargo build -r && cp target/a-b-c/release/api /", False),
        ("cargo build -r", "cargo build && cp target/a-b/release/api /", False),
        ("cargo build -r", "cargo build && cp -r target/release /", False),
        ("cargo build -r", "cargo build && cp target/release/deps/api /", False),
        ("cargo build -r", "cargo build && cp other/release/api /", False),
        ("cargo build -r", "cargo build --config target/release/api", False),
        ("cargo build -r", "cargo build && ./target/release/api", True),
        # Another binary
        ("cargo build --bin api", "cargo build --bin tool && cp target/debug/api /", True),
        ("cargo build --bin api", "cargo build --bin tool && cp target/debug/tool /", False),
        ("cargo build --bin api", "cargo build --bin=tool && cp target/debug/x /", True),
        ("cargo build --bin api", "cargo build --bin tool && cp target/debug/* /", False),
        ("cargo build --bin api", "cargo build --bin tool && cp target/debug/$X /", False),
        ("cargo build --bin api", "cargo build --bin tool && cp target/debug/libapi.so /", False),
        ("cargo build --bin api", "cargo build --bin tool && cp target/$P/api /", True),
        ("cargo build --bin api", "cargo build --bin x --bins && cp target/debug/api /", True),
        ("cargo build --bin api", "cargo build --bins && cp target/debug/api /", False),
        ("cargo build -p api", "cargo build -p web && cp target/debug/api /", True),
        ("cargo build -p api", "cargo build --package web && cp target/debug/api /", True),
        ("cargo build -p api", "cargo build -p web && cp target/debug/other /", False),
        ("cargo build -p api", "cargo build -p web -p api && cp target/debug/api /", False),
        ("cargo build -p api", "cargo build && cp target/debug/api /", False),
        # What cannot be looked into
        ("cargo build", "cargo build && ./pack.sh", False),
        ("cargo build", "cargo build && ./pack.sh && cp target/debug/api /", False),
        ("cargo build", "cargo test && ./pack.sh", True),
        ("cargo build && ./a.sh", "cargo test", False),
        # Cooking is not compiling
        ("cargo chef cook", "cargo build --release && ./pack.sh", False),
        ("cargo chef cook --release", "cargo build && cp target/release/api /", False),
        ("cargo chef cook && cargo build", "cargo test && ./pack.sh", True),
    ],
)
def test_a_run_that_compiles_and_copies(first: str, second: str, kept: bool) -> None:
    text = f"{RUST}ARG P\nARG X\n{MOUNT}{first}\n{MOUNT}{second}\n"
    check_kept(migrated(filled(text, LOCKED), service="api"), kept)


def test_only_earlier_runs_count() -> None:
    text = f"{RUST}{MOUNT}cargo build && cp target/release/api /\n{MOUNT}cargo build --release\n"
    check_kept(migrated(filled(text, LOCKED), service="api"), kept=False)


def test_what_maven_copies_is_its_own() -> None:
    text = "FROM maven\nWORKDIR /b\n"
    text += f"{MOUNT}mvn package\n{MOUNT}mvn package && cp target/x/api /\n"
    check_kept(migrated(filled(text, LOCKED), service="api"), kept=False)


# -- in another file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        pytest.param(f"{MOUNT}cp target/release/api /api", True, id="a copy"),
        pytest.param(f"{MOUNT}./package.sh", True, id="a script"),
        pytest.param(f"{MOUNT}make dist", True, id="a target of make"),
        pytest.param(f"{MOUNT}./rebuild.sh", True, id="a word in a word is no word"),
        pytest.param(f"{MOUNT}./install.sh", True, id="nor is one at its end"),
        pytest.param(f"{MOUNT}./build.sh", False, id="a script that is called a build"),
        pytest.param(f"{MOUNT}./BUILD.sh", False, id="in capitals"),
        pytest.param(f"{MOUNT}./x.sh --release", False, id="an option that says so"),
        pytest.param(f"{MOUNT}make", False, id="make on its own"),
        pytest.param(f"{MOUNT}make all", False, id="make all"),
        pytest.param(f"{MOUNT}just compile-x", False, id="another runner"),
        pytest.param(f"{MOUNT}just", True, id="which may do anything on its own"),
        pytest.param(f"{MOUNT}cargo --version && make", False, id="beside something else"),
        pytest.param(f"{MOUNT}echo build && ./package.sh", True, id="what is only printed"),
        pytest.param(
            f"{MOUNT}./build.sh\n{MOUNT}cp target/debug/x /", True, id="a build, and then a copy"
        ),
        pytest.param(f"{MOUNT}cargo metadata", False, id="nothing is read"),
        pytest.param(f"{MOUNT}cargo build && cp target/debug/x /", False, id="it compiles itself"),
        pytest.param(
            "RUN --mount=type=cache,target=/b/target<>,readonly cargo build",
            True,
            id="it cannot write",
        ),
        pytest.param(
            f"{MOUNT}cargo build\n{MOUNT}cp target/debug/x /", None, id="its own are read"
        ),
    ],
)
def test_another_file(other: str, kept: bool | None) -> None:
    files = {"a/Dockerfile": f"{RUST}{MOUNT}cargo build\n", "w/Dockerfile": f"{RUST}{other}\n"}
    result = migrated(filled(files, LOCKED))
    first, *others = ("another file" in reason for reason in result.reasons)
    assert [first, *others] == [bool(kept)] * (len(others) + 1)
    assert ("id=target-a" in result["a/Dockerfile"]) is not kept
    assert ("id=target-w" in result["w/Dockerfile"]) is (kept is False)


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        pytest.param({"a": "./make-it.sh", "w": "./run.sh"}, False, id="scripts that fill nothing"),
        pytest.param(
            {"a": "./make-it.sh", "w": "cp -r target /x"}, True, id="a copy of a script's"
        ),
        pytest.param({"a": "cp -r target /x"}, False, id="there is no other file"),
        pytest.param(
            {"a": "cargo build", "b": "./build.sh", "w": "./package.sh"},
            True,
            id="one of two others compiles",
        ),
    ],
)
def test_files_that_do_not_compile(files: dict[str, str], kept: bool) -> None:
    texts = {f"{name}/Dockerfile": f"{RUST}{MOUNT}{run}\n" for name, run in files.items()}
    result = migrated(filled(texts, LOCKED))
    assert all(("another file" in reason) is kept for reason in result.reasons)


def test_another_owner_has_another_cache() -> None:
    files = {
        "a/Dockerfile": f"{RUST}{MOUNT}cargo build\n",
        "w/Dockerfile": f"{RUST}{MOUNT}cp target/debug/api /\n",
    }
    result = migrated(filled(files, (LOCKED, f"uid=1000,{LOCKED}")))
    assert result == filled(files, ("id=target-a", f"uid=1000,{LOCKED}"))


# -- what makes a rename safe ---------------------------------------------------------------------

READ = f"{MOUNT}cp target/debug/api /\n"


@pytest.mark.parametrize(
    ("text", "mounts", "renamed"),
    [
        pytest.param(f"{RUST}{MOUNT}cargo build\n{READ}", LOCKED, False, id="nothing does"),
        pytest.param(
            f"{RUST}{MOUNT}cargo build\n{READ}", ("", LOCKED), True, id="the pure default goes"
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo build\n{READ}",
            ("sharing=shared", LOCKED),
            True,
            id="also where it is spelled out",
        ),
        pytest.param(
            f"{RUST}{REGISTRY}{MOUNT[4:]}cargo build\n{READ}", LOCKED, True, id="a link above it"
        ),
        pytest.param(
            f"{RUST}{REGISTRY}cargo fetch\n{MOUNT}cargo build\n{READ}",
            LOCKED,
            True,
            id="a link further above",
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo build\n{READ}{REGISTRY}cargo doc\n",
            LOCKED,
            False,
            id="a link below",
        ),
        pytest.param(
            f"{RUST.replace('1.95', '1.95 AS base')}{REGISTRY}cargo fetch\nFROM base\n"
            f"{MOUNT}cargo build\n{READ}",
            LOCKED,
            True,
            id="a link in the stage that it is built FROM",
        ),
        pytest.param(
            f"{RUST}{REGISTRY}cargo fetch\n{RUST}{MOUNT}cargo build\n{READ}",
            LOCKED,
            False,
            id="a link in another stage",
        ),
        pytest.param(
            f"{RUST}RUN --mount=type=cache,target=/root/.npm,sharing=locked {MOUNT[4:]}"
            f"npm ci && cargo build\n{READ}",
            LOCKED,
            True,
            id="another mount becomes the pure default",
        ),
        pytest.param(
            f"{RUST}RUN --mount=type=cache,id=npm,target=/root/.npm,sharing=locked {MOUNT[4:]}"
            f"npm ci && cargo build\n{READ}",
            LOCKED,
            False,
            id="another mount has an id",
        ),
        pytest.param(
            f"{RUST}RUN --mount=type=cache,target=/root/.npm {MOUNT[4:]}"
            f"npm ci && cargo build\n{READ}",
            LOCKED,
            False,
            id="another mount does not change",
        ),
        pytest.param(
            f"{RUST}{REGISTRY}{MOUNT[4:]}cargo build\n{MOUNT}cargo test\n{READ}",
            LOCKED,
            True,
            id="all that compile run again",
        ),
        pytest.param(
            f"{RUST}{MOUNT}cargo test\n{REGISTRY}{MOUNT[4:]}cargo build\n{READ}",
            LOCKED,
            False,
            id="one that compiles does not",
        ),
        pytest.param(f"{RUST}{READ}{READ}", ("", LOCKED), False, id="none is known to compile"),
    ],
)
def test_what_makes_a_rename_safe(text: str, mounts: str | tuple[str, ...], renamed: bool) -> None:
    result = migrated(filled(text, mounts), root_name="shop")
    assert (result["Dockerfile"].count("id=target-shop") == text.count("<>")) is renamed
    assert ("id=target" in result["Dockerfile"]) is renamed
    reasons = [reason for reason in result.reasons if "could come from the layer cache" in reason]
    assert len(reasons) == (0 if renamed else text.count("<>"))


@pytest.mark.parametrize(
    ("settings", "renamed"),
    [
        pytest.param({}, True, id="with the link"),
        pytest.param({"cargo_lock": False}, True, id="the registry becomes the pure default"),
        pytest.param({"ignore": ("MC101", "MC104")}, False, id="neither"),
    ],
)
def test_the_registry_beside_an_output(settings: dict[str, object], renamed: bool) -> None:
    text = f"{RUST}{REGISTRY}{MOUNT[4:]}cargo build\n{READ}"
    result = migrated(filled(text, LOCKED), root_name="shop", **settings)
    assert (result["Dockerfile"].count("id=target-shop") == 2) is renamed


def test_a_directory_that_several_stages_fill_keeps_its_id() -> None:
    stage = f"{RUST}{MOUNT}cargo build\n"
    text = f"{stage}{stage}{READ}"
    result = migrated(filled(text, ""), root_name="shop")
    assert result == filled(text, "")
    result = migrated(filled(text, ("", "", LOCKED)), root_name="shop")
    assert result.codes == ["MC102"] * 3
    assert "several stages fill it" in result.reasons[0]


@pytest.mark.parametrize(
    ("second", "renamed"),
    [
        pytest.param("cargo build", False, id="the same step"),
        pytest.param("cargo build --release", True, id="another step"),
    ],
)
def test_steps_that_are_one_to_the_builder(second: str, renamed: bool) -> None:
    files = {
        "a/Dockerfile": f"{RUST}{MOUNT}cargo build\n{READ}",
        "w/Dockerfile": f"# migrate-cache: ignore-file\n{RUST}{MOUNT}{second}\n",
    }
    result = migrated(filled(files, ("", LOCKED, "")))
    assert (result["a/Dockerfile"].count("id=target-a") == 2) is renamed
    assert ("runs the same command" in result.reasons[0]) is not renamed


def test_the_same_step_for_each_value_of_an_argument() -> None:
    text = f"{RUST}ARG SERVICE\n{MOUNT}cargo build --bin $SERVICE\n{READ}"
    files = {"a/Dockerfile": text, "w/Dockerfile": text}
    result = migrated(filled(files, ("", LOCKED, "", LOCKED)))
    assert result.codes == ["MC102"] * 4
    assert result["a/Dockerfile"].count("id=target-${SERVICE}") == 2
