"""What BuildKit rejects in an instruction that the grammar can read, in its words.

The order of the checks is BuildKit's (``frontend/dockerfile/instructions``), so that a
wrong instruction gets the message that a build would give. A value with a variable is not
judged: only the build knows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from migrate_cache.errors import ParseError, nearest
from migrate_cache.lines import parse_error
from migrate_cache.source import Source
from migrate_cache.words import heredoc_word

if TYPE_CHECKING:
    from migrate_cache.cst import Dockerfile, Flag, Instruction, Mount, MountOption

KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip

# The flags of each instruction: "" takes a value once, "*" any number of times, "?" a boolean.
FLAGS: dict[str, dict[str, str]] = {
    "ADD": {
        "chown": "", "chmod": "", "link": "?", "keep-git-dir": "?", "checksum": "",
        "exclude": "*", "unpack": "?",
    },
    "COPY": {"chown": "", "from": "", "chmod": "", "link": "?", "parents": "?", "exclude": "*"},
    "FROM": {"platform": ""},
    "HEALTHCHECK": {
        "interval": "", "timeout": "", "start-period": "", "start-interval": "", "retries": "",
    },
    "RUN": {"mount": "*", "network": "", "security": "", "device": "*"},
}  # fmt: skip

MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING_MODES = ("shared", "private", "locked")
MOUNT_KEYS = (
    "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode",
    "uid", "gid", "src", "dst", "destination", "ro", "rw", "readwrite", "env",
)  # fmt: skip

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_BYTES = re.compile(r"\d+(\.\d+)* ?([kmgtp]i?)?b?", re.IGNORECASE)
_BOOLEANS = "1 t T TRUE true True 0 f F FALSE false False".split()


class _Rejected(Exception):  # noqa: N818 - control flow within this module
    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        self.message = message
        self.offset = offset
        self.hint = hint


def check_instruction(source: Source, instruction: Instruction) -> ParseError | None:
    """Return what BuildKit would reject about one instruction, None where it is fine."""
    try:
        _check(instruction)
        if instruction.trigger is not None:
            try:
                _check(instruction.trigger)
            except _Rejected as rejected:
                # BuildKit reads a trigger when the child image is built.
                instruction.trigger.error = _error(source, rejected)
                if _read_at_once(instruction.trigger):
                    return instruction.trigger.error
    except _Rejected as rejected:
        return _error(source, rejected)
    for mount in _mounts(instruction):
        if mount.error is None:
            mount.error = _mount_error(source, mount)
        if mount.error is not None:
            return mount.error
    for mount in _mounts(instruction.trigger) if instruction.trigger else ():
        if mount.error is None:
            mount.error = _mount_error(source, mount)
        if mount.error is not None and instruction.trigger:
            instruction.trigger.error = instruction.trigger.error or mount.error
    return None


def check_structure(source: Source, tree: Dockerfile) -> ParseError | None:
    """Return an error where an instruction other than ARG stands before the first FROM."""
    for instruction in tree.instructions:
        if instruction.keyword == "FROM":
            return None
        if instruction.keyword != "ARG":
            return parse_error(
                source,
                instruction.start,
                f"no build stage in current context: {instruction.keyword} before the first FROM",
                "only ARG may stand above the first FROM",
            )
    return None


def _error(source: Source, rejected: _Rejected) -> ParseError:
    return parse_error(source, rejected.offset, rejected.message, rejected.hint)


def _mounts(instruction: Instruction) -> tuple[Mount, ...]:
    return getattr(instruction, "mounts", ())


def _suggest(word: str, known: tuple[str, ...]) -> str:
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


# -- instructions ------------------------------------------------------------------------


def _check(instruction: Instruction) -> None:
    keyword = instruction.keyword
    checker = _CHECKERS.get(keyword)
    if checker is None:
        raise _Rejected(
            f"unknown instruction: {_written_keyword(instruction)}",
            _keyword_offset(instruction),
            _suggest(keyword, KEYWORDS) or "expected one of " + ", ".join(KEYWORDS),
        )
    if _read_at_once(instruction):
        _check_arguments(instruction)
    checker(instruction)


def _read_at_once(instruction: Instruction) -> bool:
    """Whether BuildKit's first pass already looks at these arguments."""
    return instruction.keyword in _JSON_KEYWORDS or instruction.keyword in ("ENV", "LABEL")


_JSON_KEYWORDS = ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME", "HEALTHCHECK")


