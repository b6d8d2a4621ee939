from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from migrate_cache.shell import Script, is_opaque, read_exec_form, read_script, tools
from migrate_cache.shell.model import MAX_EXPORTS
from migrate_cache.shell.syntax import MAX_NESTING
from tests.shell.commands import commands_of, lines_of

if TYPE_CHECKING:
    from types import FrameType


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
    assert lines_of(script) == expected


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
    found = read_exec_form(words)
    assert [" ".join((c.program, *c.arguments)) for c in found.commands] == expected
    assert found.reads == ()


@pytest.mark.parametrize(
    ("words", "reads", "assigns"),
    [
        (["cargo", "build", "$A", "B=1"], (), set()),
        (["/bin/sh", "-ec", "B=1; x $A $B"], ("A",), {"B"}),
        (["sudo", "bash", "-o", "pipefail", "-c", "x $A"], ("A",), set()),
        (["bash", "x.sh", "$A"], (), set()),
    ],
)
def test_variables_of_the_exec_form(
    words: list[str], reads: tuple[str, ...], assigns: set[str]
) -> None:
    found = read_exec_form(words)
    assert (found.reads, found.assigns) == (reads, assigns)


@pytest.mark.parametrize(
    ("script", "reads", "assigns"),
    [
        ("cargo build --bin $A --features ${B} x${C}y", "A B C", ""),
        ("x ${A:-d} ${B:+y} ${C%-*} ${D##*/} ${#E} ${F:=g} ${G/a/b}", "A B C D E F G", ""),
        ("x ${A:-${B}}", "A B", ""),
        ("echo '$A' \\$B \\${C} $$D $1 $@ $?", "", ""),
        ('echo "$A \'it $B\'" "\\$C"', "A B", ""),
        ("x $(f $A) `g $B` $((C + $D))", "A B D", ""),
        ("A=x; y $A", "", "A"),
        ("A=x && y $A $B", "B", "A"),
        ("A=x y $A", "A", "A"),
        ("A=1 B=2 y $A", "A", "A B"),
        ("A=1 B=$C; y $A $B", "C", "A B"),
        ("export A=x\ny $A", "", "A"),
        ("A=${A:-x}; y $A", "A", "A"),
        ("A=x$B; y $A", "B", "A"),
        ("y $A; A=x", "A", "A"),
        ("if [ -z $X ]; then A=1; else A=2; fi; y $A", "X", "A"),
        ("case $X in a) A=1 ;; *) A=2 ;; esac; y $A", "X", "A"),
        ("for A in a $B; do y $A; done", "B", "A"),
        ("while read -r A C; do y $A $C; done < $B", "B", "A C"),
        ("A=$(echo a; echo $B) && y $A", "B", "A"),
        ("echo 'A=1; ' \"; B=1;\"; y $A $B", "A B", ""),
        ("x --flag=A=1 $A", "A", ""),
        ("sh -c 'x $A'", "A", ""),
        ("bash -lec 'A=1; x $A $B'", "B", "A"),
        ('sh -c "x \\$A"', "A", ""),
        ("eval 'x $A'", "A", ""),
        ("# $A\nx $B # $C\nx a#$D", "B D", ""),
        ("cat <<EOF > f\n$A don't '$B' \\$C\nEOF\nx $D", "A B D", ""),
        ("cat <<'EOF' > f\n$A\nEOF\nx $B", "B", ""),
        ("cat <<-\\EOF > f\n$A\n\tEOF\nx $B", "B", ""),
        ("bash <<'EOF'\nA=1\nx $A $B\nEOF", "B", "A"),
        ("python3 - <<'EOF'\n$A\nEOF", "", ""),
        ("x <<< $A", "A", ""),
        ("$\u0410 $\u00c4B", "", ""),
        # Assigned by builtins and by the words of others.
        (
            "read -p Name A; unset B; getopts ab C; printf -v D %s x; y $A $B $C $D",
            "",
            "A B C D Name",
        ),
        ("mapfile A; select B in $C; do y $A $B; done", "C", "A B"),
        ("export A=1 B=$A; declare -r C=$B; y $C", "", "A B C"),
        ("A=1 B=$A y; z $B", "B", "A B"),
        ("echo export A=1; env B=1 y; z $A $B", "A B", ""),
        ("A=(x $B); y $A", "B", "A"),
        ("A=$(B=1; echo $B); y $B", "", "A B"),
        ("f() { A=1; }; g () { B=1; }; y $A $B", "", "A B"),
        ('A="$(x "a b")"; y $A', "", "A"),
        # Words, not code.
        ('echo "if A=1; read B"; y $A $B', "A B", ""),
        ("python3 -c 'x $A'; y $B", "B", ""),
        # Scripts in scripts.
        ('sh -c "A=1; x $A \\$A"', "A", "A"),
        ("sh -c 'x $A; B=1' && y $B; find . -exec sh -c 'z $C' \\;", "A C", "B"),
        ("su app -c 'x \"$A\" '\"'$B'\"", "B A", ""),
        ("sh <<'EOF'\nx $A\nEOF\nA=1", "A", "A"),
        ("sh <<E <<F\n$A\nE\ny $B\nF\n", "A B", ""),
    ],
)
def test_variables_that_a_script_reads(script: str, reads: str, assigns: str) -> None:
    found = read_script(script)
    assert (" ".join(found.reads), " ".join(sorted(found.assigns))) == (reads, assigns)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("g () { a; }; b", ["a", "b"]),
        ("if [[ a ]]; then b; fi", ["[[ a ]]", "b"]),
        ("([[ a || (b) ]])\nc", ["[[ a b ]]", "c"]),
        ("cat <<'E'; sh <<F\n$(a)\nE\nb\nF\nc", ["cat", "b", "c"]),
        ("sh <<E\n\nE\na", ["a"]),
        ("sh <<E\nE\na", ["sh", "a"]),
        ("sudo sh -s <<E\na\nE", ["a"]),
        ("sh a.sh <<E\nb\nE", ["sh a.sh"]),
        ("(sh <<E\na\nE\n) && b", ["a", "b"]),
        ("a=()\nb", ["b"]),
        ("a=(\n x\n y\n)\nb", ["b"]),
        ("ls !(a|b) && c", ["ls !(a|b)", "c"]),
        ('a "${X:-"${Y:-b c}"}" d', ["a ${X:-${Y:-b c}} d"]),
        ('a "${X:-it\'s}" && b', ["a ${X:-it's}", "b"]),
        ("a $((x ? (1) : 2)) && b", ["a $((x ? (1) : 2))", "b"]),
        ("a $$ && b $$c", ["a $$", "b $$c"]),
        ("case $(a) in x) case y in z) b;; esac;; *) c; esac", ["a", "b", "c"]),
        ("case a in if) b;; esac; if case x in y) c; esac then d; fi", ["b", "c", "d"]),
        ("a 2>&1 >|b 3<>c <d &>>e f", ["a f"]),
        ("a 2\\>b", ["a 2>b"]),
        ("sh <<E <<F\na\nE\nb\nF\n", ["b"]),
        ('a "$((1 + (2))); b"; c', ["a $((1 + (2))); b", "c"]),
        ("case x in a) case y in b) c;; d) e;; esac;; f) g;; esac; h", ["c", "e", "g", "h"]),
        (r'a "\n\$\""', [r'a \n$"']),
        ("a b`c`d e", ["c", "a b`c`d e"]),
        ("a $(b $(c)d)", ["c", "b $(c)d", "a $(b $(c)d)"]),
        ("echo $(" + "x" * 300 + ")", ["x" * 300, "echo $(...)"]),
    ],
)
def test_constructs_within_others(script: str, expected: list[str]) -> None:
    assert lines_of(script) == expected


