from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_cache.plan.api import migrate
from migrate_cache.services.names import clean_name, from_file_name, from_folder
from migrate_cache.services.selection import builds_everything, selected
from migrate_cache.settings import Override, Settings
from migrate_cache.shell import read_script
from tests.steps import assert_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_cache.plan.model import Outcome

RUN = "RUN --mount=type=cache,target=/b/target,sharing=locked "
DOCKERFILE = f"FROM rust AS builder\nWORKDIR /b\n%s\nCOPY . .\n{RUN}%s\n"


def outcome(
    run: str,
    before: str = "",
    *,
    path: str = "Dockerfile",
    settings: Settings | None = None,
    **build_files: str,
) -> Outcome:
    names = {"compose": "compose.yaml", "bake": "docker-bake.json", "other": "x/compose.yaml"}
    files = {names[key]: text.encode() for key, text in build_files.items()}
    result = migrate(
        {path: DOCKERFILE % (before, run)}, settings, build_files=files, root_name="shop"
    )
    assert not any(file.error for file in result.files)
    return result.outcomes[0]


def compose(**services: str) -> str:
    """Return a compose file: of each service its arguments, as ``A=1 B=2``."""
    lines = ["services:"]
    for name, arguments in services.items():
        lines += [f"  {name}:", "    build:", "      context: .", "      args:"]
        lines += [f"        - {word}" for word in arguments.split()]
    return "\n".join(lines)


TWO = compose(till="SERVICE=till", stock="SERVICE=stock")


