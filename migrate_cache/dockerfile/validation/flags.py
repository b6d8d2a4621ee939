"""Which flags an instruction takes, and what BuildKit rejects in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.validation.go_values import nanoseconds, number
from migrate_cache.dockerfile.validation.rejection import Rejection, suggest

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Flag
    from migrate_cache.dockerfile.tree import Instruction
    from migrate_cache.dockerfile.validation.rejection import Rejections

# What a flag takes.
_ONE, _MANY, _BOOLEAN = "one value", "any number of values", "true or false"


def _flags(names: str) -> dict[str, str]:
    """Read names of flags: with ``*`` they may be repeated, with ``?`` they are true or false."""
    takes = {"*": _MANY, "?": _BOOLEAN}
    return {name.rstrip("*?"): takes.get(name[-1], _ONE) for name in names.split()}


FLAGS: dict[str, dict[str, str]] = {
    "ADD": _flags("chown chmod link? keep-git-dir? checksum exclude* unpack?"),
    "COPY": _flags("chown from chmod link? parents? exclude*"),
    "FROM": _flags("platform"),
    "HEALTHCHECK": _flags("interval timeout start-period start-interval retries"),
    "RUN": _flags("mount* network security device*"),
}

# The shortest interval of a health check other than 0, in nanoseconds.
_SHORTEST = 10**6


def check_flags(instruction: Instruction) -> Rejections:
    """Check the names of an instruction's flags, and that each has a value it may have."""
    known = FLAGS.get(instruction.keyword, {})
    seen: set[str] = set()
    for flag in instruction.flag_nodes:
        offset, takes = flag.span.start, known.get(flag.name)
        if takes is None:
            offers = f"{instruction.keyword} takes --" + ", --".join(known)
            hint = offers if known else f"{instruction.keyword} takes no flags"
            hint = suggest(flag.name, tuple(known)) or hint
            yield Rejection(f"unknown flag: --{flag.name}", offset, hint)
        elif flag.name in seen and takes != _MANY:
            message = f"duplicate flag specified: --{flag.name}"
            yield Rejection(message, offset, "remove one of the two")
        elif flag.value == ("" if takes == _BOOLEAN else None):
            message = f"missing a value on flag: --{flag.name}"
            yield Rejection(message, offset, f"write --{flag.name}=VALUE")
        elif takes == _BOOLEAN and (flag.value or "true").lower() not in ("true", "false"):
            message = f"expecting boolean value for flag --{flag.name}, not: {flag.value}"
            hint = suggest((flag.value or "").lower(), ("true", "false"))
            yield Rejection(message, offset, hint or "expected true or false")
        seen.add(flag.name)


def check_health_flags(instruction: Instruction) -> Rejections:
    """Check the durations and the number of retries of a HEALTHCHECK."""
    for flag in instruction.flag_nodes:
        if flag.value and flag.name == "retries":
            yield from _check_retries(flag.value, flag.span.start)
        elif flag.value:
            yield from _check_duration(flag, flag.value)


def _check_duration(flag: Flag, value: str) -> Rejections:
    duration = nanoseconds(value)
    if duration is None:
        message = f'time: invalid duration "{value}"'
        yield Rejection(message, flag.span.start, "expected one such as 1m30s")
    elif duration and duration < _SHORTEST:
        message = f'Interval "{flag.name}" cannot be less than 1ms'
        yield Rejection(message, flag.span.start, "write 1ms")


def _check_retries(value: str, offset: int) -> Rejections:
    count = number(re.sub(r"\A[+-]", "", value), 10, 2**31)
    if count is None:
        yield Rejection(f"invalid number of retries: {value}", offset, "expected a number")
    elif count and value.startswith("-"):
        yield Rejection(f"--retries cannot be negative ({value})", offset, "expected 0 or more")
