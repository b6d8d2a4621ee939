"""What BuildKit rejects in an instruction that the grammar can read, in its words.

The order of the checks is BuildKit's (``frontend/dockerfile/instructions``), so that a
wrong instruction gets the message that a build would give.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from migrate_cache.dockerfile.lines import parse_error
from migrate_cache.dockerfile.mount import Mount
from migrate_cache.dockerfile.nodes import Token
from migrate_cache.dockerfile.validation.flags import check_flags, check_health_flag
from migrate_cache.dockerfile.validation.go_values import Rejected, is_mixed_array, suggest
from migrate_cache.dockerfile.validation.mounts import check_mount
from migrate_cache.dockerfile.words import SPACE, heredoc_word

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_cache.dockerfile.tree import Dockerfile, Instruction
    from migrate_cache.text.errors import ParseError
    from migrate_cache.text.source import Source

_T = TypeVar("_T")

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
# HEALTHCHECK's type ends byte by byte, as flags do.
_TYPE_AND_COMMAND = re.compile(
    r"([^\t\v\f\r \udc85\udca0]+)[\t\v\f\r \udc85\udca0]*(.*)", re.DOTALL
)
_EMPTY_JSON = re.compile(r"\[[ \t\r\n]*\]")
_JSON_KEYWORDS = ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME", "HEALTHCHECK")


def check_instruction(source: Source, instruction: Instruction) -> ParseError | None:
    """Return what BuildKit would reject about one instruction, None where it is fine.

    The errors of mounts and of an ONBUILD's trigger are set on these.
    """
    error = _check(source, instruction)
    trigger = instruction.trigger
    if trigger is not None:
        # BuildKit reads a trigger in full only when an image is built FROM this one.
        trigger.error = _check(source, trigger)
        if error is None:
            error = _rejected(source, trigger, _check_at_once)
    return error


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


def _check(source: Source, instruction: Instruction) -> ParseError | None:
    error = _rejected(source, instruction, _check_keyword)
    for flag in instruction.flag_nodes:
        if flag.error is None and isinstance(flag, Mount):
            flag.error = _rejected(source, flag, check_mount)
        error = error or flag.error
    return error


def _rejected(source: Source, subject: _T, check: Callable[[_T], None]) -> ParseError | None:
    try:
        check(subject)
    except Rejected as rejected:
        return parse_error(source, rejected.offset, rejected.message, rejected.hint)
    return None


# -- instructions ------------------------------------------------------------------------


def _check_keyword(instruction: Instruction) -> None:
    keyword = instruction.keyword
    checker = _CHECKERS.get(keyword)
    if checker is None:
        raise Rejected(
            f"unknown instruction: {instruction.written_keyword}",
            _keyword_offset(instruction),
            suggest(keyword, KEYWORDS) or "expected one of " + ", ".join(KEYWORDS),
        )
    _check_at_once(instruction)
    checker(instruction)


def _check_at_once(instruction: Instruction) -> None:
    """Check what BuildKit looks at while it splits the file, in a trigger too."""
    if instruction.keyword in _JSON_KEYWORDS:
        _check_json(instruction)
    elif instruction.keyword in ("ENV", "LABEL"):
        _check_assignments(instruction)


def _check_json(instruction: Instruction) -> None:
    text = instruction.arguments
    if instruction.keyword == "HEALTHCHECK":
        text = _health_command(instruction)[1]
    if text.startswith("[") and instruction.exec_form is None and is_mixed_array(text):
        raise Rejected(
            "when using JSON array syntax, arrays must be comprised of strings only",
            _arguments_offset(instruction),
            "put every element in double quotes",
        )


def _check_assignments(instruction: Instruction) -> None:
    words = instruction.words
    if words and "=" not in words[0]:
        if not _BLANKS.search(instruction.arguments):
            raise Rejected(
                f"{instruction.keyword} must have two arguments",
                _arguments_offset(instruction),
                f"write {instruction.keyword} name=value",
            )
        return
    for index, word in enumerate(words):
        if "=" not in word:
            raise Rejected(
                f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value',
                _word_offset(instruction, index),
                "put a value with blanks in quotes",
            )


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


def _health_command(instruction: Instruction) -> tuple[str, str]:
    """Return a HEALTHCHECK's type and what follows it."""
    match = _TYPE_AND_COMMAND.fullmatch(instruction.arguments)
    return (match[1], match[2]) if match else ("", "")


def _one_argument(instruction: Instruction) -> None:
    if len(arguments_of(instruction)) != 1:
        raise Rejected(
            f"{instruction.keyword} requires exactly one argument",
            _keyword_offset(instruction),
            f"write {instruction.keyword} and its argument",
        )
    check_flags(instruction)


def _some_arguments(instruction: Instruction) -> None:
    if not arguments_of(instruction):
        raise Rejected(
            f"{instruction.keyword} requires at least one argument",
            _keyword_offset(instruction),
            f"write {instruction.keyword} and its arguments",
        )


def _check_expose(instruction: Instruction) -> None:
    _some_arguments(instruction)
    check_flags(instruction)


def _check_pairs(instruction: Instruction) -> None:
    check_flags(instruction)
    _some_arguments(instruction)
    _check_names(instruction)


def _check_arg(instruction: Instruction) -> None:
    # BuildKit takes no notice of flags here.
    _some_arguments(instruction)
    _check_names(instruction)


