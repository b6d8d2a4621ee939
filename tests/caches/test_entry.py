from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest

from migrate_cache.caches.entry import (
    EVIDENCE,
    KINDS,
    CacheEntry,
    Kind,
    load_entries,
    strictness,
)
from migrate_cache.caches.match import load_catalog
from migrate_cache.shell import read_script
from migrate_cache.text.errors import ConfigError

ENTRIES = load_entries()
BY_SLUG = {entry.slug: entry for entry in ENTRIES}


# The data.


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_entry_is_complete(entry: CacheEntry) -> None:
    assert re.fullmatch(r"[a-z0-9.-]+", entry.slug)
    assert entry.kind in KINDS
    assert entry.kind != "unknown"
    assert entry.evidence in EVIDENCE
    assert entry.tools
    assert entry.targets or entry.env
    assert entry.reason
    assert not entry.reason.endswith(".")
    assert "\n" not in entry.reason
    assert entry.source
    assert not entry.custom


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_fields_go_together(entry: CacheEntry) -> None:
    assert bool(entry.fills) == (entry.kind == "output")
    assert entry.kind == "output" or not (entry.continues or entry.begins)
    assert not entry.locks_inside or entry.kind == "output"
    assert not entry.presumed or entry.needs_tool
    for place in (*entry.env, *entry.also):
        assert re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*(/[^/$*]+)*", place)
    for target in entry.targets:
        assert target.startswith(("/", "~/", "**/"))
        assert not target.endswith("/")


@pytest.mark.parametrize("field", ["name", "slug"])
def test_names_are_unique(field: str) -> None:
    values = [getattr(entry, field) for entry in ENTRIES]
    assert len(set(values)) == len(values)


def test_keys_of_the_file_are_documented_in_it() -> None:
    text = files("migrate_cache.caches").joinpath("catalog.toml").read_text("utf-8")
    used = {key for table in tomllib.loads(text)["cache"] for key in table}
    documented = set(re.findall(r"^# ([a-z-]+) {2,}", text, re.MULTILINE))
    assert used <= documented


@pytest.mark.parametrize("kind", ["shared", "cargo-subdir"])
def test_sharing_needs_evidence(kind: str) -> None:
    weak = [e.name for e in ENTRIES if e.kind == kind and e.evidence == "inferred"]
    assert not weak


def test_tools_of_all_entries() -> None:
    own = {"target": "/a", "kind": "shared", "tools": ["acme"]}
    names = load_catalog([own]).tool_names
    assert names == load_catalog().tool_names | {"acme"}
    assert {"cargo", "ninja", "trivy"} <= names


def test_kinds_by_strictness() -> None:
    kinds: tuple[Kind, ...] = ("exclusive", "output", "shared", "unknown", "cargo-subdir")
    ordered = ["shared", "cargo-subdir", "output", "unknown", "exclusive"]
    assert sorted(kinds, key=strictness) == ordered
    assert max(kinds, key=strictness) == "exclusive"


# Which commands fill a directory, and which go on with what lies in it.


@pytest.mark.parametrize(
    ("slug", "script", "expected"),
    [
        ("target", "cargo build --release", True),
        ("target", "cargo +nightly --locked build", True),
        ("target", "cargo-chef chef cook", True),
        ("target", "cargo chef cook --recipe-path r.json", True),
        ("target", "cargo chef prepare", False),
        ("target", "cargo fetch", False),
        ("target", "cp target/release/x /x", False),
        ("target", "uv run maturin build", True),
        ("target", "make build", False),
        ("target", "cargo ndk -t arm64-v8a build", True),
        ("target", "cargo xwin build", True),
        ("target", "cargo xwin --version", False),
        ("target", "cargo deb --no-build", True),
        ("cargo-build", "cargo zigbuild", True),
        ("turbo", "pnpm turbo build", True),
        ("turbo", "pnpm install", False),
        ("bazel", "bazel --batch build //x", True),
        ("bazel", "bazel query //x", False),
        ("dotnet", "dotnet msbuild x.sln", True),
        ("dotnet", "dotnet tool restore", False),
        ("mix-deps", "mix deps.get", True),
        ("mix-deps", "mix compile", False),
        ("maven-target", "./mvnw -B -DskipTests clean package", True),
        ("maven-target", "mvn dependency:go-offline", False),
        ("gradle-build", "./gradlew bootJar", True),
        ("next", "npm run build", True),
        ("next", "npm ci", False),
        ("next", "npx next build", True),
        ("cmake", "cmake --build build", True),
    ],
)
def test_fills(slug: str, script: str, *, expected: bool) -> None:
    assert BY_SLUG[slug].is_filled_by(read_script(script).commands) == expected


