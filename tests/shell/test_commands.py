from __future__ import annotations

import time

import pytest

from migrate_cache.shell import (
    Command,
    canonical,
    exec_command,
    is_opaque,
    options,
    parse_commands,
    tools,
)


def run(script: str) -> list[str]:
    """Return each command of a script as one line."""
    return [" ".join((c.program, *c.arguments)) for c in parse_commands(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("  \n ; ", []),
        ("cargo build --release", ["cargo build --release"]),
        ("a;b&&c||d|e&f\ng |& h", ["a", "b", "c", "d", "e", "f", "g", "h"]),
        ("(cd /app && go build)", ["cd /app", "go build"]),
        ("{ a; b; } && c", ["a", "b", "c"]),
        ("! test -f x || cargo fetch", ["test -f x", "cargo fetch"]),
        ("set -ex; cargo build", ["set -ex", "cargo build"]),
        ("/usr/bin/cargo build", ["cargo build"]),
        ("./build.sh all", ["build.sh all"]),
        ("cargo \\\n  build \\\r\n  -p x", ["cargo build -p x"]),
        ("car\\\ngo build", ["cargo build"]),
        # Words.
        ('cargo build --bin "shop-${SERVICE}"', ["cargo build --bin shop-${SERVICE}"]),
        ("cargo build --bin shop-'a b'\"c\"d", ["cargo build --bin shop-a bcd"]),
        (r"echo a\ b \$X $'x\'y' $" + '"z"', [r"echo a b $X x\'y z"]),
        ('echo "a\\"b" c', ['echo a"b c']),
        ("echo ${X:-'a b'} ${Y:+\"c d\"}", ["echo ${X:-a b} ${Y:+c d}"]),
        ("echo $((1 + (2 * 3))) x", ["echo $((1 + (2 * 3))) x"]),
        ("echo a#b # cargo build", ["echo a#b"]),
        ("a # b\nc", ["a", "c"]),
        # Redirections are no words.
        ("cargo build >log 2>&1 <in", ["cargo build"]),
        ("cargo build &>log x", ["cargo build x"]),
        ("echo 2 >>f x", ["echo 2 x"]),
        ("cat <<< 'go build' x", ["cat x"]),
        # Grammar of the shell.
        (
            "if [ -n a ]; then go vet; elif b; then c; else d; fi",
            ["[ -n a ]", "go vet", "b", "c", "d"],
        ),
        ("while read l; do npm ci; done < f", ["read l", "npm ci"]),
        ("for p in cargo go; do echo $p; done && ls", ["echo $p", "ls"]),
        ("case $A in amd64|x) a ;; (arm) b;; *) c; esac; d", ["a", "b", "c", "d"]),
        ("case x in esac; d", ["d"]),
        ("f() { cargo build; }; g () { x; }", ["cargo build", "x"]),
        ("function f { cargo build; }", ["cargo build"]),
        ("[[ $a == b && c < d ]] && go build", ["[[ $a == b c d ]]", "go build"]),
        ("a=(x y) go build", ["go build"]),
        # Substitutions are run before the command that they stand in.
        ("cp $(go env GOROOT)/x .", ["go env GOROOT", "cp $(go env GOROOT)/x ."]),
        ('echo "v: $(git log | head -1)"', ["git log", "head -1", "echo v: $(git log | head -1)"]),
        ("X=`go version`; echo a", ["go version", "echo a"]),
        ("diff <(sort a) >(tee b)", ["sort a", "tee b", "diff <(sort a) >(tee b)"]),
        ('echo "${X:-$(npm -v)}"', ["npm -v", "echo ${X:-$(npm -v)}"]),
        ("echo '$(cargo build)'", ["echo $(cargo build)"]),
        # Heredocs.
        ("cat <<EOF > x\ncargo build\nEOF\ngo vet", ["cat", "go vet"]),
        ("cat <<-'E O' && ls\n\trm\n\tE O\ngo vet", ["cat", "ls", "go vet"]),
        ("cat <<A <<B\na\nA\nb\nB\nc", ["cat", "c"]),
        ("sh <<EOF\ncargo build\nls\nEOF\ngo vet", ["cargo build", "ls", "go vet"]),
        ("cat <<EOF\nno end", ["cat"]),
        # Unbalanced input.
        (") cargo build", ["cargo build"]),
        ("echo 'a", ["echo a"]),
        ('echo "$(go vet', ["go vet", "echo "]),
    ],
)
def test_script(script: str, expected: list[str]) -> None:
    assert run(script) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("env -u X A=1 cargo build", ["cargo build"]),
        ("sudo -u app -E cargo build", ["cargo build"]),
        ("time -p cargo build", ["cargo build"]),
        ("exec nice -n 5 ionice -c 3 nohup cargo build", ["cargo build"]),
        ("timeout -k 5 -s KILL 60 cargo build", ["cargo build"]),
        ("timeout --signal=KILL 60 cargo build", ["cargo build"]),
        ("gosu app cargo build", ["cargo build"]),
        ("su-exec app:app cargo build", ["cargo build"]),
        ("doas -u app cargo build", ["cargo build"]),
        ("chroot --userspec=a /mnt apt-get update", ["apt-get update"]),
        ("find . | xargs -0 -n 1 cargo install", ["find .", "cargo install"]),
        ("command cargo build", ["cargo build"]),
        ("command -v cargo", ["command -v cargo"]),
        ("sh -c 'cargo build && ls'", ["cargo build", "ls"]),
        ("bash -euxo pipefail -c \"cd /a; sh -c 'go vet'\"", ["cd /a", "go vet"]),
        ("/bin/bash -lc 'cargo build' name", ["cargo build"]),
        ("su - app -c 'mvn package'", ["mvn package"]),
        ("eval 'cargo build; ls'", ["cargo build", "ls"]),
        ("flock -x /lock cargo build", ["cargo build"]),
        ("flock /lock -c 'cargo build'", ["cargo build"]),
        (
            "find . -exec cargo build {} \\; -print",
            ["find . -exec cargo build {} ; -print", "cargo build {}"],
        ),
        ("sudo", ["sudo"]),
        ("cargo auditable build --bin a", ["cargo build --bin a"]),
        ("python3 -m pip install a", ["pip install a"]),
        ("python3.11 -X dev -m venv /v", ["venv /v"]),
        ("python -c 'import m' -m pip", ["python -c import m -m pip"]),
        ("xx-cargo build", ["xx-cargo build"]),
        ("bash build.sh", ["bash build.sh"]),
    ],
)
def test_wrappers(script: str, expected: list[str]) -> None:
    assert run(script) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("A=1 B='x y' cargo build", {"A": "1", "B": "x y"}),
        ("env A=1 sudo B=2 cargo build", {"A": "1", "B": "2"}),
        ("export A=1 && cargo build", {"A": "1"}),
        ("A=1; export A; cargo build", {"A": "1"}),
        ("A=1; cargo build", {}),
        ("export A=1; A=2; cargo build", {"A": "2"}),
        ("(export A=1; ls); cargo build", {}),
        ("export A=1; (B=2 cargo build)", {"A": "1", "B": "2"}),
        ("A=1 sh -c 'export B=2; cargo build'", {"A": "1", "B": "2"}),
        ("declare -x A=1; cargo build", {"A": "1"}),
        ("export A=1; A=3 cargo build", {"A": "3"}),
        ("export A=1\nsh <<E\ncargo build\nE", {"A": "1"}),
        ("CARGO_HOME=${HOME}/c cargo build", {"CARGO_HOME": "${HOME}/c"}),
        ("cargo build --target-dir=/t", {"CARGO_TARGET_DIR": "/t"}),
        ("cargo build --target-dir $T -p x", {"CARGO_TARGET_DIR": "$T"}),
        ("cd a && cargo build --target-dir ../t", {}),
        ("cargo run -- --target-dir /t", {}),
    ],
)
def test_environment(script: str, expected: dict[str, str]) -> None:
    (command,) = [c for c in parse_commands(script) if c.program == "cargo"]
    assert dict(command.environment) == expected


