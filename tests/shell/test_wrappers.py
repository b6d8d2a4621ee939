from __future__ import annotations

import pytest

from migrate_cache.shell import Command
from tests.shell.commands import commands_of, lines_of


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
        (
            "find . -exec find x -exec find y -execdir go vet",
            [
                "find . -exec find x -exec find y -execdir go vet",
                "find x -exec find y -execdir go vet",
                "find y -execdir go vet",
            ],
        ),
        ("find . -ok go vet", ["find . -ok go vet", "go vet"]),
        (
            "find . -exec \\; -exec a + -exec b \\;",
            ["find . -exec ; -exec a + -exec b ;", "a", "b"],
        ),
        ("sudo", ["sudo"]),
        ("sudo -u app -- cargo build", ["cargo build"]),
        ("su - app", ["su - app"]),
        ("bash -c", ["bash -c"]),
        ("bash +x -o errexit -- a.sh", ["bash +x -o errexit -- a.sh"]),
        ("bash --login -c 'a'", ["a"]),
        ("eval $(a)", ["a", "eval $(a)"]),
        ("python3 -mpip install a", ["pip install a"]),
        ("python3 -m pip install a", ["pip install a"]),
        ("python3.11 -X dev -m venv /v", ["venv /v"]),
        ("python -c 'import m' -m pip", ["python -c import m -m pip"]),
        ("xx-cargo build", ["xx-cargo build"]),
        ("bash build.sh", ["bash build.sh"]),
    ],
)
def test_wrappers(script: str, expected: list[str]) -> None:
    assert lines_of(script) == expected


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
    (command,) = [c for c in commands_of(script) if c.program == "cargo"]
    assert dict(command.environment) == expected


def test_path_is_as_written() -> None:
    (command,) = commands_of("/opt/maven/bin/mvn package")
    assert command == Command("mvn", ("package",), (), "/opt/maven/bin/mvn")