def _check_names(instruction: Instruction) -> None:
    for index, word in enumerate(instruction.words):
        if word.startswith("="):
            raise Rejected(
                f"{instruction.keyword} names can not be blank",
                _word_offset(instruction, index),
                "write a name before the =",
            )


def _check_copy(instruction: Instruction) -> None:
    words, keyword = arguments_of(instruction), instruction.keyword
    if len(words) < 2:
        raise Rejected(
            f"{keyword} requires at least two arguments, but only {len(words)} was provided. "
            "Destination could not be determined",
            _keyword_offset(instruction),
            f"write {keyword} SOURCE DESTINATION",
        )
    check_flags(instruction)
    if "<<" in words[-1] and heredoc_word(words[-1]):
        raise Rejected(
            f"{keyword} cannot accept a heredoc as a destination",
            _arguments_offset(instruction),
            "the last word is where the files go",
        )


def _check_from(instruction: Instruction) -> None:
    words = instruction.words
    if len(words) == 3 and words[1].lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].lower()):
            raise Rejected(
                f'invalid name for build stage: "{words[2]}", '
                "name can't start with a number or contain symbols",
                _word_offset(instruction, 2),
                "expected letters, digits, hyphens, underscores and dots",
            )
    elif len(words) != 1:
        raise Rejected(
            "FROM requires either one or three arguments",
            _keyword_offset(instruction),
            "expected FROM image, or FROM image AS name",
        )
    check_flags(instruction)


def _check_onbuild(instruction: Instruction) -> None:
    if instruction.trigger is None:
        raise Rejected(
            "ONBUILD requires at least one argument",
            _keyword_offset(instruction),
            "write ONBUILD and an instruction",
        )
    check_flags(instruction)
    keyword, offset = instruction.trigger.keyword, instruction.trigger.span.start
    if keyword == "ONBUILD":
        raise Rejected(
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", offset, "remove one ONBUILD"
        )
    if keyword in ("MAINTAINER", "FROM"):
        raise Rejected(
            f"{keyword} isn't allowed as an ONBUILD trigger", offset, "any other instruction is"
        )


def _check_volume(instruction: Instruction) -> None:
    _some_arguments(instruction)
    check_flags(instruction)
    if not all(SPACE.sub("", word) for word in arguments_of(instruction)):
        raise Rejected(
            "VOLUME specified can not be an empty string",
            _arguments_offset(instruction),
            "expected a directory",
        )


def _check_shell(instruction: Instruction) -> None:
    check_flags(instruction)
    if instruction.exec_form is None and instruction.arguments:
        raise Rejected(
            "SHELL requires the arguments to be in JSON form",
            _arguments_offset(instruction),
            'for example SHELL ["/bin/bash", "-c"]',
        )
    _some_arguments(instruction)


def _check_healthcheck(instruction: Instruction) -> None:
    if not instruction.arguments:
        raise Rejected(
            "HEALTHCHECK requires at least one argument",
            _keyword_offset(instruction),
            "expected CMD and a command, or NONE",
        )
    kind, command = _health_command(instruction)
    offset = _arguments_offset(instruction)
    if kind.upper() == "NONE":
        if command:
            raise Rejected("HEALTHCHECK NONE takes no arguments", offset, "remove them")
        return
    check_flags(instruction)
    if kind.upper() != "CMD":
        message = f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)'
        raise Rejected(message, offset, suggest(kind.upper(), ("CMD", "NONE")) or "expected CMD")
    if not command or _EMPTY_JSON.fullmatch(command):
        raise Rejected("Missing command after HEALTHCHECK CMD", offset, "expected a command")
    for flag in instruction.flag_nodes:
        check_health_flag(flag)


_CHECKERS: dict[str, Callable[[Instruction], None]] = {}


# -- places ------------------------------------------------------------------------------


def _keyword_offset(instruction: Instruction) -> int:
    """Return where the keyword begins, in a trigger too."""
    line = instruction.line
    return max(line.pieces[0].start, instruction.span.start)


def _arguments_offset(instruction: Instruction) -> int:
    """Return where the arguments begin; the end of the keyword's line where there are none."""
    for child in instruction.children:
        if child.kind in ("WORD", "PLAIN_WORD", "COMMAND", "EXEC_FORM"):
            return child.span.start
    return instruction.trigger.span.start if instruction.trigger else _keyword_offset(instruction)


def _word_offset(instruction: Instruction, index: int) -> int:
    """Return where one of the words of FROM, ARG, ENV or LABEL begins."""
    words = [
        child
        for child in instruction.children
        if isinstance(child, Token) and child.kind in ("WORD", "PLAIN_WORD")
    ]
    position = sum(map(len, instruction.words[:index]))
    for word in words:
        if position < len(word.text):
            return word.span.start + position
        position -= len(word.text)
    return _arguments_offset(instruction)


_CHECKERS.update(
    ADD=_check_copy,
    ARG=_check_arg,
    CMD=check_flags,
    COPY=_check_copy,
    ENTRYPOINT=check_flags,
    ENV=_check_pairs,
    EXPOSE=_check_expose,
    FROM=_check_from,
    HEALTHCHECK=_check_healthcheck,
    LABEL=_check_pairs,
    MAINTAINER=_one_argument,
    ONBUILD=_check_onbuild,
    RUN=check_flags,
    SHELL=_check_shell,
    STOPSIGNAL=_one_argument,
    USER=_one_argument,
    VOLUME=_check_volume,
    WORKDIR=_one_argument,
)
KEYWORDS = tuple(_CHECKERS)
