from __future__ import annotations

import pickle
import re
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import migrate_cache.caches.entry
from migrate_cache.caches.entry import EVIDENCE, KINDS, Cache, Catalog, Match, load_catalog
from migrate_cache.shell import TOOLS, read_script, tools
from migrate_cache.text.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOG = load_catalog()
RUST = {"CARGO_HOME": "/usr/local/cargo", "RUSTUP_HOME": "/usr/local/rustup"}


def classify(
    directory: str,
    script: str = "",
    environment: Mapping[str, str] | None = None,
    *,
    home: str | None = "/root",
    workdir: str = "/app",
    opaque: bool = False,
    catalog: Catalog = CATALOG,
) -> Match:
    return catalog.classify(
        directory,
        environment=environment or {},
        home=home,
        tools=tools(read_script(script).commands),
        workdir=workdir,
        opaque=opaque,
    )


# The data.


def entries() -> list[Cache]:
    return list(CATALOG.caches)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.slug)
def test_entry_is_complete(entry: Cache) -> None:
    assert re.fullmatch(r"[a-z0-9.-]+", entry.slug)
    assert entry.kind in KINDS
    assert entry.kind != "unknown"
    assert entry.evidence in EVIDENCE
    assert entry.tools
    assert set(entry.tools) <= TOOLS
    assert entry.targets or entry.env
    assert entry.reason
    assert not entry.reason.endswith(".")
    assert "\n" not in entry.reason
    assert entry.source
    assert not entry.custom


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.slug)
def test_fields_go_together(entry: Cache) -> None:
    assert bool(entry.fills) == (entry.kind == "output")
    assert not entry.locks_inside or entry.kind == "output"
    assert not entry.presumed or entry.needs_tool
    for place in (*entry.env, *entry.also):
        assert re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*(/[^/$*]+)*", place)
    for target in entry.targets:
        assert target.startswith(("/", "~/", "**/"))
        assert not target.endswith("/")


@pytest.mark.parametrize("field", ["name", "slug"])
def test_names_are_unique(field: str) -> None:
    values = [getattr(entry, field) for entry in CATALOG.caches]
    assert len(set(values)) == len(values)


def test_keys_of_the_file_are_documented_in_it() -> None:
    text = Path(migrate_cache.caches.entry.__file__).with_name("catalog.toml").read_text("utf-8")
    used = {key for table in tomllib.loads(text)["cache"] for key in table}
    documented = set(re.findall(r"^# ([a-z-]+) {2,}", text, re.MULTILINE))
    assert used <= documented


@pytest.mark.parametrize("kind", ["shared", "cargo-subdir"])
def test_sharing_needs_evidence(kind: str) -> None:
    weak = [e.name for e in CATALOG.caches if e.kind == kind and e.evidence == "inferred"]
    assert not weak


def samples() -> list[tuple[Cache, str]]:
    found = []
    for entry in CATALOG.caches:
        for target in entry.targets:
            path = target.replace("~/", "/root/").replace("**/", "/work/").replace("*", "a-b-c")
            found.append((entry, path))
    return found


@pytest.mark.parametrize(("entry", "path"), samples())
def test_each_target_is_found(entry: Cache, path: str) -> None:
    match = CATALOG.classify(
        path, environment={}, home="/root", tools=frozenset(entry.tools[:1]), workdir="/work"
    )
    assert match.cache == entry
    assert match.kind == entry.kind


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.slug)
def test_each_variable_is_followed(entry: Cache) -> None:
    for place in (*entry.env, *entry.also):
        variable, _, rest = place[1:].partition("/")
        directory = f"/moved/here/{rest}".rstrip("/")
        match = CATALOG.classify(
            directory,
            environment={variable: "/moved/here"},
            home="/root",
            tools=frozenset(entry.tools[:1]),
        )
        assert match.cache is not None
        assert match.cache.tools == entry.tools or match.kind == "exclusive"


# Classification.