def _check_arguments(instruction: Instruction) -> None:
    text = instruction.arguments
    if instruction.keyword in _JSON_KEYWORDS:
        if instruction.keyword == "HEALTHCHECK":
            text = text.partition(" ")[2].lstrip()
        if text.startswith("[") and instruction.exec_form is None and not _strings_only(text):
            raise _Rejected(
                "when using JSON array syntax, arrays must be comprised of strings only",
                _arguments_offset(instruction),
                "put every element in double quotes",
            )
    elif instruction.words and "=" in instruction.words[0]:
        for word in instruction.words:
            if "=" not in word:
                raise _Rejected(
                    f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value',
                    _word_offset(instruction, word),
                    "put a value with blanks in quotes",
                )
    elif instruction.words and not _BLANKS.search(instruction.arguments):
        raise _Rejected(
            f"{instruction.keyword} must have two arguments", _arguments_offset(instruction)
        )


def _strings_only(text: str) -> bool:
    """Whether a JSON text is no array, or one of strings (Go reads it more strictly)."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(text, parse_constant=refuse)
    except RecursionError:
        return False
    except ValueError:
        return True
    return not isinstance(value, list) or all(isinstance(item, str) for item in value)


def arguments_of(instruction: Instruction) -> tuple[str, ...]:
    """Return an instruction's arguments as BuildKit splits them for its keyword."""
    text = instruction.arguments
    if instruction.exec_form is not None:
        return instruction.exec_form
    if instruction.keyword in ("FROM", "ARG"):
        return instruction.words
    if instruction.keyword in ("ADD", "COPY", "EXPOSE", "VOLUME"):
        return tuple(_BLANKS.split(text)) if text else ()
    return (text,) if text else ()


def _needs_arguments(instruction: Instruction, exactly: int | None = None) -> None:
    count = len(arguments_of(instruction))
    if exactly is not None and count != exactly:
        raise _Rejected(
            f"{instruction.keyword} requires exactly one argument", _keyword_offset(instruction)
        )
    if not count:
        raise _Rejected(
            f"{instruction.keyword} requires at least one argument", _keyword_offset(instruction)
        )


def _one_argument(instruction: Instruction) -> None:
    _needs_arguments(instruction, exactly=1)
    _check_flags(instruction)


def _some_arguments(instruction: Instruction) -> None:
    _needs_arguments(instruction)
    _check_flags(instruction)


def _flags_only(instruction: Instruction) -> None:
    _check_flags(instruction)


def _check_pairs(instruction: Instruction) -> None:
    _check_flags(instruction)
    _needs_arguments(instruction)
    for word in instruction.words:
        if word.startswith("="):
            raise _Rejected(
                f"{instruction.keyword} names can not be blank", _word_offset(instruction, word)
            )


def _check_arg(instruction: Instruction) -> None:
    _needs_arguments(instruction)
    for word in instruction.words:
        if word.startswith("="):
            raise _Rejected("ARG names can not be blank", _word_offset(instruction, word))


def _check_copy(instruction: Instruction) -> None:
    words = arguments_of(instruction)
    keyword = instruction.keyword
    if len(words) < 2:
        raise _Rejected(
            f"{keyword} requires at least two arguments, but only {len(words)} was provided. "
            "Destination could not be determined",
            _keyword_offset(instruction),
        )
    _check_flags(instruction)
    if "<<" in words[-1] and heredoc_word(words[-1]):
        raise _Rejected(
            f"{keyword} cannot accept a heredoc as a destination",
            _arguments_offset(instruction),
        )


def _check_from(instruction: Instruction) -> None:
    words = instruction.words
    if len(words) == 3 and words[1].lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].lower()):
            raise _Rejected(
                f'invalid name for build stage: "{words[2]}", '
                "name can't start with a number or contain symbols",
                _word_offset(instruction, words[2]),
            )
    elif len(words) != 1:
        raise _Rejected(
            "FROM requires either one or three arguments",
            _keyword_offset(instruction),
            "expected FROM image, or FROM image AS name",
        )
    _check_flags(instruction)


