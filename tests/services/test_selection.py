"""What a command says that it builds."""

from __future__ import annotations

import pytest

from migrate_cache.services.selection import READINGS, builds_everything, selected
from migrate_cache.shell import read_script
from migrate_cache.shell.build_tools import build_tools
from tests.services.runs import TWO, decided, service, told


def things(command: str) -> str:
    """Return what a command says that it builds: one name, or several with blanks between."""
    result = decided(f"cargo build && {command}", root_name="")
    (reason,) = result.reasons
    if told(result):
        assert f"the command builds {told(result)}" in reason
        return told(result)
    _, several, names = reason.partition("the command builds several things: ")
    assert several or "neither build arguments nor names tell it" in reason
    return names.replace(",", "").replace(" and ", " ")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        # Cargo
        ("cargo build --bin a", "a"),
        ("cargo build --bin=a --bin b", "a b"),
        ("cargo build --bin a && cargo build --bin a", "a"),
        ("cargo b -p a -p b --bins", "a b"),
        ("cargo build -p a --bin b", "b"),
        ("cargo build -pa", "a"),
        ("cargo build -p", ""),
        ("cargo build --package a@1.2", "a"),
        ("cargo build -p 'a-*'", ""),
        ("cargo build -p 'a-*' -p b", "b"),
        ("cargo build --manifest-path x/a/Cargo.toml", "a"),
        ("cargo build --manifest-path x/a/Cargo.toml -p b", "b"),
        ("cargo build --manifest-path Cargo.toml", ""),
        ("cargo build -F a", ""),
        ("cargo build", ""),
        ("cargo", ""),
        ("cargo +nightly auditable build --bin a", "a"),
        ("cargo chef cook --bin a", "a"),
        ("cargo nextest run -p a", "a"),
        ("cargo install cargo-chef --bin x", ""),
        ("cargo install --path crates/a", "a"),
        ("cargo install --path crates/a/", "a"),
        ("cargo install --path .", ""),
        ("cargo install --path ..", ""),
        ("cargo metadata -p a", ""),
        # Go
        ("go build ./cmd/a", "a"),
        ("go install ./cmd/a", "a"),
        ("go build -o /out/x -tags y ./cmd/a ./cmd/b", "a b"),
        ("go build -v ./cmd/a", "a"),
        ("go build -ldflags ./cmd/b ./cmd/a", "a"),
        ("go build -o bin/ ./cmd/a/main.go", "a"),
        ("go build example.com/x/cmd/a", "a"),
        ("go install example.com/x/cmd/a@latest", ""),
        ("go build ./cmd/a/...", ""),
        ("go build -o /out/a .", "a"),
        ("go build -o /out/a", "a"),
        ("go build -o app .", ""),
        ("go build -o out/ .", ""),
        ("go build -o a ./...", ""),
        ("go build -o a ./... .", ""),
        ("go build -o a ./cmd/b", "b"),
        ("go test ./cmd/a", ""),
        ("go", ""),
        # Maven and Gradle
        ("mvn package -pl a -am", "a"),
        ("./mvnw -pl :a,x/b,!c package", "a b"),
        ("mvn -pl -c,+a package", "a"),
        ("mvn -pl g:a package", "a"),
        ("mvn --projects a? package", "a"),
        ("mvn -f x/a/pom.xml package", "a"),
        ("mvn --file x/a/pom.xml package", "a"),
        ("gradle :x:a:build -x :b:test", "a"),
        ("gradle :a:build --exclude-task :b:test", "a"),
        ("./gradlew a:build", "a"),
        ("gradle build -x b:test", ""),
        ("gradle -p x/a build", "a"),
        ("gradle --project-dir x/a build", "a"),
        ("gradle --x=a:b build", ""),
        # Node
        ("npm run build -w apps/a", "a"),
        ("npm run build --workspace=@x/a", "a"),
        ("npm --prefix apps/a run build", "a"),
        ("npm --filter a run build", ""),
        ("pnpm -w run build", ""),
        ("pnpm --filter @x/a... build", "a"),
        ("pnpm --filter ...^a build", "a"),
        ("pnpm --filter a^... build", "a"),
        ("pnpm --filter 'a[HEAD]' build", "a"),
        ("pnpm --filter-prod a build", "a"),
        ("pnpm -F './apps/a' build", "a"),
        ("pnpm -F '{apps/a}...' build", "a"),
        ("pnpm -F '!b' build", ""),
        ("pnpm -F './apps/*' build", ""),
        ("pnpm -C apps/a build", "a"),
        ("pnpm --dir apps/a build", "a"),
        ("npx turbo run build --filter=a", "a"),
        ("turbo build -F a", "a"),
        ("turbo build --scope a", "a"),
        ("turbo build --filter='[HEAD^1]'", ""),
        ("lerna run build --scope a", "a"),
        ("lerna run build --filter a", ""),
        ("yarn workspace @x/a build", "a"),
        ("yarn workspaces a build", ""),
        ("yarn --cwd apps/a build", "a"),
        ("npm workspace a build", ""),
        ("nx build a", "a"),
        ("nx build", ""),
        ("nx build a b", ""),
        ("npx nx run a:build:production", "a"),
        ("nx run-many -t build --projects=a,b", "a b"),
        ("nx affected -t build -p a", "a"),
        # Others
        ("dotnet publish src/A.B/A.B.csproj -o /app", "a.b"),
        ("dotnet build x/a.fsproj", "a"),
        ("dotnet build x/a.vbproj", "a"),
        ("dotnet publish -c Release x/a.csproj", "a"),
        ("dotnet publish src/A -c Release", "a"),
        ("dotnet publish -c Release", ""),
        ("dotnet build All.sln", ""),
        ("dotnet build All.slnx", ""),
        ("dotnet test a.csproj", ""),
        ("bazel build //x/a:image", "a"),
        ("bazel build //a:image", "a"),
        ("bazel build //:a", "a"),
        ("bazel build //...", ""),
        ("bazel build //x:all", ""),
        ("bazel build x/a", ""),
        ("swift build --product a", "a"),
        ("make a", ""),
    ],
)
def test_what_a_command_selects(command: str, expected: str) -> None:
    assert things(command) == expected