@pytest.mark.parametrize(
    ("directory", "script", "kind", "slug"),
    [
        ("/root/.npm/_cacache", "npm ci", "shared", "npm"),
        ("/root/.cache/go-build", "make", "shared", "go-build"),
        ("/go/pkg/mod", "", "shared", "go-mod"),
        ("/go/pkg/mod/cache/download", "go mod download", "shared", "go-mod"),
        ("/go/pkg", "make", "shared", "go-mod"),
        ("/pnpm/store", "pnpm i", "shared", "pnpm"),
        ("/root/.local/share/pnpm/store/v3", "pnpm i", "shared", "pnpm"),
        ("/root/.cache/uv", "uv sync", "shared", "uv"),
        ("/root/.cache/huggingface/hub", "", "shared", "huggingface"),
        ("/ccache", "make", "shared", "ccache"),
        ("/root/.cabal/store/ghc-9", "cabal build", "shared", "cabal-store"),
        ("/root/.cabal/packages", "cabal update", "exclusive", "cabal"),
        ("/app/.yarn/cache", "yarn", "shared", "yarn-berry"),
        ("/root/.yarn/berry/cache", "yarn", "shared", "yarn-berry"),
        ("/usr/local/share/.cache/yarn/v6", "yarn", "exclusive", "yarn"),
        ("/var/lib/apt/lists", "apt-get update", "exclusive", "apt"),
        ("/var/cache/apt/archives", "", "exclusive", "apt"),
        ("/root/.m2/repository", "mvn package", "exclusive", "maven"),
        ("/root/.gradle", "./gradlew build", "exclusive", "gradle"),
        ("/root/.cache/pip", "pip install x", "exclusive", "pip"),
        ("/root/.bun/install/cache", "bun i", "exclusive", "bun"),
        ("/opt/conda/pkgs", "conda install x", "exclusive", "conda"),
        ("/root/.nuget/packages", "dotnet restore", "exclusive", "nuget"),
        ("/usr/local/bundle", "bundle install", "exclusive", "bundler"),
        ("/var/cache/sccache", "cargo build", "exclusive", "sccache"),
        ("/root/.cache/bazel", "bazel build //...", "output", "bazel"),
        ("/root/.cache/bazel/_bazel_root/cache/repos", "bazel build", "exclusive", "bazel-repos"),
        ("/app/.next/cache", "npm run build", "output", "next"),
        ("/app/.gradle", "gradle build", "output", "gradle-project"),
        ("/app/build", "gradle build", "output", "gradle-build"),
        ("/build", "cmake -B /build", "output", "cmake"),
        ("/app/build", "meson setup build", "output", "meson"),
        ("/src/a/obj", "dotnet build", "output", "dotnet"),
        ("/app/_build", "mix compile", "output", "mix-build"),
        ("/app/node_modules/.cache", "npm run build", "output", "node-cache"),
        ("/app/node_modules/.cache/turbo", "turbo build", "output", "turbo"),
        ("/app/vendor/bundle", "bundle install", "exclusive", "bundler"),
        ("/app/target", "cargo build", "output", "target"),
        ("/app/target/release", "cargo build", "output", "target"),
        ("/app/target/x86_64-unknown-linux-musl", "cargo build", "output", "target"),
        ("/app/target", "mvn package", "output", "maven-target"),
        ("/app/core/target", "sbt compile", "output", "sbt-target"),
        ("target", "xx-cargo build", "output", "target"),
        ("./target/", "cargo chef cook", "output", "target"),
        ("/app/x/../target", "cargo build", "output", "target"),
    ],
)
def test_known(directory: str, script: str, kind: str, slug: str) -> None:
    match = classify(directory, script)
    assert (match.kind, match.cache and match.cache.slug) == (kind, slug)
    assert match.certain
    assert match.reason


@pytest.mark.parametrize(
    ("directory", "script"),
    [
        ("/app/node_modules", "npm ci"),
        ("/app/vendor", "go mod vendor"),
        ("/app/.git", "git fetch"),
        ("/venv", "uv sync"),
        ("/app/build", "npm run build"),
        ("/app/build", "make"),
        ("/build/app", "cmake -B /build"),
        ("/app/bin", "go build -o bin/x"),
        ("/app/obj", "make"),
        ("/app/deps", "cargo build"),
        ("/app/.build", "make"),
        ("/app/.cache", "npm run build"),
        ("/app/dist", "npm run build"),
        ("/tmp", "apk add git"),
        ("/var/tmp", "apt-get update"),
        ("/tmp/cache", "npm ci"),
        ("/var/cache", "true"),
        ("/usr/local/cargo/bin", "cargo install x"),
        ("/go/pkg/mod/github.com", "go build"),
        ("/root/.cache/huggingface/hub/models--a", "python x.py"),
        ("/app/targets", "cargo build"),
        ("/app/target/x", "cargo build"),
        ("/root/.npmrc", "npm ci"),
        ("/", "cargo build"),
        ("", "cargo build"),
    ],
)
def test_unknown(directory: str, script: str) -> None:
    match = classify(directory, script)
    assert match.kind == "unknown"
    assert match.reason


