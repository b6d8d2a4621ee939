"""Dockerfiles of awkward shapes and of any size: how much work does reading them take?"""

from __future__ import annotations

from collections.abc import Callable

FROM = "FROM scratch\n"
KB = 1024


def _mounts(count: int, separator: str = " ") -> str:
    mount = "--mount=type=cache,target=/c{},sharing=locked"
    return f"{FROM}RUN {separator.join(mount.format(i) for i in range(count))}{separator}make\n"


def _lines(piece: str, count: int) -> str:
    """One instruction over many lines of 32 KB, which BuildKit takes; longer ones it does not."""
    return FROM + "RUN x \\\n" + (piece * (32 * KB // len(piece.encode())) + "\\\n") * count + "y\n"


# By name: what makes a file of a size, and a size that is large.
SHAPES: dict[str, tuple[Callable[[int], str], int]] = {
    "1 MB through continuation lines": (lambda n: _lines("echo hello && ", n), 32),
    "100,000 instructions": (lambda n: FROM + "RUN make\n" * n, 100_000),
    "100,000 unknown instructions": (lambda n: FROM + "RUM make\n" * n, 100_000),
    "10,000 stages": (lambda n: "FROM scratch AS a\nRUN make\n" * n, 10_000),
    "10,000 continuation lines": (lambda n: FROM + "RUN a \\\n" + " b \\\n" * n + " c\n", 10_000),
    "comments between the lines": (lambda n: FROM + "RUN a \\\n" + "# b\n" * n + " c\n", 50_000),
    "a word cut into single characters": (
        lambda n: FROM + "RUN --a=" + "x\\\n" * n + " c\n",
        10_000,
    ),
    "many mounts": (_mounts, 1_200),
    "many mounts, a line each": (lambda n: _mounts(n, " \\\n  "), 2_000),
    "one mount with many options": (
        lambda n: f"{FROM}RUN --mount=type=cache,target=/c{',id=a' * n} make\n",
        5_000,
    ),
    "one mount with many quoted options": (
        lambda n: f"{FROM}RUN --mount=type=cache,target=/c" + ',id="a"' * n + " make\n",
        5_000,
    ),
    "a long flag with quotes": (lambda n: f"{FROM}RUN --a={chr(34) * 2 * n} x\n", 30_000),
    "a flag whose quote is never closed": (lambda n: f"{FROM}RUN --a='{'x ' * n}\n", 30_000),
    "many flags": (lambda n: f"{FROM}COPY {'--exclude=a ' * n} a b\n", 5_000),
    "many heredocs in one instruction": (
        lambda n: f"{FROM}RUN {'<<A ' * n}\n" + "x\nA\n" * n,
        10_000,
    ),
    "many instructions with heredocs": (lambda n: FROM + "RUN <<A\nx\nA\n" * n, 20_000),
    "a long heredoc": (lambda n: FROM + "RUN <<A\n" + "echo\n" * n + "A\n", 200_000),
    "a heredoc that never ends": (lambda n: FROM + "RUN <<A\n" + "echo\n" * n, 200_000),
    "nested ${a:-${a:-...}} before <<": (
        lambda n: f"{FROM}RUN {'${a:-' * n}{'}' * n} <<A\nA\n",
        10_000,
    ),
    "nested ${a:-... that never ends": (lambda n: f"{FROM}RUN {'${a:-' * n} <<A\n", 10_000),
    "quotes before <<": (lambda n: f"{FROM}RUN {chr(34) * 2 * n} <<A\nA\n", 30_000),
    "<< without a word": (lambda n: f"{FROM}RUN {'<< ' * n}\n", 20_000),
    "one <": (lambda n: f"{FROM}RUN <<A {'<' * 2 * n}\nA\n", 30_000),
    "ONBUILD ONBUILD ONBUILD": (lambda n: f"{FROM}{'ONBUILD ' * n}RUN x\n", 8_000),
    "runs of carriage returns": (
        lambda n: FROM + "RUN a" + "\r" * n + "b\n" + "\r" * n + "\n",
        60_000,
    ),
    "a comment of carriage returns": (lambda n: FROM + "RUN a\\\n#" + "\r" * n + "x\nb\n", 60_000),
    "a deep JSON array": (lambda n: f"{FROM}CMD {'[' * n}{']' * n}\n", 30_000),
    "a deep JSON array over lines": (
        lambda n: FROM + "CMD " + ("[" * 30_000 + "\\\n") * n + "\n",
        16,
    ),
    "a deep JSON array that never ends": (lambda n: f"{FROM}CMD {'[' * n}\n", 60_000),
    "a long JSON array": (
        lambda n: f"{FROM}CMD [{', '.join([chr(34) + 'a' + chr(34)] * n)}]\n",
        12_000,
    ),
    "a long JSON array that never ends": (lambda n: f"{FROM}CMD [" + '"a", ' * n + "\n", 12_000),
    "a JSON string of escapes": (lambda n: f'{FROM}CMD ["' + "\\\\" * n + '"\n', 30_000),
    "JSON with blanks": (lambda n: f"{FROM}CMD [" + " " * n + '"a"' + " " * n + "x\n", 30_000),
    "many words of ENV": (lambda n: f"{FROM}ENV {'a=b ' * n}\n", 15_000),
    "many words of ENV, the last wrong": (lambda n: f"{FROM}ENV {'a=b ' * n} c\n", 15_000),
    "a line of blanks": (lambda n: FROM + " " * n + "\nRUN a" + " " * n + "b\n", 60_000),
    "lines of blanks": (lambda n: _lines(" ", n), 16),
    "lines of quotes": (lambda n: _lines('"', n), 16),
    "lines of backslashes": (lambda n: _lines("\\\\ ", n), 16),
    "a flag of backslashes": (lambda n: f"{FROM}RUN --a={chr(92) * 2 * n} b\n", 30_000),
    "lines of non-breaking spaces": (lambda n: _lines("\xa0", n), 8),
    "lines of NUL": (lambda n: _lines("\0", n), 16),
    "a long unknown keyword": (lambda n: FROM + "x" * n + "\n", 60_000),
    "directives and comments": (lambda n: "# syntax=a\n" + "# escape\n" * n + FROM, 50_000),
}