def _check_onbuild(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise _Rejected("ONBUILD requires at least one argument", _keyword_offset(instruction))
    _check_flags(instruction)
    keyword = instruction.trigger.keyword if instruction.trigger else ""
    if keyword == "ONBUILD":
        raise _Rejected(
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", _arguments_offset(instruction)
        )
    if keyword in ("MAINTAINER", "FROM"):
        raise _Rejected(
            f"{keyword} isn't allowed as an ONBUILD trigger", _arguments_offset(instruction)
        )


def _check_volume(instruction: Instruction) -> None:
    _some_arguments(instruction)
    if not all(word.strip() for word in arguments_of(instruction)):
        raise _Rejected(
            "VOLUME specified can not be an empty string", _arguments_offset(instruction)
        )


def _check_shell(instruction: Instruction) -> None:
    _check_flags(instruction)
    if instruction.exec_form is None and instruction.arguments:
        raise _Rejected(
            "SHELL requires the arguments to be in JSON form", _arguments_offset(instruction),
            'for example SHELL ["/bin/bash", "-c"]',
        )  # fmt: skip
    _needs_arguments(instruction)


def _check_healthcheck(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise _Rejected("HEALTHCHECK requires at least one argument", _keyword_offset(instruction))
    kind, *rest = instruction.arguments.split(None, 1)
    offset = _arguments_offset(instruction)
    if kind.upper() == "NONE":
        if rest:
            raise _Rejected("HEALTHCHECK NONE takes no arguments", offset)
        return
    _check_flags(instruction)
    if kind.upper() != "CMD":
        raise _Rejected(f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)', offset)
    if not rest or rest[0].replace(" ", "") == "[]":
        raise _Rejected("Missing command after HEALTHCHECK CMD", offset)
    for flag in instruction.flag_nodes:
        value = flag.value or ""
        if flag.name == "retries":
            if value and not re.fullmatch(r"[-+]?\d+", value):
                raise _Rejected(f"invalid number of retries: {value}", flag.span.start)
            if value.startswith("-") and int(value) < 0:
                raise _Rejected(f"--retries cannot be negative ({value})", flag.span.start)
        elif value and not _DURATION.fullmatch(value):
            raise _Rejected(f'time: invalid duration "{value}"', flag.span.start)


_CHECKERS: dict[str, Callable[[Instruction], None]] = {
    "ADD": _check_copy,
    "ARG": _check_arg,
    "CMD": _flags_only,
    "COPY": _check_copy,
    "ENTRYPOINT": _flags_only,
    "ENV": _check_pairs,
    "EXPOSE": _some_arguments,
    "FROM": _check_from,
    "HEALTHCHECK": _check_healthcheck,
    "LABEL": _check_pairs,
    "MAINTAINER": _one_argument,
    "ONBUILD": _check_onbuild,
    "RUN": _flags_only,
    "SHELL": _check_shell,
    "STOPSIGNAL": _one_argument,
    "USER": _one_argument,
    "VOLUME": _check_volume,
    "WORKDIR": _one_argument,
}


# -- flags -------------------------------------------------------------------------------


def _check_flags(instruction: Instruction) -> None:
    known = FLAGS.get(instruction.keyword, {})
    seen: set[str] = set()
    for flag in instruction.flag_nodes:
        kind = known.get(flag.name)
        offset = flag.span.start
        if kind is None:
            raise _Rejected(
                f"unknown flag: --{flag.name}",
                offset,
                _suggest(flag.name, tuple(known))
                or (
                    f"{instruction.keyword} takes --" + ", --".join(known)
                    if known
                    else f"{instruction.keyword} takes no flags"
                ),
            )
        if flag.name in seen and kind != "*":
            raise _Rejected(f"duplicate flag specified: --{flag.name}", offset)
        seen.add(flag.name)
        _check_flag_value(flag, kind)


def _check_flag_value(flag: Flag, kind: str) -> None:
    offset = flag.span.start
    if flag.value is None and kind != "?":
        raise _Rejected(
            f"missing a value on flag: --{flag.name}", offset, f"write --{flag.name}=VALUE"
        )
    if kind == "?" and flag.value is not None:
        if not flag.value:
            raise _Rejected(f"missing a value on flag: --{flag.name}", offset)
        if flag.value.lower() not in ("true", "false"):
            raise _Rejected(
                f"expecting boolean value for flag --{flag.name}, not: {flag.value}", offset
            )


# -- mounts ------------------------------------------------------------------------------


def _mount_error(source: Source, mount: Mount) -> ParseError | None:
    try:
        if mount.value == "":
            raise _Rejected("failed to parse csv mounts: EOF", mount.span.end, "expected type=…")
        kind = "bind"
        for option in mount.options:
            kind = _check_option(option, kind)
        _check_mount(mount, kind)
    except _Rejected as rejected:
        return _error(source, rejected)
    return None


def _check_option(option: MountOption, kind: str) -> str:
    """Check one field in the light of the type so far; return the type after it."""
    key, value, offset = option.key, option.value, option.span.start
    if value is None:
        if key in ("readonly", "ro", "readwrite", "rw"):
            return kind
        if key == "required":
            _only_for(option, kind, "secret", "ssh")
            return kind
        hint = "remove the blank or the comma" if not key else f"write {key}=VALUE"
        raise _Rejected(f"invalid field '{key}' must be a key=value pair", offset, hint)
    at = option.value_spans[0].start if option.value_spans else offset
    if key == "from" and re.search(r"\$.", value):
        raise _Rejected(
            "'from' doesn't support variable expansion, define alias stage instead", at
        )
    if "$" in value and key in MOUNT_KEYS:
        return kind if key != "type" else "?"
    return _check_value(option, kind, key, value, at)


def _check_value(option: MountOption, kind: str, key: str, value: str, at: int) -> str:
    match key:
        case "type":
            kind = value.lower()
            if kind not in MOUNT_TYPES:
                raise _Rejected(
                    f'unsupported mount type "{value}"', at, _suggest(kind, MOUNT_TYPES)
                )
        case "sharing":
            if value.lower() not in SHARING_MODES:
                raise _Rejected(
                    f'unsupported sharing value "{value}"',
                    at,
                    _suggest(value.lower(), SHARING_MODES) or "expected shared, private or locked",
                )
        case "readonly" | "ro" | "readwrite" | "rw" | "required":
            if key == "required":
                _only_for(option, kind, "secret", "ssh")
            if value not in _BOOLEANS:
                raise _Rejected(f"invalid value for {key}: {value}", at, "expected true or false")
        case "size":
            _only_for(option, kind, "tmpfs")
            if not _BYTES.fullmatch(value):
                raise _Rejected(f"invalid value for size: {value}", at)
        case "mode":
            if not re.fullmatch(r"[0-7]+", value) or int(value, 8) >= 2**32:
                raise _Rejected(f"invalid value {value} for mode", at, "expected an octal number")
        case "uid" | "gid":
            if not re.fullmatch(r"[0-9]+", value) or int(value[:12]) >= 2**32:
                raise _Rejected(f"invalid value {value} for {key}", at, "expected a number")
        case "env":
            _only_for(option, kind, "secret")
        case "from" | "source" | "src" | "target" | "dst" | "destination" | "id":
            pass
        case _:
            raise _Rejected(
                f"unexpected key '{key}' in '{key}={value}'",
                option.span.start,
                _suggest(key, MOUNT_KEYS),
            )
    return kind


def _only_for(option: MountOption, kind: str, *kinds: str) -> None:
    if kind not in (*kinds, "?"):
        raise _Rejected(
            f"unexpected key '{option.key}' for mount type '{kind}'",
            option.span.start,
            f"{option.key} goes with type={' or type='.join(kinds)}, which must stand before it",
        )


def _check_mount(mount: Mount, kind: str) -> None:
    start = mount.span.start
    if kind == "?":
        return
    if kind in ("bind", "tmpfs"):
        for key in ("mode", "uid", "gid"):
            if mount.option(key):
                raise _Rejected(f'{key} not allowed for "{kind}" type mounts', start)
    if kind == "secret":
        if mount.from_:
            raise _Rejected("secret mount should not have a from", start)
        if mount.sharing:
            raise _Rejected("secret mount should not define sharing", start)
        if not (mount.source or mount.target or mount.id):
            raise _Rejected("invalid secret mount. one of source, target required", start)
        if mount.source and mount.id:
            raise _Rejected("both source and id can't be set", start)
    if mount.sharing and kind != "cache":
        raise _Rejected(f"invalid cache sharing set for {kind} mount", start)


# -- places ------------------------------------------------------------------------------


def _keyword_offset(instruction: Instruction) -> int:
    for token in instruction.tokens():
        if token.kind not in ("BLANK", "CONTINUATION", "NEWLINE", "COMMENT"):
            return token.span.start
    return instruction.span.start


def _written_keyword(instruction: Instruction) -> str:
    first = instruction.line.text.split(None, 1) if instruction.keyword else []
    return instruction.keyword if instruction.trigger or not first else first[0]


def _arguments_offset(instruction: Instruction) -> int:
    for child in instruction.children:
        kind = child.kind
        if kind in ("WORD", "PLAIN_WORD", "COMMAND", "EXEC_FORM") or not hasattr(child, "text"):
            return child.span.start
        if hasattr(child, "keyword"):
            return child.span.start
    return _keyword_offset(instruction)


def _word_offset(instruction: Instruction, word: str) -> int:
    for token in instruction.tokens():
        if token.kind in ("WORD", "PLAIN_WORD") and token.text == word:
            return token.span.start
    return _arguments_offset(instruction)