# Cargo.


@pytest.mark.parametrize("folder", ["registry", "git", "registry/index", "git/db"])
def test_cargo_home_in_force(folder: str) -> None:
    match = classify(f"/usr/local/cargo/{folder}", "cargo build", RUST)
    assert (match.kind, match.certain) == ("cargo-subdir", True)


@pytest.mark.parametrize(
    ("directory", "environment", "kind", "certain"),
    [
        ("/root/.cargo/registry", {}, "cargo-subdir", True),
        ("/root/.cargo/registry", RUST, "unknown", True),
        ("/home/app/.cargo/registry", RUST, "unknown", True),
        ("/opt/x/.cargo/registry", RUST, "unknown", True),
        ("/home/app/.cargo/registry", {}, "cargo-subdir", False),
        ("/opt/x/.cargo/registry", {}, "cargo-subdir", False),
        ("/usr/local/cargo/registry", {}, "cargo-subdir", False),
        ("/usr/local/cargo/registry", {"CARGO_HOME": "/c"}, "unknown", True),
        ("/usr/local/cargo/registry", {"CARGO_HOME": "$X/c"}, "cargo-subdir", False),
        ("$CARGO_HOME/registry", {}, "cargo-subdir", False),
        ("${CARGO_HOME}/registry", {}, "cargo-subdir", False),
        ("${CARGO_HOME:-/c}/git/db", {}, "cargo-subdir", False),
        ("/c/registry", {"CARGO_HOME": "/c"}, "cargo-subdir", True),
        ("/app/c/git", {"CARGO_HOME": "c"}, "cargo-subdir", True),
        ("/c/bin", {"CARGO_HOME": "/c"}, "unknown", False),
        ("/c", {"CARGO_HOME": "/c"}, "shared", True),
        ("/usr/local/cargo", RUST, "shared", True),
        ("/usr/local/cargo", {}, "shared", False),
        ("/root/.cargo", RUST, "unknown", True),
        ("/root/.cargo", {}, "shared", True),
        ("/app/~/.cargo/registry", RUST, "unknown", True),
        ("~/.cargo/registry", RUST, "unknown", True),
    ],
)
def test_cargo_home(
    directory: str, environment: dict[str, str], kind: str, *, certain: bool
) -> None:
    match = classify(directory, "cargo build", environment)
    assert (match.kind, match.certain) == (kind, certain)


def test_reason_names_the_variable() -> None:
    match = classify("/root/.cargo/registry", "cargo build", RUST)
    assert match.reason == ("CARGO_HOME is /usr/local/cargo here: Cargo never uses this directory")


@pytest.mark.parametrize(
    ("directory", "script", "environment", "slug", "certain", "locks"),
    [
        ("/app/target", "cargo build", {}, "target", True, True),
        ("/app/target", "mvn package", {}, "maven-target", True, False),
        ("/app/target", "mvn package; cargo build", {}, "maven-target", False, False),
        ("/app/target", "cp a b", {}, "target", False, True),
        ("/app/target", "make build", {}, "target", False, True),
        ("/t", "cargo build", {"CARGO_TARGET_DIR": "/t"}, "target", True, True),
        ("/t", "cp /t/release/x /x", {"CARGO_TARGET_DIR": "/t"}, "target", True, True),
        ("/t/release", "cargo build", {"CARGO_TARGET_DIR": "/t"}, "target", True, True),
        ("/t/release/deps", "cargo build", {"CARGO_TARGET_DIR": "/t"}, "target", True, False),
        ("/app/out", "cargo build", {"CARGO_TARGET_DIR": "out"}, "target", True, True),
        ("/b", "cargo build", {"CARGO_BUILD_BUILD_DIR": "/b"}, "cargo-build", True, True),
        ("/app/target", "mvn package", {"CARGO_TARGET_DIR": "/t"}, "maven-target", True, False),
    ],
)
def test_target(
    directory: str,
    script: str,
    environment: dict[str, str],
    slug: str,
    *,
    certain: bool,
    locks: bool,
) -> None:
    match = classify(directory, script, environment)
    assert match.kind == "output"
    assert match.cache
    assert (match.cache.slug, match.certain, match.locks_inside) == (slug, certain, locks)


