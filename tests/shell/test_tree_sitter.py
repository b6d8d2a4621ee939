"""Real scripts are read as tree-sitter-bash reads them (``--corpus DIR``)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from migrate_cache.dockerfile.parser import parse
from migrate_cache.dockerfile.tree import Run
from migrate_cache.shell import read_script
from migrate_cache.text.errors import ParseError
from tests.shell import tree_sitter_reading as oracle
from tests.test_corpus import records

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_cache.shell import Script

# Scripts that tree-sitter reads otherwise, by a pattern of their text, and why.
DIFFERENCES = {
    r"xargs -rt < ./apt-deps.txt": "it ends the words of a command at a redirection",
    r"! \{ ldd ": "it takes the brace after `!` for a program",
    r"&& \\ useradd": "the escaped blank is part of the word: a shell looks for ` useradd`, too",
    r"--mount=type=bind, source": "it takes `--mount=` for an assignment",
}


def scripts(folder: Path) -> set[str]:
    found = set()
    for record in records(folder):
        try:
            tree = parse((folder / record["path"]).read_bytes())
        except ParseError:
            continue
        runs = (instruction.trigger or instruction for instruction in tree.instructions)
        found.update(run.script for run in runs if isinstance(run, Run))
    return found


def facts(script: Script) -> tuple[Counter[str], frozenset[str]]:
    return Counter(command.program for command in script.commands), script.assigns


def differs(script: str) -> bool:
    return facts(read_script(script)) != facts(oracle.read_script(script))


def test_scripts_are_read_as_tree_sitter_reads_them(corpus: Path) -> None:
    unexplained, used, unread = [], set(), 0
    known = scripts(corpus)
    for script in known:
        try:
            is_same = not differs(script)
        except oracle.UnreadableError:
            unread += 1
            continue
        why = {pattern for pattern in DIFFERENCES if re.search(pattern, script)}
        used |= set() if is_same else why
        if not is_same and not why:
            unexplained.append(script)
    assert not unexplained, f"{len(unexplained)} scripts, the first:\n{unexplained[0]}"
    assert used == set(DIFFERENCES)
    assert unread < len(known) / 100


@pytest.mark.parametrize(
    "script",
    [
        "A=1 B=2 cargo build && export C=3 D",
        "cd x; (make -j4 | tee log) & wait",
        "if [ -f x ] || [[ $y == z* ]]; then a; elif ! b; then c; else d; fi",
        "for i in a $(b); do c \"$i\" '$(d)'; done < e > f",
        "while read -r line; do a; done <<EOF\nb\nEOF\nc",
        "case $(uname -m) in x86_64|amd64) a;; *) B=1; c;; esac",
        "sudo -u app env A=1 sh -c 'cargo build; B=\"$(go env)\"'",
        "bash -e <<'EOF'\nA=1\ncargo build\nEOF\ngo vet",
        "f() { a; }; g () { local B=1; b; }; f",
        "find . -name x -exec sh -c 'a; b' \\; ; unset C",
        'a "$(b "$(c)")" `d` ${E:-$(f)} # g',
    ],
)
def test_the_oracle_agrees_on_plain_scripts(script: str) -> None:
    assert not differs(script)


def test_the_oracle_can_disagree() -> None:
    assert facts(oracle.read_script("a; b")) != facts(read_script("a; c"))
    with pytest.raises(oracle.UnreadableError):
        oracle.read_script("if a; then")
