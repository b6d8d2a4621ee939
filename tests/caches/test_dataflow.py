from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_cache.builds.model import Builds
from migrate_cache.caches.dataflow import (
    compile_lines,
    compiles,
    may_read,
    only_cooks,
    readers,
    says_it_builds,
)
from migrate_cache.caches.facts import build_project
from migrate_cache.settings import settings_from
from migrate_cache.testing import migrated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_cache.caches.cache_mount import CacheMount

TARGET = "/app/target"


def mounts(
    *scripts: str,
    target: str = TARGET,
    options: str = "",
    caches: Sequence[Mapping[str, object]] = (),
) -> list[CacheMount]:
    """Return the cache mounts of a file whose RUNs have these scripts and one mount each."""
    mount = f"--mount=type=cache,target={target}{options}"
    runs = "".join(f"RUN {mount} {script}\n" for script in scripts)
    text = f"FROM rust\nARG PROFILE\nARG NAME\nWORKDIR /app\n{runs}"
    settings = settings_from({"caches": tuple(caches)})
    project = build_project(
        {"Dockerfile": text}, settings, Builds((), ()), root_name="", read_only={}
    )
    return list(project.mounts)


def mount(script: str, target: str = TARGET, options: str = "") -> CacheMount:
    return mounts(script, target=target, options=options)[0]


def reading(*scripts: str, target: str = TARGET) -> list[int]:
    """Return which of a file's RUNs read what another one put into the directory."""
    found = mounts(*scripts, target=target)
    return [found.index(reader) for reader in readers(found)]


@pytest.mark.parametrize(
    ("script", "target", "options", "expected"),
    [
        ("cargo build", TARGET, "", True),
        ("cargo fetch", TARGET, "", False),
        ("cargo generate-rpm", TARGET, "", False),
        ("cargo build", TARGET, ",readonly", False),
        ("cargo build", TARGET, ",readonly=false", True),
        ("make build", TARGET, "", False),
        ("mvn package", TARGET, "", True),
        ("cmake -B build", "/app/build", "", True),
        ("cmake --build build", "/app/build", "", False),
        ("go build", "/app/what", "", False),
    ],
)
def test_compiles(script: str, target: str, options: str, *, expected: bool) -> None:
    assert compiles(mount(script, target, options)) is expected


@pytest.mark.parametrize(
    ("script", "target", "options", "expected"),
    [
        ("cargo fetch", TARGET, "", False),
        ("cargo fetch && ls -l /out", TARGET, "", False),
        ("cargo fetch && cp target/release/x /x", TARGET, "", True),
        ("cargo fetch && cp /app/target /x", TARGET, "", True),
        ("cargo fetch && target/release/x", TARGET, "", True),
        ("cargo fetch && cp targets/x /x", TARGET, "", False),
        ("cargo fetch && /opt/target/release/x", "/opt/target", "", True),
        ("cargo fetch && /opt/bin/target", TARGET, "", True),
        ("cargo fetch && /opt/bin/x target", TARGET, "", True),
        ("cargo fetch && /opt/bin/x", TARGET, "", False),
        ("cargo fetch && cargo metadata --manifest-path target/Cargo.toml", TARGET, "", False),
        ("D=target; cargo fetch && cp $D/release/x /x", TARGET, "", False),
        ("cargo fetch && ./build.sh", TARGET, "", True),
        ("cargo fetch", TARGET, ",ro", True),
        ("ls /out", TARGET, "", True),
        ("dotnet publish --no-restore", "/app/obj", "", True),
        ("dotnet tool restore", "/app/obj", "", False),
    ],
)
def test_may_read(script: str, target: str, options: str, *, expected: bool) -> None:
    assert may_read(mount(script, target, options)) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("./build.sh", True),
        ("./scripts/compile-all", True),
        ("make release", True),
        ("make", True),
        ("gmake", False),
        ("make install", False),
        ("./rebuild.sh", False),
        ("sh ci/Build.sh", True),
        ("cargo build", False),
        ("just test && just build", True),
    ],
)
def test_says_it_builds(script: str, *, expected: bool) -> None:
    assert says_it_builds(mount(script)) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo chef cook --release", True),
        ("cargo-chef cook && echo done", True),
        ("cargo chef cook && cargo build", False),
        ("cargo chef prepare", False),
        ("make", False),
    ],
)
def test_only_cooks(script: str, *, expected: bool) -> None:
    assert only_cooks(mount(script)) is expected


def test_compile_lines() -> None:
    script = "cargo fetch --locked && cargo +nightly build -p a && cp a / && cargo build -p b"
    lines = compile_lines(mount(script))
    assert lines == {("cargo", "build", "-p", "a"), ("cargo", "build", "-p", "b")}
    assert compile_lines(mount("cargo build", "/app/what")) == frozenset()