@pytest.mark.parametrize(
    ("command", "things"),
    [
        ("cargo build --bin a", "a"),
        ("cargo build --bin=a --bin b", "a b"),
        ("cargo b -p a -p b --bins", "a b"),
        ("cargo build -pa", "a"),
        ("cargo build --package a@1.2", "a"),
        ("cargo build -p 'a-*'", ""),
        ("cargo build --manifest-path x/a/Cargo.toml", "a"),
        ("cargo build --manifest-path Cargo.toml", ""),
        ("cargo build -F a", ""),
        ("cargo +nightly auditable build --bin a", "a"),
        ("cargo chef cook --bin a", "a"),
        ("cargo install cargo-chef --bin x", ""),
        ("cargo install --path crates/a", "a"),
        ("cargo metadata -p a", ""),
        ("go build ./cmd/a", "a"),
        ("go build -o /out/x -tags y ./cmd/a ./cmd/b", "a b"),
        ("go build -o bin/ ./cmd/a/main.go", "a"),
        ("go build example.com/x/cmd/a", "a"),
        ("go build -o /out/a .", "a"),
        ("go build -o app .", ""),
        ("go build -o a ./...", ""),
        ("go test ./cmd/a", ""),
        ("mvn package -pl a -am", "a"),
        ("./mvnw -pl :a,x/b,!c package", "a b"),
        ("mvn -f x/a/pom.xml package", "a"),
        ("gradle :x:a:build -x :b:test", "a"),
        ("./gradlew a:build", "a"),
        ("gradle build -x b:test", ""),
        ("gradle -p x/a build", "a"),
        ("npm run build -w apps/a", "a"),
        ("npm run build --workspace=@x/a", "a"),
        ("npm --prefix apps/a run build", "a"),
        ("pnpm -w run build", ""),
        ("pnpm --filter @x/a... build", "a"),
        ("pnpm -F './apps/a' build", "a"),
        ("pnpm -F '{apps/a}...' build", "a"),
        ("pnpm -F '!b' build", ""),
        ("pnpm -F './apps/*' build", ""),
        ("pnpm -C apps/a build", "a"),
        ("npx turbo run build --filter=a", "a"),
        ("turbo build --filter='[HEAD^1]'", ""),
        ("yarn workspace @x/a build", "a"),
        ("nx build a", "a"),
        ("npx nx run a:build:production", "a"),
        ("nx run-many -t build --projects=a,b", "a b"),
        ("dotnet publish src/A.B/A.B.csproj -o /app", "A.B"),
        ("dotnet publish src/A -c Release", "A"),
        ("dotnet build All.sln", ""),
        ("bazel build //x/a:image", "a"),
        ("bazel build //...", ""),
        ("swift build --product a", "a"),
        ("make a", ""),
    ],
)
def test_what_a_command_selects(command: str, things: str) -> None:
    assert " ".join(selected(read_script(command).commands)) == things


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("cargo build --workspace", True),
        ("cargo build --all --release", True),
        ("cargo build --bins", True),
        ("cargo build --bins -p a", False),
        ("cargo build", False),
        ("go build ./...", True),
        ("pnpm -r build", True),
        ("nx run-many -t build", True),
    ],
)
def test_what_builds_everything(command: str, whole: bool) -> None:
    assert builds_everything(read_script(command).commands) is whole


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Shop.API_v2", "shop.api_v2"),
        ('a,b"c\nd', "a-b-c-d"),
        ("${X}$(id)`id`", "x-id-id"),
        ("-._a_.-", "a"),
        ("ünïcode", "n-code"),
        ("склад", ""),
        ("a" * 5000, "a" * 80),
        ("", ""),
    ],
)
def test_names_are_reduced(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.parametrize(
    ("path", "by_file", "by_folder"),
    [
        ("Dockerfile", "", ""),
        ("Dockerfile.api", "api", ""),
        ("docker/api.Dockerfile", "api", ""),
        ("Dockerfile-api", "api", ""),
        ("Containerfile.api", "api", ""),
        ("Dockerfile.api.dev", "api", ""),
        ("Dockerfile.sensor.optimized", "sensor", ""),
        ("Dockerfile.alpine-3.20", "", ""),
        ("services/api/Dockerfile", "", "api"),
        ("services/api/Dockerfile.dev", "", "api"),
        ("api/docker/Dockerfile", "", "api"),
        ("cmd/x/Dockerfile", "", "x"),
        ("Shop API/Dockerfile", "", "shop-api"),
        (".devcontainer/Dockerfile", "", ""),
        ("v2/склад/Dockerfile", "", ""),
        ("api-debian/Dockerfile", "", "api"),
    ],
)
def test_names_of_files_and_folders(path: str, by_file: str, by_folder: str) -> None:
    found = [answer.text if answer else "" for answer in (from_file_name(path), from_folder(path))]
    assert found == [by_file, by_folder]


@pytest.mark.parametrize(
    ("run", "before", "files", "new_id"),
    [
        # Arguments that the text uses
        ("cargo build --bin x-${SERVICE}", "ARG SERVICE", {}, "target-builder-${SERVICE}"),
        ("cargo build --bin ${WHAT}", "ARG WHAT", {}, "target-builder-${WHAT}"),
        ("cargo build --bin ${A}-${B}", "ARG A\nARG B", {}, "target-builder-${A}-${B}"),
        ("cargo build --features ${WHAT}", "ARG WHAT", {}, "target-builder-shop"),
        ("cargo build --features ${WHAT}", "ARG WHAT",
         {"compose": compose(a="WHAT=1", b="WHAT=2")}, "target-builder-${WHAT}"),
        ("cargo build --bin ${SERVICE} --features ${WHAT}", "ARG SERVICE\nARG WHAT",
         {"compose": compose(a="WHAT=1", b="WHAT=2")}, "target-builder-${SERVICE}-${WHAT}"),
        ("cargo build --bin ${SERVICE} --profile ${MODE}", "ARG SERVICE\nARG MODE",
         {"compose": compose(a="SERVICE=a MODE=x", b="SERVICE=b MODE=y")},
         "target-builder-${SERVICE}"),
        ("cargo build --bin ${BIN}", "ARG SERVICE\nENV BIN=x-${SERVICE}", {},
         "target-builder-${BIN}"),
        ("cargo build --bin ${ARCH}", "ARG TARGETOS\nENV ARCH=x-${TARGETOS}", {},
         "target-builder-shop"),
        ("cargo build --bin till # ${SERVICE}", "ARG SERVICE", {}, "target-builder-till"),
        # Arguments in scope that it does not use
        ("cargo build", "ARG SERVICE", {}, "target-builder-shop"),
        ("cargo build", "ARG SERVICE", {"compose": TWO}, "target-builder-${SERVICE}"),
        ("cargo build", "ARG PORT\nARG SERVICE",
         {"compose": compose(a="SERVICE=a PORT=1", b="SERVICE=b PORT=2")},
         "target-builder-${SERVICE}"),
        ("cargo build --workspace", "ARG SERVICE", {"compose": TWO}, "target-builder-shop"),
        ("cargo build --bin till", "ARG SERVICE", {"compose": TWO}, "target-builder-till"),
        ("cargo build", "ARG SERVICE\nWORKDIR ${SERVICE}", {}, "target-builder-${SERVICE}"),
        ("cargo build", "ARG SERVICE\nRUN go build ./cmd/${SERVICE}", {},
         "target-builder-${SERVICE}"),
        ("./build.sh && cargo build", "ARG SERVICE", {}, "target-builder-${SERVICE}"),
        ("SERVICE=x cargo build", "ARG SERVICE", {"compose": TWO}, "target-builder-shop"),
        # Compose and bake
        ("cargo build", "", {"compose": compose(till="A=1")}, "target-builder-till"),
        ("cargo build", "", {"compose": compose(a_x="", b_x="")}, "target-builder-x"),
        ("cargo build", "", {"compose": compose(x_1="", x_2="")}, "target-builder-x"),
        ("cargo build", "", {"compose": compose(a_dev="", b_dev="")}, "target-builder-shop"),
        ("cargo build", "", {"compose": compose(base="", till="")}, "target-builder-till"),
        ("cargo build", "", {"compose": "services: {'a,b\"': {build: .}}"}, "target-builder-a-b"),
        ("cargo build", "", {"bake": '{"target": {"default": {}}}'}, "target-builder-shop"),
        ("cargo build", "", {"bake": '{"target": {"till": {}}}'}, "target-builder-till"),
        # The command
        ("cargo build --bin a --bin b", "", {}, "target-builder-shop"),
        ("A=x; cargo build --bin $A", "ENV A=y", {}, "target-builder-shop"),
        ('["cargo", "build", "--bin", "${SERVICE}"]', "ARG SERVICE=x", {}, "target-builder-shop"),
        ('["sh", "-c", "cargo build --bin ${SERVICE}"]', "ARG SERVICE=x", {},
         "target-builder-${SERVICE}"),
    ],
)  # fmt: skip
def test_service_of_a_run(run: str, before: str, files: dict[str, str], new_id: str) -> None:
    assert outcome(run, before, **files).id_after == new_id


@pytest.mark.parametrize(
    ("run", "before", "files", "why"),
    [
        ("make ${APP} ${MODULE} && cargo build", "ARG APP\nARG MODULE", {}, "APP and MODULE"),
        ("cargo build --bin $A -p x && cargo build --bin $B && cargo build --bin $C",
         "ARG A\nARG B\nARG C", {}, "A, B and C"),
        ("cargo build --features ${WHAT}", "ARG WHAT",
         {"compose": compose(a="WHAT=x,y", b="WHAT=z")}, "WHAT differs between a and b"),
        ("cargo build --bin ${SERVICE}", "ARG SERVICE",
         {"compose": compose(a="SERVICE=$$x", b="SERVICE=z")}, "cannot stand in an id"),
        ("V=${APP_VERSION} cargo build --bin x", "ARG APP_VERSION",
         {"compose": compose(a="APP_VERSION=1", b="APP_VERSION=2")}, "APP_VERSION differs"),
        ("cargo build", "",
         {"compose": "services: {app: {build: {context: ., dockerfile: Dockerfile}}}",
          "other": "services: {app: {build: {context: ., dockerfile: ../Dockerfile}}}"},
         "the folder that is built differs between app of compose.yaml and app of x/compose.yaml"),
        ("cargo build --bin ${SERVICE}", "ARG SERVICE",
         {"compose": "services: {a: {build: {context: a, dockerfile: ../Dockerfile}},"
                     " b: {build: {context: b, dockerfile: ../Dockerfile}}}"},
         "the folder that is built differs"),
    ],
)  # fmt: skip
def test_nothing_is_made_up(run: str, before: str, files: dict[str, str], why: str) -> None:
    found = outcome(run, before, **files)
    assert (found.rule, found.changed) == ("MC208", False)
    assert why in found.reason


@pytest.mark.parametrize(
    ("settings", "new_id"),
    [
        (Settings(service="x"), "target-builder-x"),
        (Settings(overrides=(Override(("Dockerfile",), service="x"),)), "target-builder-x"),
        (Settings(overrides=(Override(("Dockerfile",), id="a-${SERVICE}"),)), "a-${SERVICE}"),
        (Settings(overrides=(Override(("Dockerfile",), id="a-${NO}"),)), "/b/target"),
        (Settings(overrides=(Override(("Dockerfile",), service="${NO}"),)), "/b/target"),
        (Settings(overrides=(Override(("other/*",), id="x"),)), "target-builder-${SERVICE}"),
    ],
)
def test_the_configuration_comes_first(settings: Settings, new_id: str) -> None:
    found = outcome("cargo build --bin ${SERVICE}", "ARG SERVICE", settings=settings)
    assert found.id_after == new_id


def test_many_builds_of_one_file_take_a_step_each() -> None:
    def make(size: int) -> Callable[[], object]:
        services = "".join(
            f"  s{n}: {{build: {{context: ., args: {{SERVICE: s{n}}}}}}}\n" for n in range(size)
        )
        compose = "services:\n" + services
        return lambda: outcome("cargo build --bin ${SERVICE}", "ARG SERVICE", compose=compose)

    assert_linear(make, 100)


def test_many_builds_of_one_file_are_one_service_each() -> None:
    services = "".join(
        f"  s{n}: {{build: {{context: ., args: {{SERVICE: s{n}}}}}}}\n" for n in range(1500)
    )
    found = outcome("cargo build --bin ${SERVICE}", "ARG SERVICE", compose="services:\n" + services)
    assert found.id_after == "target-builder-${SERVICE}"