@pytest.mark.parametrize(
    ("slug", "script", "expected"),
    [
        ("target", "cargo build && cp target/release/x /x", False),
        ("target", "cargo generate-rpm", True),
        ("target", "cargo deb --no-build", True),
        ("target", "cargo deb", False),
        ("target", "cargo llvm-cov report --lcov", True),
        ("target", "cargo llvm-cov --workspace", False),
        ("target", "cargo build --release && cargo deb --no-build", False),
        ("target", "cargo chef cook && cargo generate-rpm", False),
        ("target", "cargo fetch && cargo generate-rpm", True),
        ("target", "cargo llvm-cov && cargo llvm-cov report", False),
        ("next", "next build", False),
        ("next", "npx next build && npx next export", False),
        ("next", "next export", True),
        ("next", "npm run build", False),
        ("maven-target", "mvn spring-boot:repackage", True),
        ("maven-target", "mvn -s /settings.xml spring-boot:repackage", True),
        ("maven-target", "mvn package spring-boot:repackage", False),
        ("maven-target", "mvn -DskipTests clean spring-boot:repackage", False),
        ("maven-target", "mvn post-integration-test jacoco:report", False),
        ("maven-target", "mvn generate-test-sources jacoco:report", False),
        ("maven-target", "mvn package", False),
        ("gradle-build", "./gradlew bootJar -x test", False),
        ("gradle-build", "./gradlew bootJar -x compileJava", True),
        ("gradle-build", "gradle jar --exclude-task=compileKotlin", True),
        ("gradle-build", "gradle compileJava -x test", False),
        ("dotnet", "dotnet publish -c Release", False),
        ("dotnet", "dotnet publish --no-restore", True),
        ("dotnet", "dotnet test --no-build", True),
        ("dotnet", "dotnet restore && dotnet publish --no-restore", False),
        ("dotnet", "dotnet build --no-restore && dotnet publish --no-build", True),
        ("dotnet", "dotnet tool restore && dotnet build --no-restore", True),
        ("mix-build", "mix compile", False),
        ("mix-build", "mix release --no-compile", True),
        ("mix-build", "mix deps.compile && mix compile --no-deps-check", True),
        ("mix-deps", "mix deps.get --only prod", False),
        ("mix-deps", "mix do deps.get, deps.compile", False),
        ("mix-deps", "mix do local.hex --force + deps.get", False),
        ("mix-deps", "mix compile", True),
        ("mix-deps", "iex -S mix", True),
        ("swift-build", "swift build", False),
        ("swift-build", "swift test --skip-build", True),
        ("cmake", "cmake -B build", False),
        ("cmake", "cmake -B build && cmake --build build", False),
        ("cmake", "cmake --build build", True),
        ("cmake", "cmake --install build", True),
        ("cmake", "cmake --version && ninja -C build", True),
        ("cmake", "cmake -E rm x && make -C build", True),
        ("cmake", "cmake -DX=1 -P x.cmake && ctest", True),
        ("cmake", "cmake -E rm x", False),
        ("meson", "meson setup build", False),
        ("meson", "meson --prefix=/usr build && meson compile -C build", False),
        ("meson", "meson compile -C build", True),
        ("meson", "ninja -C build", True),
        ("mypy", "mypy .", False),
    ],
)
def test_continues(slug: str, script: str, *, expected: bool) -> None:
    assert BY_SLUG[slug].is_continued_by(read_script(script).commands) == expected