@pytest.mark.parametrize(
    "step",
    [
        *("build", "b", "rustc", "r", "run", "test", "t", "bench", "check", "c", "clippy", "doc"),
        *("chef cook", "zigbuild", "xwin build", "lambda build", "deb", "leptos build"),
        *("nextest run", "llvm-cov", "component build"),
    ],
)
def test_what_selects_with_cargo(step: str) -> None:
    assert things(f"cargo {step} --bin a") == "a"


@pytest.mark.parametrize(
    "option",
    [
        *("-o", "-tags", "-ldflags", "-gcflags", "-asmflags", "-p", "-mod", "-modfile"),
        *("-overlay", "-pkgdir", "-toolexec", "-buildmode", "-compiler", "-installsuffix"),
        *("-C", "-pgo"),
    ],
)
def test_what_takes_a_word_with_go(option: str) -> None:
    assert things(f"go build {option} ./x ./cmd/a") == "a"


@pytest.mark.parametrize("option", ["-x", "--exclude-task", "-c", "-b", "-I"])
def test_what_takes_a_word_with_gradle(option: str) -> None:
    assert things(f"gradle {option} :b:x :a:build") == "a"


@pytest.mark.parametrize("option", ["-p", "--project-dir"])
def test_the_folder_of_a_gradle_project(option: str) -> None:
    assert things(f"gradle {option} x:y/c build") == "c"


@pytest.mark.parametrize("name", ["app", "main", "server", "out", "bin"])
def test_names_that_say_nothing(name: str) -> None:
    assert things(f"go build -o /out/{name} .") == ""
    assert things(f"go build ./cmd/{name}") == name


@pytest.mark.parametrize(
    ("command", "before", "expected"),
    [
        ("cargo build --bin $NAME", "ENV NAME=a", "a"),
        ("cargo build --bin x-${NAME}", "ENV NAME=a", "x-a"),
        ("NAME=b; cargo build --bin $NAME", "ENV NAME=a", "shop"),
        ("cargo build --bin $NAME", "", "shop"),
        ("cargo build --bin $NAME --bin b", "ENV NAME=a", "shop"),
        ("cargo build --bin $NAME --bin b", "", "b"),
        ("cargo build --bin 1", "", "shop"),
        ("pnpm --filter ${NAME}... build && cargo build", "ENV NAME=a", "a"),
    ],
)
def test_variables(command: str, before: str, expected: str) -> None:
    assert service(command, before) == expected


@pytest.mark.parametrize(
    ("path", "command", "expected"),
    [
        ("Dockerfile.worker", "cargo build --bin shop-worker", "worker"),
        ("Dockerfile.worker", "cargo build --bin shop_worker", "worker"),
        ("Dockerfile.worker", "cargo build --bin worker", "worker"),
        ("Dockerfile.worker", "cargo build --bin shopworker", "shopworker"),
        ("Dockerfile.worker", "cargo build --bin worker-shop", "worker-shop"),
        ("Dockerfile.worker", "cargo build --bin api", "api"),
        ("worker/Dockerfile", "cargo build --bin shop-worker", "shop-worker"),
    ],
)
def test_the_files_name_beside_what_the_command_builds(
    path: str, command: str, expected: str
) -> None:
    assert service(command, path=path) == expected


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("cargo build --workspace", True),
        ("cargo build --all --release", True),
        ("cargo build --bins", True),
        ("cargo build --all-targets", True),
        ("cargo build --bins -p $X", False),
        ("cargo build", False),
        ("go build ./...", True),
        ("go build ./cmd/...", False),
        ("go build ./cmd", None),
        ("pnpm -r build", True),
        ("pnpm --recursive build", True),
        ("npm run build -ws", False),
        ("npm ci -ws", True),
        ("npm ci --workspaces", True),
        ("npm ci", False),
        ("nx run-many -t build", True),
        ("bazel build //...", True),
        ("npx nx run-many -t build", True),
        ("make ./...", False),
    ],
)
def test_what_builds_everything_is_one_build_for_all_services(
    command: str, whole: bool | None
) -> None:
    expected = {True: "shop", False: "${SERVICE}", None: "cmd"}[whole]
    run = command if command.startswith("cargo") else f"{command} && cargo build"
    assert service(run, "ARG SERVICE", compose=TWO) == expected


# -- the data of the tools ------------------------------------------------------------------------


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