@pytest.mark.parametrize("wrap", ["sh -c '{}'", "eval '{}'", "sh <<E\n{}\nE"])
def test_scripts_that_are_nested_too_deeply_are_opaque(wrap: str) -> None:
    def nested(depth: int) -> tuple[str, ...]:
        script = "cargo build"
        for level in range(depth):
            script = wrap.replace("E", f"E{level}").format(script.replace("'", "'\\''"))
        return tuple(command.program for command in commands_of(script))

    assert nested(MAX_NESTING) == ("cargo",)
    assert nested(MAX_NESTING + 1) == ("sh",)
    assert all(map(is_opaque, read_script(wrap.format("x.sh")).commands))


def test_what_no_script_has_is_not_read() -> None:
    assert lines_of("(" * 900 + "a") == ["a"]
    assert lines_of("(" * 1100 + "a") == []
    (command,) = commands_of("".join(f"export A{n}=1;" for n in range(99)) + "x")[99:]
    assert len(command.environment) == MAX_EXPORTS


# -- hostile input --------------------------------------------------------------------------

PIECES = [
    "$(", "(", "`", '"$(', '"${x:-', "env ", "A=1;", "export A=1;", "a;", "a ", "cat <<A\n",
    "sh <<A\n", "cat <<A ", "case a in ", "find . -exec ", "sh -c ", "'", '"', "$((", "\\", "<",
    "a", ")", "x=$(a) ", "${", "uv run ", "python -m ", "flock x -c ", "eval ", "$'\\",
    "'a' $x ", "`", "a=1;", '"$a" ', "cat <<E\n$a\nE\n", "read a ", "#", "a=1 b=$a ", "a=(",
    "sh <<A;", "for a in ", "[[ ", "f() {", "2>", "&", "${a", "$a", "|\n", "a)",
    "uv run python -m ",
    "sh -c 'sh <<A\n", "unset a$a ", "esac ", "A1=$A ",
]  # fmt: skip


def work(script: str) -> tuple[int, int]:
    """Count the calls that reading a script takes, and the size of the result."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        found = read_script.__wrapped__(script)
        tools(found.commands)
        for command in found.commands:
            is_opaque(command)
    finally:
        sys.setprofile(None)
    return calls, size(found)


def size(script: Script) -> int:
    words = [w for c in script.commands for w in (c.path, *c.arguments, *sum(c.environment, ()))]
    return sum(map(len, words)) + sum(map(len, (*script.reads, *script.assigns)))


@pytest.mark.parametrize("piece", PIECES)
def test_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    check_growth(*(piece * (length // len(piece)) for length in (3_000, 12_000)))


@pytest.mark.parametrize("command", ["export A{}=1", "A{}=1", "a $A{}", "A{}=1 a", "read A{}"])
def test_many_variables_are_no_more_work(command: str) -> None:
    check_growth(*("\n".join(map(command.format, range(count))) for count in (300, 1200)))


def check_growth(script: str, longer: str) -> None:
    """Check that a text of four times the length takes about four times the work."""
    small, large = work(script), work(longer)
    assert large[0] <= 4.5 * small[0] + 200
    assert large[1] <= 4.5 * small[1] + 200