# What users may write.


def test_own_entry_is_completed() -> None:
    own = load_entries([{"target": "/data/My Cache*/**", "kind": "shared"}])[0]
    assert own == CacheEntry(
        name="/data/My Cache*/**",
        slug="my-cache",
        kind="shared",
        targets=("/data/My Cache*/**",),
        reason="as the configuration says",
        source="configuration",
        evidence="configuration",
        custom=True,
    )
    by_variable = load_entries([{"env": "$ACME/x", "kind": "output", "fills": "acme build"}])[0]
    assert (by_variable.name, by_variable.slug) == ("caches, entry 1", "cache")
    assert (by_variable.env, by_variable.fills) == (("$ACME/x",), ("acme build",))


def test_own_entry_overrides_only_what_it_says() -> None:
    own, *others = load_entries([{"name": "pip", "kind": "shared"}])
    pip = BY_SLUG["pip"]
    assert own == replace(pip, kind="shared", evidence="configuration", custom=True)
    assert others == [entry for entry in ENTRIES if entry is not pip]


def test_the_first_target_names_an_own_entry() -> None:
    own = load_entries([{"targets": ["/data/(Our) ", "/other"], "kind": "shared"}])[0]
    assert (own.name, own.slug) == ("/data/(Our) ", "our")


def test_own_entries_stand_first() -> None:
    tables = [{"target": f"/{name}", "kind": "shared"} for name in "ab"]
    assert [entry.name for entry in load_entries(tables)[:3]] == ["/a", "/b", ENTRIES[0].name]


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"target": "/a", "kinds": "shared"}, "unknown key 'kinds'", "'kind'"),
        ({"target": "/a", "needs_tool": True, "kind": "output"}, "'needs_tool'", "'needs-tool'"),
        ({"target": "/a", "kind": "share"}, "'kind' cannot be 'share'", "'shared'"),
        ({"target": "/a", "kind": 3}, "'kind' has to be a text", ""),
        ({"target": "/a"}, "'kind' is missing", "'shared'"),
        ({"kind": "shared"}, "'target' is missing", ""),
        ({"target": 3, "kind": "shared"}, "'target' has to be", ""),
        ({"target": [], "kind": "shared"}, "'target' has to be", ""),
        ({"target": "/", "kind": "shared"}, "cannot hold '/'", ""),
        ({"target": "/a", "kind": "shared", "slug": "A b"}, "a slug has only", ""),
        ({"name": "pip", "slug": "A b"}, "a slug has only", ""),
        ({"target": "/a", "kind": "shared", "slug": "a b"}, "a slug has only", ""),
        ({"target": "/a", "kind": "shared", "env": ["/x$A"]}, "begin with a variable", ""),
        ({"target": "/a", "kind": "shared", "tools": ["a", 3]}, "'tools' cannot hold 3", ""),
        ({"target": "/a", "kind": "shared", "exact": "yes"}, "true or false", ""),
        ({"target": "/a", "kind": "shared", "env": ["X"]}, "begin with a variable", ""),
        ({"target": "/a", "kind": "shared", "custom": True}, "unknown key 'custom'", ""),
        ({"target": "/a", "kind": "x"}, "'kind' cannot be 'x'", "'cargo-subdir', 'output'"),
        ({"target": "/a", "kind": "shared", "evidence": "sources"}, "'sources'", "'source'"),
        ({"target": "/a", "kind": "shared", "reason": " "}, "'reason' has to be a text", ""),
        ({"target": ["/a", ""], "kind": "shared"}, "cannot hold ''", ""),
        ({"target": "/a", "kind": "shared", "fills": 3}, "'fills' has to be", ""),
        ({"target": "/a", "kind": "shared", "zzzzzz": 3}, "unknown key 'zzzzzz'", ""),
    ],
)
def test_bad_entry(table: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_entries([{"target": "/fine", "kind": "output"}, table])
    assert message in caught.value.message
    assert caught.value.message.startswith("caches, entry 2: ")
    assert hint in caught.value.hint
    assert caught.value.hint or not hint
