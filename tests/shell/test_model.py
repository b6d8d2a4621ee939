from __future__ import annotations

from migrate_cache.shell import options
from tests.shell.commands import commands_of


def test_options() -> None:
    (command,) = commands_of("cargo build --bin a --bin=b -p c -- --bin d")
    assert options(command, "--bin", "-p") == ("a", "b", "c")