def test_path_is_as_written() -> None:
    (command,) = parse_commands("/opt/maven/bin/mvn package")
    assert command == Command("mvn", ("package",), (), "/opt/maven/bin/mvn")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["cargo", "build", "a b", "$X", "&&"], ["cargo build a b $X &&"]),
        (["sh", "-c", "cargo build && ls"], ["cargo build", "ls"]),
        (["/usr/bin/env", "A=1", "go", "vet"], ["go vet"]),
    ],
)
def test_exec_form(words: list[str], expected: list[str]) -> None:
    assert [" ".join((c.program, *c.arguments)) for c in exec_command(words)] == expected


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
        ("corepack enable", set()),
        ("corepack pnpm@9 install", {"pnpm"}),
        ("uv run maturin build", {"uv", "cargo"}),
        ("uv pip install x; uvx ruff check", {"uv", "ruff"}),
        ("poetry run pytest", {"poetry", "pytest"}),
        ("trunk build; wasm-pack build", {"cargo"}),
        ("rustup run nightly cargo build", {"rustup", "cargo"}),
        ("golangci-lint run", {"golangci-lint", "go"}),
        ("micromamba install x", {"mamba"}),
        ("yarn next build", {"yarn", "next"}),
        ("echo cargo; cp target/release/go .", set()),
        ("command -v cargo", set()),
        ("make build; just x; ./cargo.sh", set()),
    ],
)
def test_tools(script: str, expected: set[str]) -> None:
    assert tools(parse_commands(script)) == expected


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
    assert any(is_opaque(command) for command in parse_commands(script))


