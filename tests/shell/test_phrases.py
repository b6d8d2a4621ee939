from __future__ import annotations

import pytest

from migrate_cache.shell import phrases, read_script
from migrate_cache.shell.phrases import fits, fits_any, runs_any


@pytest.mark.parametrize(
    ("phrase", "command", "expected"),
    [
        # Words.
        ("cargo build", "cargo build", True),
        ("cargo build", "cargo build --release -p x", True),
        ("cargo build", "cargo +nightly --locked build x y", True),
        ("cargo build", "cargo", False),
        ("cargo build", "cargo test build", False),
        ("cargo build", "cargo builds", False),
        ("cargo build", "trunk build", False),
        ("cargo chef cook", "cargo chef prepare", False),
        ("cargo chef cook", "cargo-chef cook", True),
        ("mvn package", "./mvnw package", True),
        ("mypy", "python -m mypy .", True),
        # Any words.
        ("npm run * build", "npm run build", True),
        ("npm run * build", "npm run a b build c", True),
        ("npm run * build", "npm run a", False),
        ("npm run * build", "npm ci build", False),
        ("a * b c", "a b x b c", True),
        ("a * b c", "a b x c", False),
        ("a * b * c", "a c b", False),
        ("a * x * b", "a x b x", True),
        ("a *", "a", True),
        ("* b", "a b", True),
        # One of several words, and parts of them.
        ("dotnet build|publish", "dotnet publish", True),
        ("dotnet build|publish", "dotnet build", True),
        ("dotnet build|publish", "dotnet pack", False),
        ("dotnet build|publish", "dotnet", False),
        ("trunk|tauri build", "tauri build", True),
        ("mvn *:*", "mvn a:b", True),
        ("mvn *:*", "mvn ab", False),
        ("mvn generate-*", "mvn generate-sources", True),
        # Other words.
        ("meson !test|dist", "meson setup", True),
        ("meson !test|dist", "meson dist", False),
        ("meson !test|dist", "meson setup dist", True),
        ("meson !test|dist", "meson", True),
        ("meson * !a", "meson a", True),
        ("meson !a b", "meson b", True),
        ("meson !a b", "meson a", False),
        # Options.
        ("dotnet --no-build|--no-restore", "dotnet test --no-restore", True),
        ("dotnet --no-build|--no-restore", "dotnet test --no-build=true x", True),
        ("dotnet --no-build|--no-restore", "dotnet test --no-builds", False),
        ("dotnet test --no-build", "dotnet --no-build test", True),
        ("dotnet test --no-build", "dotnet test", False),
        ("dotnet test !--no-build|-n", "dotnet test", True),
        ("dotnet test !--no-build|-n", "dotnet test -n", False),
        ("dotnet test !--no-build|-n", "dotnet test --no-build", False),
        ("dotnet test !--no-build|-n", "dotnet pack", False),
        ("gradle -x|--not=*ompile*", "gradle -x compileJava", True),
        ("gradle -x|--not=*ompile*", "gradle --not=:a:compileJava jar", True),
        ("gradle -x|--not=*ompile*", "gradle -x test compileJava", False),
        ("gradle -x|--not=*ompile*", "gradle compileJava", False),
        ("gradle !-x=a", "gradle -x b", True),
        ("gradle !-x=a", "gradle -x a", False),
        # The subcommands that build.
        ("cargo <builds>", "cargo b", True),
        ("cargo <builds>", "cargo install x", True),
        ("cargo <builds>", "cargo chef cook", True),
        ("cargo <builds>", "cargo chef prepare", False),
        ("cargo <builds> !report !--no-build", "cargo llvm-cov", True),
        ("cargo <builds> !report !--no-build", "cargo llvm-cov report", False),
        ("cargo <builds> !report !--no-build", "cargo deb --no-build", False),
        ("make <builds>", "make all", False),
    ],
)
def test_phrases(phrase: str, command: str, *, expected: bool) -> None:
    (parsed,) = read_script(command).commands
    assert fits_any((phrase,), parsed) is expected
    assert fits_any(("never", phrase), parsed) is expected
    assert runs_any((phrase,), [parsed]) is expected


def test_what_is_launched_counts() -> None:
    commands = read_script("cd x && uv run maturin build").commands
    assert runs_any(("maturin build",), commands)
    assert not fits_any(("maturin build",), commands[1])
    assert not runs_any((), commands)
    assert not runs_any(("maturin build",), ())


@pytest.mark.parametrize(
    ("pattern", "word", "expected"),
    [
        ("", "", True),
        ("a", "a", True),
        ("a", "ab", False),
        ("*", "", True),
        ("*", "abc", True),
        ("a*", "a", True),
        ("a*", "ba", False),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "axxbyyc", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "acb", False),
        ("a*b*c", "abbb", False),
        ("ab*bc", "abc", False),
        ("*ab*b", "xab", False),
        ("*-*-*", "x86_64-unknown-linux-musl", True),
        ("*-*-*", "a-b", False),
        ("*ab*ab*", "abab", True),
        ("*ab*ab*", "aba", False),
    ],
)
def test_stars_in_a_word(pattern: str, word: str, *, expected: bool) -> None:
    assert fits(pattern, word) is expected


def test_many_words_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(pattern: str, word: str) -> bool:
        nonlocal calls
        calls += 1
        return pattern == word

    monkeypatch.setattr(phrases, "fits", counted)
    commands = read_script("a " * 1000).commands
    assert not runs_any(("a * a * a * a * b",), commands)
    assert calls < 10_000