@pytest.mark.parametrize("script", ["cargo build", "make", "cp a b"])
def test_target_elsewhere_is_never_filled(script: str) -> None:
    match = classify("/app/target", script, {"CARGO_TARGET_DIR": "/t"})
    assert match.kind == "unknown"
    assert "CARGO_TARGET_DIR is /t here" in match.reason


# Variables of other tools.


@pytest.mark.parametrize(
    ("directory", "environment", "kind"),
    [
        ("/m", {"GOMODCACHE": "/m"}, "shared"),
        ("/g/pkg/mod", {"GOPATH": "/g:/h"}, "shared"),
        ("/go/pkg/mod", {"GOPATH": "/g"}, "unknown"),
        ("/g/pkg/mod", {"GOPATH": "/g", "GOMODCACHE": "/m"}, "unknown"),
        ("/c/go-build", {"XDG_CACHE_HOME": "/c"}, "shared"),
        ("/root/.cache/go-build", {"GOCACHE": "/c"}, "unknown"),
        ("/root/.cache/go-build", {"GOCACHE": "$X"}, "shared"),
        ("/root/.cache/go-build", {"GOCACHE": ""}, "shared"),
        ("/s", {"SCCACHE_DIR": "/s"}, "exclusive"),
        ("$SCCACHE_DIR", {}, "exclusive"),
        ("/y", {"YARN_CACHE_FOLDER": "/y"}, "exclusive"),
        ("/tmp/cache", {"COMPOSER_HOME": "/tmp"}, "exclusive"),
        ("/root/.gradle", {"GRADLE_USER_HOME": "/g"}, "unknown"),
        ("/app/.gradle", {"GRADLE_USER_HOME": "/app/.gradle"}, "exclusive"),
        ("/root/.bundle/cache", {"GEM_HOME": "/usr/local/bundle"}, "exclusive"),
        ("/root/.cache/uv", {"UV_CACHE_DIR": "/root/.cache/uv/"}, "shared"),
        ("${HOME}/.cache/uv", {}, "shared"),
        ("${NOTHING}", {}, "unknown"),
    ],
)
def test_variables(directory: str, environment: dict[str, str], kind: str) -> None:
    assert classify(directory, "", environment).kind == kind


@pytest.mark.parametrize(
    ("directory", "home", "certain"),
    [
        ("/home/app/.cache/uv", None, True),
        ("/srv/app/.cache/uv", "/srv/app", True),
        ("/srv/app/.cache/uv", None, False),
        ("/home/app/.cache/uv", "/root", False),
        ("/home/node/.npm/_cacache", "/home/node", True),
        ("/tmp/.cache/go-build", "/root", False),
    ],
)
def test_homes(directory: str, home: str | None, *, certain: bool) -> None:
    match = classify(directory, "", home=home)
    assert (match.kind, match.certain) == ("shared", certain)


# Folders of several tools.


@pytest.mark.parametrize(
    ("directory", "script", "kind"),
    [
        ("/root/.cache", "go build", "shared"),
        ("/root/.cache", "uv sync && go build", "shared"),
        ("/root/.cache", "uv sync && pip install x", "exclusive"),
        ("/root/.cache", "golangci-lint run", "exclusive"),
        ("/root/.cache", "npm ci", "exclusive"),
        ("/root/.cache", "bazel build //...", "exclusive"),
        ("/root/.cache", "go build && bazel build //...", "exclusive"),
        ("/root/.cache", "make", "unknown"),
        ("/root/.cache", "cargo build", "unknown"),
        ("/root/.cache", "apt-get update", "unknown"),
        ("/root", "npm ci", "exclusive"),
        ("/root", "cargo build", "shared"),
        ("/var", "apt-get update", "exclusive"),
        ("/usr/local/share/.cache", "yarn", "exclusive"),
        ("/root/.local/share", "pnpm i", "shared"),
        ("/home/app/.cache", "go build", "shared"),
    ],
)
def test_parent(directory: str, script: str, kind: str) -> None:
    assert classify(directory, script).kind == kind


def test_parent_of_a_moved_directory() -> None:
    assert classify("/root/.cache", "go build", {"GOCACHE": "/c/go"}).kind == "unknown"
    assert classify("/c", "go build", {"GOCACHE": "/c/go"}).kind == "shared"
    assert classify("/c", "cargo build", {"CARGO_TARGET_DIR": "/c/t"}).kind == "output"


