from __future__ import annotations

import pytest

from migrate_cache.services.selection import READINGS, builds_everything, selected
from migrate_cache.shell import read_script
from migrate_cache.shell.build_tools import build_tools


def test_every_reading_of_the_data_is_known_and_used() -> None:
    used = {
        reading
        for tools in build_tools().values()
        for tool in tools
        for places in tool.names
        for reading in places.values()
    }
    assert used == set(READINGS)


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("cargo build --bin a && cargo build --bin b && cargo test --bin a", "a b"),
        ("npx turbo build --filter=a", "a"),
        # The strongest place that names something.
        ("cargo build -p x --bin a", "a"),
        ("cargo build --manifest-path x/Cargo.toml -p a", "a"),
        ("cargo build --bin 'a-*' -p x", ""),
        ("go build -o /out/x ./cmd/a", "a"),
        ("go build -o /out/x .", "x"),
        ("go build -o /out/x ./cmd/...", ""),
        ("go build -o /out/ .", ""),
        ("go build -o /out/server .", ""),
        ("go build ./... ./cmd/a", "a"),
        ("go install x@latest", ""),
        ("go build ./cmd/a/", "a"),
        ("go build ..", ""),
        ("mvn -f x/a/pom.xml -pl b package", "b a"),
        ("mvn -pl +a,?b,g:c,-d package", "a b c"),
        ("gradle -p x/a :b:build", "b a"),
        ("gradle :build", ""),
        ("npm --prefix x/a run build -w b", "b a"),
        ("yarn --cwd x/a build", "a"),
        ("yarn run workspace b", ""),
        ("lerna run build --scope @x/a", "a"),
        ("pnpm --filter '...^a' build", "a"),
        ("pnpm --filter 'a^...[origin/main]' build", "a"),
        ("pnpm --filter '${A}...' build", "${A}"),
        ("nx affected -p a,b -t build", "a b"),
        ("nx build a b", ""),
        ("nx --verbose build a", "a"),
        ("nx build --projects=a", ""),
        ("dotnet publish -c Release src/A", ""),
        ("dotnet publish -c Release src/A/A.fsproj", "A"),
        ("dotnet build All.slnx", ""),
        ("dotnet restore src/A/A.csproj", ""),
        ("bazel build //:image", "image"),
        ("bazel build //x:all //y/b", "b"),
        ("swift build --product=a", "a"),
        ("cargo lambda build --bin a", "a"),
        ("cargo lambda deploy --bin a", ""),
    ],
)
def test_what_is_selected(script: str, names: str) -> None:
    assert " ".join(selected(read_script(script).commands)) == names


@pytest.mark.parametrize(
    ("script", "whole"),
    [
        ("cargo build --all-targets", True),
        ("true && cargo build --workspace", True),
        ("cargo build --workspace --bin a", False),
        ("npm run build --workspaces", True),
        ("bazel build //...", True),
        ("make --all", False),
        ("", False),
    ],
)
def test_what_builds_everything(script: str, *, whole: bool) -> None:
    assert builds_everything(read_script(script).commands) is whole