# -- readers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        (("cargo build",), []),
        (("cargo build", "cp target/debug/x /x"), [1]),
        (("cp target/debug/x /x",), [0]),
        (("./build.sh",), []),
        (("./build.sh", "./test.sh"), [0, 1]),
        (("./build.sh", "cargo fetch"), []),
        (("cargo build", "./build.sh"), [1]),
        (("cargo build", "cargo fetch"), []),
        (("cargo build", "cargo generate-rpm"), [1]),
    ],
)
def test_who_reads(scripts: tuple[str, ...], expected: list[int]) -> None:
    assert reading(*scripts) == expected


@pytest.mark.parametrize(
    ("earlier", "script", "reads"),
    [
        # The profile.
        ("cargo build --release", "cargo test && cp target/release/a /a", True),
        ("cargo build --release", "cargo build -r --bin a && cp target/release/a /a", False),
        ("cargo build", "cargo build -r && cp target/debug/a /a", True),
        ("cargo build", "cargo test && cp target/debug/a /a", False),
        ("cargo build", "cargo build -r && cp target/release/a /a", False),
        ("cargo build --profile dist", "cargo build && cp target/dist/a /a", True),
        ("cargo build --profile=dist", "cargo build --profile dist && cp target/dist/a /", False),
        ("cargo build --profile dev", "cargo build -r && cp target/debug/a /a", True),
        ("cargo build --profile test", "cargo build -r && cp target/debug/a /a", True),
        ("cargo build --profile bench", "cargo build && cp target/release/a /a", True),
        ("cargo bench", "cargo build && cp target/release/a /a", True),
        ("cargo deb", "cargo build && cp target/release/a /a", True),
        ("cargo install --path .", "cargo build && cp target/release/a /a", True),
        ("cargo fetch", "cargo build && cp target/release/a /a", False),
        # The name.
        ("cargo build --bin a", "cargo build --bin b && cp target/debug/b /b", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/debug/a /a", True),
        ("cargo build --bin a", "cargo build --bin b && cp /app/target/debug/a /a", True),
        ("cargo build --bin a", "cargo build --bin b && cp debug/a /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/x/debug/a /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/a-b-c/debug/a /a", True),
        ("cargo build --bin a", "cargo build --bin b && cp -r target/debug /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/debug/* /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/debug/$NAME /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/debug/libx.so /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/$PROFILE/a /a", True),
        ("cargo build --bin a", "cargo build --bin b && cp -r target /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target//debug/a /a", True),
        ("cargo build --bin a", "cargo build --bin b && cp target/x-y/debug/a /a", False),
        ("cargo build --bin a", "cargo build --bin b && cp target/a-b-c/a /a", False),
        ("cargo build --bin a", "cargo build --bin b && cargo tree && cp target/debug/c /", True),
        ("cargo build --bin a", "cargo build --bin b && cargo tree -d target/debug/a", False),
        ("cargo build --bin a", "cargo build && cp target/debug/a /a", False),
        ("cargo build --bin a", "cargo build -p b && cp target/debug/a /a", True),
        ("cargo build -p a", "cargo build -p b && cp target/debug/a /a", True),
        ("cargo build -p a", "cargo build -p b && cp target/debug/c /c", False),
        ("cargo build -p a", "cargo b -p b && cargo b --bin c && cp target/debug/d /", False),
        ("cargo build -p a", "cargo build -p a -p b && cp target/debug/a /a", False),
        ("cargo build --bin a", "cargo build --bin b --workspace && cp target/debug/a /a", True),
        ("cargo build --bin a", "cargo build --bin b --workspace && cp target/debug/c /", False),
        ("cargo build --bin a", "cargo build --workspace && cp target/debug/a /a", False),
        # What comes earlier.
        ("cargo chef cook -r", "cargo build && cp target/release/a /a", False),
        ("cargo build --bin a", "cargo build --bin b && ./strip.sh", True),
        ("cargo build --bin a", "cargo build --bin a && ./strip.sh", False),
    ],
)
def test_takes_from_earlier(earlier: str, script: str, *, reads: bool) -> None:
    assert reading(earlier, script) == ([1] if reads else [])
    # What compiles later is not there yet.
    assert 0 not in reading(script, earlier)


def test_only_cargo_takes_one_result_of_several() -> None:
    assert reading("mvn package", "mvn verify && cp target/release/a /a") == []


def test_a_new_build_tool_is_data_only() -> None:
    tool = {
        "name": "Acme output",
        "slug": "acme",
        "target": "**/acme-out",
        "kind": "output",
        "tools": "acme",
        "fills": "acme compile|pack",
        "continues": ["acme pack", "acme compile --again"],
        "begins": "acme compile !--again",
    }
    text = "FROM a AS b\nRUN --mount=type=cache,target=/s/acme-out,sharing=locked acme %s\n"
    (step,) = mounts("acme pack", target="/s/acme-out", caches=[tool])
    assert step.fills
    assert not compiles(step)
    both = text % "compile" + (text % "pack").partition("\n")[2]
    changed = (text % "compile").replace("acme-out,", "acme-out,id=acme-b-shop,")
    assert migrated(text % "compile", caches=[tool], root_name="shop") == changed
    assert migrated(both, caches=[tool], root_name="shop") == both