def test_parent_with_a_compiler_cache() -> None:
    environment = {"RUSTC_WRAPPER": "/usr/bin/sccache"}
    assert classify("/root/.cache", "cargo build", environment).kind == "exclusive"


def test_parent_with_an_opaque_command() -> None:
    assert classify("/root/.cache", "go build", opaque=True).kind == "unknown"
    assert classify("/root/.cache", "pip install x", opaque=True).kind == "exclusive"
    assert classify("/root/.cache/go-build", "go build", opaque=True).kind == "shared"


def test_parent_that_holds_the_project() -> None:
    assert classify("/root", "cargo build", workdir="/root/app").kind == "unknown"


# Who fills an output.


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
    (entry,) = [e for e in CATALOG.caches if e.slug == slug]
    assert entry.is_filled_by(read_script(script).commands) == expected


# The user's own.


def test_own_entry() -> None:
    catalog = load_catalog([{"target": "**/My_Cache", "kind": "shared", "reason": "we know"}])
    match = classify("/app/My_Cache/x", catalog=catalog)
    assert (match.kind, match.reason, match.certain) == ("shared", "we know", True)
    assert match.cache
    assert match.cache.slug == "my-cache"
    assert match.cache.custom


@pytest.mark.parametrize(
    ("target", "directory"),
    [
        ("/data/*/cache", "/data/a/cache"),
        ("~/stuff", "/root/stuff"),
        ("stuff/x", "/app/stuff/x"),
        ("/data/**/cache", "/data/a/b/cache"),
        ("$STUFF/x", "/s/x"),
        ("/app/target", "/app/target"),
        ("/root/.cache", "/root/.cache"),
        ("/var/cache/apt", "/var/cache/apt/archives"),
    ],
)
def test_own_target_wins(target: str, directory: str) -> None:
    catalog = load_catalog([{"target": target, "kind": "exclusive", "slug": "own"}])
    match = classify(directory, "cargo build", {"STUFF": "/s"}, catalog=catalog)
    assert match.cache
    assert (match.kind, match.cache.slug) == ("exclusive", "own")


def test_own_entry_overrides_by_name() -> None:
    catalog = load_catalog([{"name": "pip", "kind": "shared", "reason": "wheels only"}])
    match = classify("/root/.cache/pip", catalog=catalog)
    assert (match.kind, match.reason) == ("shared", "wheels only")
    assert match.cache
    assert match.cache.slug == "pip"
    assert classify("/root/.cache/pip").kind == "exclusive"


def test_own_entry_that_is_left_alone() -> None:
    catalog = load_catalog([{"target": "/go/pkg/mod", "kind": "unknown"}])
    assert classify("/go/pkg/mod", "go build", catalog=catalog).kind == "unknown"


def test_own_entry_that_needs_a_tool() -> None:
    table = {"target": "**/out", "kind": "output", "tools": ["cargo"], "needs-tool": True}
    catalog = load_catalog([table])
    assert classify("/app/out", "cargo build", catalog=catalog).kind == "output"
    assert classify("/app/out", "make", catalog=catalog).kind == "unknown"


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
        ({"target": "/a", "kind": "shared", "exact": "yes"}, "true or false", ""),
        ({"target": "/a", "kind": "shared", "env": ["X"]}, "begin with a variable", ""),
        ({"target": "/a", "kind": "shared", "custom": True}, "unknown key 'custom'", ""),
    ],
)
def test_bad_entry(table: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_catalog([table])
    assert message in caught.value.message
    assert "caches, entry 1" in caught.value.message
    assert hint in caught.value.hint


# What users of the module rely on.


def test_built_in_catalogue_is_read_once() -> None:
    assert load_catalog() is load_catalog()


def test_catalogue_can_be_pickled() -> None:
    classify("/app/target", "cargo build")
    copy = pickle.loads(pickle.dumps(CATALOG))
    assert copy == CATALOG
    assert classify("/go/pkg/mod", catalog=copy).kind == "shared"


def test_classification_is_fast() -> None:
    started = time.perf_counter()
    for number in range(5_000):
        classify(f"/app/{number}/target", "cargo build", RUST)
        CATALOG.classify(
            "/root/.cache", environment=RUST, home="/root", tools=frozenset({"go"}), workdir="/a"
        )
    assert time.perf_counter() - started < 10
