from __future__ import annotations

import pytest

from migrate_cache.shell import all_commands, canonical, is_opaque, tools
from migrate_cache.shell.tools import launched
from tests.shell.commands import commands_of


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo build", {"cargo"}),
        ("xx-cargo build; xx-go build; xx-apt-get install x", {"cargo", "go", "apt"}),
        ("cross build; cargo-chef cook", {"cargo"}),
        ("./mvnw package; ./gradlew build", {"mvn", "gradle"}),
        ("pip3.11 install a; python3 -m pip install b", {"pip"}),
        ("apt-get update; yum install x; microdnf y; apk add z", {"apt", "dnf", "apk"}),
        ("npx playwright install", {"npm", "playwright"}),
        ("corepack pnpm@9 install", {"corepack", "pnpm"}),
        ("uv run maturin build", {"uv", "maturin", "cargo"}),
        ("uv run --with x python3 -m pytest", {"uv", "pytest"}),
        ("uv pip install x; uvx ruff check", {"uv", "ruff"}),
        ("poetry run pytest", {"poetry", "pytest"}),
        ("trunk build; wasm-pack build", {"trunk", "wasm-pack", "cargo"}),
        ("rustup run nightly cargo build", {"rustup", "cargo"}),
        ("golangci-lint run", {"golangci-lint", "go"}),
        ("micromamba install x", {"mamba"}),
        ("yarn next build", {"yarn", "next"}),
        ("echo cargo; cp target/release/go .", {"echo", "cp"}),
        ("command -v cargo", {"command"}),
        ("make build; ./cargo.sh", {"make", "cargo.sh"}),
        ("sccache rustc x.rs", {"sccache", "rustc", "rustup"}),
        ("a-tool-that-nobody-knows x", {"a-tool-that-nobody-knows"}),
    ],
)
def test_tools(script: str, expected: set[str]) -> None:
    assert tools(commands_of(script)) == expected


@pytest.mark.parametrize(
    "script",
    [
        "make", "just x", "task y", "ninja", "./x.sh", "bash x.sh", "sh", "python build.py",
        "python3 -m scripts.build", "npm run build", "yarn build", "cargo xtask dist", "$CMD x",
        "go generate ./...", "/build.sh", "node build.js", ". ./build.sh", "./configure",
        "/src/tools/compile",
    ],
)  # fmt: skip
def test_opaque(script: str) -> None:
    assert any(is_opaque(command) for command in commands_of(script))


@pytest.mark.parametrize(
    "script",
    [
        "cargo build", "npm ci", "yarn install", "pip list",
        "python -m pip install x", "cp a b", ". $HOME/.cargo/env", ". /opt/nvm.sh",
        "/root/.cargo/bin/cargo build",
        "/usr/bin/apt-get update", "sh -c 'cargo build'", "sh <<E\ncargo build\nE",
        "go build ./...",
        "python3 --version", "cd /app", "cargo chef cook",
    ],
)  # fmt: skip
def test_not_opaque(script: str) -> None:
    assert not any(is_opaque(command) for command in commands_of(script))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo +nightly -Z x chef cook --release", ("cargo", ("chef", "cook", "--release"))),
        ("cargo-chef chef cook", ("cargo", ("chef", "cook"))),
        ("xx-cargo --locked build", ("cargo", ("build",))),
        ("cargo auditable build --bin a", ("cargo", ("build", "--bin", "a"))),
        ("cargo +nightly hack --each-feature", ("cargo", ("--each-feature",))),
        ("npx next build", ("npm", ("exec", "next", "build"))),
        ("pip3 install x", ("pip", ("install", "x"))),
        ("cargo --version", ("cargo", ("--version",))),
    ],
)
def test_canonical(script: str, expected: tuple[str, tuple[str, ...]]) -> None:
    (command,) = commands_of(script)
    assert canonical(command) == expected


def test_known_tools_are_themselves_wherever_they_lie() -> None:
    (command,) = commands_of("/src/bin/weaver build")
    assert is_opaque(command)
    assert not is_opaque(command, known=frozenset({"weaver"}))
    (command,) = commands_of("./mvnw package")
    assert is_opaque(command)
    assert not is_opaque(command, known=frozenset({"mvn"}))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("rustup run nightly cargo build", "cargo build"),
        ("uv tool run --from black blackd x", "blackd x"),
        ("bunx --package a b", "b"),
        ("npx @scope/tool@1 x", "tool x"),
        ("pnpm dlx turbo@2 build", "turbo build"),
        ("uv run", None),
        ("rustup run nightly", None),
        ("uv sync", None),
    ],
)
def test_launched(script: str, expected: str | None) -> None:
    (command,) = commands_of(script)
    found = launched(command)
    assert (found and " ".join((found.program, *found.arguments))) == expected


def test_all_commands() -> None:
    programs = [c.program for c in all_commands(commands_of("uv run poetry run a; b"))]
    assert programs == ["uv", "poetry", "a", "b"]
    assert len(all_commands(commands_of("sccache " * 100 + "a"))) < 10


def test_cargo_target_dir_of_a_launched_cargo() -> None:
    (command,) = commands_of("rustup run nightly cargo build --target-dir /t")
    inner = launched(command)
    assert inner
    assert dict(inner.environment) == {"CARGO_TARGET_DIR": "/t"}
