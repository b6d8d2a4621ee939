from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from migrate_cache.caches import places
from migrate_cache.caches.match import Catalog, Match, load_catalog
from migrate_cache.shell import read_script, tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_cache.caches.entry import CacheEntry

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


# Every entry of the catalogue.


def entries() -> list[CacheEntry]:
    return list(CATALOG.entries)


def samples() -> list[tuple[CacheEntry, str]]:
    found = []
    for entry in CATALOG.entries:
        for target in entry.targets:
            path = target.replace("~/", "/root/").replace("**/", "/work/").replace("*", "a-b-c")
            found.append((entry, path))
    return found


@pytest.mark.parametrize(("entry", "path"), samples())
def test_each_target_is_found(entry: CacheEntry, path: str) -> None:
    match = CATALOG.classify(
        path, environment={}, home="/root", tools=frozenset(entry.tools[:1]), workdir="/work"
    )
    assert match.entry == entry
    assert match.kind == entry.kind


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.slug)
def test_each_variable_is_followed(entry: CacheEntry) -> None:
    for place in (*entry.env, *entry.also):
        variable, _, rest = place[1:].partition("/")
        directory = f"/moved/here/{rest}".rstrip("/")
        match = CATALOG.classify(
            directory,
            environment={variable: "/moved/here"},
            home="/root",
            tools=frozenset(entry.tools[:1]),
        )
        assert match.entry is not None
        assert match.entry.tools == entry.tools or match.kind == "exclusive"


# Classification.


