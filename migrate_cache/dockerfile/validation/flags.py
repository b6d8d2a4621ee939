"""Which flags an instruction takes, and what BuildKit rejects in them, in its words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.validation.go_values import Rejected, nanoseconds, number, suggest

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Flag
    from migrate_cache.dockerfile.tree import Instruction

# How often a flag may be given, and with what.
_ONCE, _MANY, _BOOLEAN = "a value", "any number of values", "true or false"

FLAGS: dict[str, dict[str, str]] = {
    "ADD": {
        "chown": _ONCE,
        "chmod": _ONCE,
        "link": _BOOLEAN,
        "keep-git-dir": _BOOLEAN,
        "checksum": _ONCE,
        "exclude": _MANY,
        "unpack": _BOOLEAN,
    },
    "COPY": {
        "chown": _ONCE,
        "from": _ONCE,
        "chmod": _ONCE,
        "link": _BOOLEAN,
        "parents": _BOOLEAN,
        "exclude": _MANY,
    },
    "FROM": {"platform": _ONCE},
    "HEALTHCHECK": {
        "interval": _ONCE,
        "timeout": _ONCE,
        "start-period": _ONCE,
        "start-interval": _ONCE,
        "retries": _ONCE,
    },
    "RUN": {"mount": _MANY, "network": _ONCE, "security": _ONCE, "device": _MANY},
}

# The shortest interval that containers know, in nanoseconds.
_SHORTEST = 10**6


def check_flags(instruction: Instruction) -> None:
    """Raise `Rejected` for the first flag that the instruction does not take so."""
    known = FLAGS.get(instruction.keyword, {})
    seen: set[str] = set()
    for flag in instruction.flag_nodes:
        takes = known.get(flag.name)
        if takes is None:
            offers = f"{instruction.keyword} takes --" + ", --".join(known)
            raise Rejected(
                f"unknown flag: --{flag.name}",
                flag.span.start,
                suggest(flag.name, tuple(known))
                or (offers if known else f"{instruction.keyword} takes no flags"),
            )
        if flag.name in seen and takes != _MANY:
            message = f"duplicate flag specified: --{flag.name}"
            raise Rejected(message, flag.span.start, "remove one of the two")
        seen.add(flag.name)
        _check_value(flag, takes)


def _check_value(flag: Flag, takes: str) -> None:
    offset = flag.span.start
    missing = flag.value == "" if takes == _BOOLEAN else flag.value is None
    if missing:
        raise Rejected(
            f"missing a value on flag: --{flag.name}", offset, f"write --{flag.name}=VALUE"
        )
    if takes == _BOOLEAN and flag.value and flag.value.lower() not in ("true", "false"):
        raise Rejected(
            f"expecting boolean value for flag --{flag.name}, not: {flag.value}",
            offset,
            suggest(flag.value.lower(), ("true", "false")) or "expected true or false",
        )


def check_health_flag(flag: Flag) -> None:
    """Raise `Rejected` where the value of a HEALTHCHECK's flag is none."""
    value, offset = flag.value or "", flag.span.start
    if not value:
        return
    if flag.name == "retries":
        _check_retries(value, offset)
        return
    duration = nanoseconds(value)
    if duration is None:
        raise Rejected(f'time: invalid duration "{value}"', offset, "expected one such as 1m30s")
    if duration and duration < _SHORTEST:
        raise Rejected(f'Interval "{flag.name}" cannot be less than 1ms', offset, "write 1ms")


def _check_retries(value: str, offset: int) -> None:
    count = number(re.sub(r"\A[+-]", "", value), 10, 2**31)
    if count is None:
        raise Rejected(f"invalid number of retries: {value}", offset, "expected a number")
    if count and value.startswith("-"):
        raise Rejected(f"--retries cannot be negative ({value})", offset, "expected 0 or more")