@pytest.mark.parametrize(
    "script",
    [
        "cargo build", "./mvnw package", "./gradlew build", "npm ci", "yarn install", "pip list",
        "python -m pip install x", "cp a b", ". $HOME/.cargo/env", "/root/.cargo/bin/cargo build",
        "/usr/bin/apt-get update", "sh -c 'cargo build'", "sh <<E\ncargo build\nE",
        "go build ./...",
        "python3 --version", "cd /app", "cargo chef cook",
    ],
)  # fmt: skip
def test_not_opaque(script: str) -> None:
    assert not any(is_opaque(command) for command in parse_commands(script))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo +nightly -Z x chef cook --release", ("cargo", ("chef", "cook", "--release"))),
        ("cargo-chef chef cook", ("cargo", ("chef", "cook"))),
        ("xx-cargo --locked build", ("cargo", ("build",))),
        ("npx next build", ("npm", ("exec", "next", "build"))),
        ("pip3 install x", ("pip", ("install", "x"))),
        ("cargo --version", ("cargo", ("--version",))),
    ],
)
def test_canonical(script: str, expected: tuple[str, tuple[str, ...]]) -> None:
    (command,) = parse_commands(script)
    assert canonical(command) == expected


def test_options() -> None:
    (command,) = parse_commands("cargo build --bin a --bin=b -p c -- --bin d")
    assert options(command, "--bin", "-p") == ("a", "b", "c")


@pytest.mark.parametrize(
    "piece",
    [
        "$(", "(", "`", '"$(', '"${x:-', "env ", "A=1;", "export A=1;", "a;", "a ", "cat <<A\n",
        "sh <<A\n", "cat <<A ", "case a in ", "find . -exec ", "sh -c ", "'", '"', "$((", "\\",
        "<", "a", ")", "x=$(a) ", "${", "uv run ", "python -m ", "flock x -c ", "env -S ", "eval ",
        "$'\\",
    ],
)  # fmt: skip
def test_time_is_linear(piece: str) -> None:
    script = piece * (200_000 // len(piece))
    started = time.perf_counter()
    commands = parse_commands(script)
    tools(commands)
    for command in commands:
        is_opaque(command)
    assert time.perf_counter() - started < 5