@pytest.mark.parametrize(
    ("directory", "script", "kind", "slug"),
    [
        ("/root/.npm/_cacache", "npm ci", "shared", "npm"),
        ("/root/x/../.npm", "npm ci", "shared", "npm"),
        ("../root/.npm", "npm ci", "shared", "npm"),
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
    assert (match.kind, match.entry and match.entry.slug) == (kind, slug)
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
    assert not match.locks_inside


@pytest.mark.parametrize(
    ("directory", "reason", "certain"),
    [
        ("/app/vendor", "vendor holds what one project installed", True),
        ("~/.npm", "`~` is not expanded", True),
        ("/opt/~/.npm", "`~` is not expanded", True),
        ("/opt/what", "no tool is known to keep a cache here", False),
        ("/", "no tool is known to keep a cache here", False),
        ("", "the project itself lies in this folder", False),
    ],
)
def test_why_unknown(directory: str, reason: str, *, certain: bool) -> None:
    match = classify(directory, "npm ci", workdir="/root")
    assert (match.kind, match.certain, match.entry) == ("unknown", certain, None)
    assert reason in match.reason


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
    assert match.entry
    assert (match.entry.slug, match.certain, match.locks_inside) == (slug, certain, locks)


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
        ("/root/.cache/go-build", {"GOCACHE": "~/x"}, "shared"),
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
    ("directory", "slug", "locks"),
    [
        ("$CARGO_HOME", "cargo-home", False),
        ("$CARGO_HOME/registry/index", "cargo-registry", False),
        ("$CARGO_HOME/bin", None, False),
        ("$GOPATH/pkg/mod", "go-mod", False),
        ("$GOPATH/pkg/mod/x", None, False),
        ("$GOPATH", None, False),
        ("$UV_CACHE_DIR/x/y", "uv", False),
        ("$GRADLE_USER_HOME/x", "gradle", False),
        ("$GRADLE_USER_HOME/caches/build-cache-1", "gradle-build-cache", False),
        ("$CARGO_TARGET_DIR", "target", True),
        ("$CARGO_TARGET_DIR/release", "target", True),
        ("$CARGO_TARGET_DIR/release/deps", "target", False),
        ("$HOME/.cache/uv", "uv", False),
        ("$HOME/go/pkg/mod", "go-mod", False),
        ("/x/$UV_CACHE_DIR", None, False),
    ],
)
def test_variables_that_are_not_known(directory: str, slug: str | None, *, locks: bool) -> None:
    match = classify(directory, "true")
    assert (match.entry and match.entry.slug, match.locks_inside) == (slug, locks)
    assert not match.certain


def test_a_variable_says_more_than_a_path() -> None:
    match = classify("/root/.npm", "npm ci", {"GOMODCACHE": "/root/.npm"})
    assert match.entry
    assert match.entry.slug == "go-mod"


def test_a_folder_of_that_name_is_not_moved() -> None:
    assert classify("/ci/golangci-lint", "", {"GOLANGCI_LINT_CACHE": "/x"}).kind == "exclusive"


def test_only_the_own_tool_tells_that_a_directory_is_moved() -> None:
    moved = classify("/app/deps", "mix deps.get", {"MIX_DEPS_PATH": "/d"})
    assert moved.reason == "MIX_DEPS_PATH is /d here: Mix dependencies never uses this directory"
    other = classify("/app/deps", "make", {"MIX_DEPS_PATH": "/d"})
    assert other.reason == "no tool is known to keep a cache here"


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


@pytest.mark.parametrize(
    ("directory", "environment", "kind", "slug"),
    [
        ("/srv/x/.cache/uv/a/b", {}, "shared", "uv"),
        ("/srv/x/.cargo", {}, "shared", "cargo-home"),
        ("/srv/x/.cargo/bin", {}, "unknown", None),
        ("/srv/x/.cargo/registry/index", {}, "cargo-subdir", "cargo-registry"),
        ("/srv/x/go/pkg/mod", {}, "unknown", None),
        ("/srv/x/.cache/uv", {"UV_CACHE_DIR": "/u"}, "unknown", "uv"),
    ],
)
def test_other_homes(
    directory: str, environment: dict[str, str], kind: str, slug: str | None
) -> None:
    match = classify(directory, "true", environment)
    assert (match.kind, match.entry and match.entry.slug) == (kind, slug)


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
    assert classify("/c", "bundle install", {"GEM_HOME": "/c/gems"}).kind == "exclusive"
    assert classify("/c", "bundle install", {"GEM_HOME": "$X/gems"}).kind == "unknown"


def test_parent_with_a_compiler_cache() -> None:
    environment = {"RUSTC_WRAPPER": "/usr/bin/sccache"}
    assert classify("/root/.cache", "cargo build", environment).kind == "exclusive"


def test_parent_with_an_opaque_command() -> None:
    assert classify("/root/.cache", "go build", opaque=True).kind == "unknown"
    assert classify("/root/.cache", "pip install x", opaque=True).kind == "exclusive"
    reason = classify("/root/.cache", "go build", opaque=True).reason
    assert reason == "a folder of several tools, and it cannot be told what all this RUN runs"
    assert classify("/root/.cache/go-build", "go build", opaque=True).kind == "shared"


def test_parent_that_holds_the_project() -> None:
    match = classify("/root", "cargo build", workdir="/root/app")
    assert (match.kind, match.certain) == ("unknown", False)
    assert match.reason == "the project itself lies in this folder"


def test_parent_is_as_strict_as_its_strictest_directory() -> None:
    catalog = load_catalog([{"target": "/root/.cache/x", "kind": "unknown", "tools": ["go"]}])
    assert classify("/root/.cache", "go build", catalog=catalog).kind == "unknown"
    assert classify("/root/.cache", "go build; pip list", catalog=catalog).kind == "exclusive"
    match = classify("/root/.cache", "uv sync && pip install x")
    assert match.reason.startswith("a folder of several tools, as strict as pip: pip copies")


def test_what_need_not_be_told() -> None:
    tools = frozenset({"go"})
    match = CATALOG.classify("/root/.cache", environment={}, home="/root", tools=tools)
    assert (match.kind, match.certain) == ("shared", True)


# The user's own.


def test_own_entry() -> None:
    catalog = load_catalog([{"target": "**/My_Cache", "kind": "shared", "reason": "we know"}])
    match = classify("/app/My_Cache/x", catalog=catalog)
    assert (match.kind, match.reason, match.certain) == ("shared", "we know", True)
    assert match.entry
    assert match.entry.slug == "my-cache"
    assert match.entry.custom


@pytest.mark.parametrize(
    ("target", "directory"),
    [
        ("/data/*/cache", "/data/a/cache"),
        ("~/stuff", "/root/stuff"),
        ("stuff/x", "/app/stuff/x"),
        ("./stuff/x", "/app/stuff/x"),
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
    assert match.entry
    assert (match.kind, match.entry.slug, match.certain) == ("exclusive", "own", True)


def test_own_target_below_a_variable() -> None:
    catalog = load_catalog([{"target": "$STUFF/x", "kind": "exclusive"}])
    stuff = {"STUFF": "/s"}
    assert classify("/s", "", stuff, catalog=catalog).kind == "unknown"
    assert classify("/s/x/y", "", stuff, catalog=catalog).kind == "exclusive"
    assert classify("/s/y", "", stuff, catalog=catalog).kind == "unknown"
    assert classify("${STUFF}/x", "", catalog=catalog).kind == "exclusive"


def test_own_entry_is_never_moved_away() -> None:
    anywhere = load_catalog([{"target": "**/registry", "kind": "shared"}])
    assert classify("/root/.cargo/registry", "", RUST, catalog=anywhere).kind == "shared"
    moved = load_catalog([{"target": "/data", "env": "$ACME", "kind": "shared"}])
    assert classify("/data", "", {"ACME": "/acme"}, catalog=moved).kind == "shared"
    assert classify("/acme", "", {"ACME": "/acme"}, catalog=moved).kind == "shared"


def test_own_entry_overrides_by_name() -> None:
    catalog = load_catalog([{"name": "pip", "kind": "shared", "reason": "wheels only"}])
    match = classify("/root/.cache/pip", catalog=catalog)
    assert (match.kind, match.reason) == ("shared", "wheels only")
    assert match.entry
    assert match.entry.slug == "pip"
    assert classify("/root/.cache/pip").kind == "exclusive"


def test_own_entry_that_is_left_alone() -> None:
    catalog = load_catalog([{"target": "/go/pkg/mod", "kind": "unknown"}])
    assert classify("/go/pkg/mod", "go build", catalog=catalog).kind == "unknown"


def test_own_entry_that_needs_a_tool() -> None:
    table = {"target": "**/out", "kind": "output", "tools": ["cargo"], "needs-tool": True}
    catalog = load_catalog([table])
    assert classify("/app/out", "cargo build", catalog=catalog).kind == "output"
    assert classify("/app/out/below", "cargo build", catalog=catalog).kind == "output"
    assert classify("/app/out", "make", catalog=catalog).kind == "unknown"
    beside = load_catalog([table | {"target": "**/target", "slug": "own"}])
    match = classify("/app/target", "cargo build", catalog=beside)
    assert match.entry
    assert (match.entry.slug, match.certain) == ("own", True)


# What users of the module rely on.


def test_built_in_catalogue_is_read_once() -> None:
    assert load_catalog() is load_catalog()


def test_catalogue_can_be_pickled() -> None:
    classify("/app/target", "cargo build")
    copy = pickle.loads(pickle.dumps(CATALOG))
    assert copy == CATALOG
    assert classify("/go/pkg/mod", catalog=copy).kind == "shared"


def test_a_directory_of_many_folders_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(pattern: str, word: str) -> bool:
        nonlocal calls
        calls += 1
        return pattern in ("*", word)

    monkeypatch.setattr(places, "fits", counted)
    catalog = load_catalog([{"target": "**/a/**/*/**/a/**/b", "kind": "shared"}])
    assert classify("/a" * 500, catalog=catalog).kind == "unknown"
    assert calls < 100_000
