"""What BuildKit rejects in an instruction that the grammar can read.

The order of the checks is BuildKit's (``frontend/dockerfile/instructions``), so that a
wrong instruction gets the message that a build would give.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.nodes import Token
from migrate_cache.dockerfile.validation.flags import check_flags, check_health_flags
from migrate_cache.dockerfile.validation.go_values import is_mixed_array
from migrate_cache.dockerfile.validation.rejection import Rejection, suggest, suggest_or_list
from migrate_cache.dockerfile.words import BLANKS, SPACE, heredoc_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrate_cache.dockerfile.tree import Instruction
    from migrate_cache.dockerfile.validation.rejection import Rejections

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
# HEALTHCHECK's type ends byte by byte, as flags do.
_TYPE_AND_COMMAND = re.compile(
    r"([^\t\v\f\r \udc85\udca0]+)[\t\v\f\r \udc85\udca0]*(.*)", re.DOTALL
)
_EMPTY_JSON = re.compile(r"\[[ \t\r\n]*\]")
_TAKE_JSON = ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME", "HEALTHCHECK")


def check_instruction(instruction: Instruction) -> Rejections:
    """Check an instruction; of an ONBUILD's trigger, only what BuildKit checks at once.

    The rest of a trigger is checked when an image is built FROM this one.
    """
    checks = _CHECKS.get(instruction.keyword)
    if checks is None:
        yield Rejection(
            f"unknown instruction: {instruction.written_keyword}",
            _keyword_offset(instruction),
            suggest_or_list(instruction.keyword, tuple(_CHECKS)),
        )
        return
    yield from _check_syntax(instruction)
    for check in checks:
        yield from check(instruction)
    if instruction.trigger is not None:
        yield from _check_syntax(instruction.trigger)


def check_order(instructions: Iterable[Instruction]) -> Rejections:
    """Check that nothing but ARG stands before the first FROM."""
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return
        if instruction.keyword != "ARG":
            yield Rejection(
                f"no build stage in current context: {instruction.keyword} before the first FROM",
                instruction.start,
                "only ARG may stand above the first FROM",
            )


# -- what BuildKit checks while it splits the file ---------------------------------------


def _check_syntax(instruction: Instruction) -> Rejections:
    if instruction.keyword in _TAKE_JSON:
        yield from _check_json(instruction)
    elif instruction.keyword in ("ENV", "LABEL"):
        yield from _check_assignments(instruction)


def _check_json(instruction: Instruction) -> Rejections:
    text = instruction.arguments
    if instruction.keyword == "HEALTHCHECK":
        text = _health_command(instruction)[1]
    if text.startswith("[") and instruction.exec_form is None and is_mixed_array(text):
        yield Rejection(
            "when using JSON array syntax, arrays must be comprised of strings only",
            _arguments_offset(instruction),
            "put every element in double quotes",
        )


def _check_assignments(instruction: Instruction) -> Rejections:
    words = instruction.words
    if words and "=" not in words[0]:
        if not BLANKS.search(instruction.arguments):
            yield Rejection(
                f"{instruction.keyword} must have two arguments",
                _arguments_offset(instruction),
                f"write {instruction.keyword} name=value",
            )
        return
    for index, word in enumerate(words):
        if "=" not in word:
            yield Rejection(
                f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value',
                _word_offset(instruction, index),
                "put a value with blanks in quotes",
            )


# -- what it checks when it reads the instructions ---------------------------------------


def _one_argument(instruction: Instruction) -> Rejections:
    if len(_arguments(instruction)) != 1:
        message = f"{instruction.keyword} requires exactly one argument"
        hint = f"write {instruction.keyword} and its argument"
        yield Rejection(message, _keyword_offset(instruction), hint)


def _some_arguments(instruction: Instruction) -> Rejections:
    if not _arguments(instruction):
        message = f"{instruction.keyword} requires at least one argument"
        hint = f"write {instruction.keyword} and its arguments"
        yield Rejection(message, _keyword_offset(instruction), hint)


def _two_arguments(instruction: Instruction) -> Rejections:
    count = len(_arguments(instruction))
    if count < 2:
        yield Rejection(
            f"{instruction.keyword} requires at least two arguments, but only {count} was "
            "provided. Destination could not be determined",
            _keyword_offset(instruction),
            f"write {instruction.keyword} SOURCE DESTINATION",
        )


def _names(instruction: Instruction) -> Rejections:
    for index, word in enumerate(instruction.words):
        if word.startswith("="):
            message = f"{instruction.keyword} names can not be blank"
            yield Rejection(message, _word_offset(instruction, index), "write a name before the =")


def _no_heredoc_as_destination(instruction: Instruction) -> Rejections:
    destination = _arguments(instruction)[-1]
    if "<<" in destination and heredoc_word(destination):
        message = f"{instruction.keyword} cannot accept a heredoc as a destination"
        hint = "the last word is where the files go"
        yield Rejection(message, _arguments_offset(instruction), hint)


def _image_and_name(instruction: Instruction) -> Rejections:
    words = instruction.words
    if len(words) == 3 and words[1].lower() == "as":
        if not _STAGE_NAME.fullmatch(words[2].lower()):
            yield Rejection(
                f'invalid name for build stage: "{words[2]}", '
                "name can't start with a number or contain symbols",
                _word_offset(instruction, 2),
                "expected letters, digits, hyphens, underscores and dots",
            )
    elif len(words) != 1:
        message = "FROM requires either one or three arguments"
        hint = "expected FROM image, or FROM image AS name"
        yield Rejection(message, _keyword_offset(instruction), hint)


def _a_trigger(instruction: Instruction) -> Rejections:
    if instruction.trigger is None:
        message = "ONBUILD requires at least one argument"
        yield Rejection(message, _keyword_offset(instruction), "write ONBUILD and an instruction")


def _allowed_trigger(instruction: Instruction) -> Rejections:
    assert instruction.trigger is not None
    keyword, offset = instruction.trigger.keyword, instruction.trigger.span.start
    if keyword == "ONBUILD":
        message = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
        yield Rejection(message, offset, "remove one ONBUILD")
    if keyword in ("MAINTAINER", "FROM"):
        message = f"{keyword} isn't allowed as an ONBUILD trigger"
        yield Rejection(message, offset, "any other instruction is")


def _no_empty_directory(instruction: Instruction) -> Rejections:
    if not all(SPACE.sub("", word) for word in _arguments(instruction)):
        message = "VOLUME specified can not be an empty string"
        yield Rejection(message, _arguments_offset(instruction), "expected a directory")


def _exec_form(instruction: Instruction) -> Rejections:
    if instruction.exec_form is None and instruction.arguments:
        message = "SHELL requires the arguments to be in JSON form"
        hint = 'for example SHELL ["/bin/bash", "-c"]'
        yield Rejection(message, _arguments_offset(instruction), hint)


def _health_check(instruction: Instruction) -> Rejections:
    if not instruction.arguments:
        message = "HEALTHCHECK requires at least one argument"
        hint = "expected CMD and a command, or NONE"
        yield Rejection(message, _keyword_offset(instruction), hint)
    kind, command = _health_command(instruction)
    offset = _arguments_offset(instruction)
    if kind.upper() == "NONE":
        if command:
            yield Rejection("HEALTHCHECK NONE takes no arguments", offset, "remove them")
        return
    yield from check_flags(instruction)
    if kind.upper() != "CMD":
        message = f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)'
        hint = suggest(kind.upper(), ("CMD", "NONE")) or "expected CMD"
        yield Rejection(message, offset, hint)
    if not command or _EMPTY_JSON.fullmatch(command):
        yield Rejection("Missing command after HEALTHCHECK CMD", offset, "expected a command")
    yield from check_health_flags(instruction)


# ARG has no check of flags: BuildKit takes no notice of them there.
_CHECKS: dict[str, tuple[Callable[[Instruction], Rejections], ...]] = {
    "ADD": (_two_arguments, check_flags, _no_heredoc_as_destination),
    "ARG": (_some_arguments, _names),
    "CMD": (check_flags,),
    "COPY": (_two_arguments, check_flags, _no_heredoc_as_destination),
    "ENTRYPOINT": (check_flags,),
    "ENV": (check_flags, _some_arguments, _names),
    "EXPOSE": (_some_arguments, check_flags),
    "FROM": (_image_and_name, check_flags),
    "HEALTHCHECK": (_health_check,),
    "LABEL": (check_flags, _some_arguments, _names),
    "MAINTAINER": (_one_argument, check_flags),
    "ONBUILD": (_a_trigger, check_flags, _allowed_trigger),
    "RUN": (check_flags,),
    "SHELL": (check_flags, _exec_form, _some_arguments),
    "STOPSIGNAL": (_one_argument, check_flags),
    "USER": (_one_argument, check_flags),
    "VOLUME": (_some_arguments, check_flags, _no_empty_directory),
    "WORKDIR": (_one_argument, check_flags),
}


def _arguments(instruction: Instruction) -> tuple[str, ...]:
    """Return an instruction's arguments as BuildKit splits them for its keyword."""
    text = instruction.arguments
    if instruction.exec_form is not None:
        return instruction.exec_form
    if instruction.keyword in ("ARG", "FROM"):
        return instruction.words
    if instruction.keyword in ("ADD", "COPY", "EXPOSE", "VOLUME"):
        return tuple(BLANKS.split(text)) if text else ()
    return (text,) if text else ()


def _health_command(instruction: Instruction) -> tuple[str, str]:
    match = _TYPE_AND_COMMAND.fullmatch(instruction.arguments)
    return (match[1], match[2]) if match else ("", "")


def _keyword_offset(instruction: Instruction) -> int:
    return max(instruction.start, instruction.span.start)


def _arguments_offset(instruction: Instruction) -> int:
    for child in instruction.children:
        if child.kind in ("WORD", "PLAIN_WORD", "COMMAND", "EXEC_FORM"):
            return child.span.start
    return instruction.trigger.span.start if instruction.trigger else _keyword_offset(instruction)


def _word_offset(instruction: Instruction, index: int) -> int:
    """Return where one of the words of FROM, ARG, ENV or LABEL begins."""
    position = sum(map(len, instruction.words[:index]))
    for child in instruction.children:
        if isinstance(child, Token) and child.kind in ("WORD", "PLAIN_WORD"):
            if position < len(child.text):
                return child.span.start + position
            position -= len(child.text)
    return _arguments_offset(instruction)
