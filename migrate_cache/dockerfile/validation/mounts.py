"""What BuildKit rejects in a mount (``instructions/commands_runmount.go``).

A value with a variable is not judged: only the build knows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.validation.go_values import BOOLEANS, SIZE, number
from migrate_cache.dockerfile.validation.rejection import Rejection, suggest, suggest_or_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_cache.dockerfile.mount import Mount, MountOption
    from migrate_cache.dockerfile.validation.rejection import Rejections

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING_MODES = ("shared", "private", "locked")
# fmt: off
_KEYS = (
    "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode",
    "uid", "gid", "src", "dst", "destination", "ro", "rw", "readwrite", "env",
)
# fmt: on
_SWITCHES = ("readonly", "ro", "readwrite", "rw")
# Keys for some types only, which must stand before them.
_TYPES_OF = {"required": ("secret", "ssh"), "env": ("secret",), "size": ("tmpfs",)}
# A type that only the build knows.
_UNKNOWN = "?"


def _is_number(base: int) -> Callable[[str], bool]:
    return lambda text: number(text, base, 2**32) is not None


# Keys whose value is one of a few words: what BuildKit calls it, and the words.
_WORDS = {"type": ("mount type", _TYPES), "sharing": ("sharing value", _SHARING_MODES)}
# Keys with other values: what is one, BuildKit's message where it is none, and a hint.
_SWITCH = (BOOLEANS.__contains__, "invalid value for {key}: {value}", "expected true or false")
_SIZE = (SIZE.fullmatch, "invalid value for size: {value}", "expected a size such as 64m")
_MODE = (_is_number(8), "invalid value {value} for mode", "expected an octal number")
_ID = (_is_number(10), "invalid value {value} for {key}", "expected a number")
_VALUES: dict[str, tuple[Callable[[str], object], str, str]] = {
    **dict.fromkeys((*_SWITCHES, "required"), _SWITCH),
    **dict.fromkeys(("uid", "gid"), _ID),
    "size": _SIZE,
    "mode": _MODE,
}


def check_mount(mount: Mount) -> Rejections:
    """Check the options of a mount, each in the light of the type given before it."""
    if mount.value in ("", "\r"):
        yield Rejection("failed to parse csv mounts: EOF", mount.span.end, "expected type=…")
    for option in mount.options:
        yield from _check_from(option)
    kind = "bind"
    for option in mount.options:
        if option.value is None:
            yield from _check_bare(option, kind)
        elif "$" not in option.value or option.key not in _KEYS:
            yield from _check_value(option, kind, option.value)
        if option.key == "type" and option.value is not None:
            kind = _UNKNOWN if "$" in option.value else option.value.lower()
    if kind != _UNKNOWN:
        yield from _check_together(mount, kind)


def _check_from(option: MountOption) -> Rejections:
    if option.key == "from" and re.search(r"\$.", option.value or ""):
        yield Rejection(
            "'from' doesn't support variable expansion, define alias stage instead",
            option.value_spans[0].start,
            "name a stage of this file, and let its FROM take the variable",
        )


def _check_bare(option: MountOption, kind: str) -> Rejections:
    if option.key == "required":
        yield from _check_type(option, kind)
    elif option.key not in _SWITCHES:
        hint = f"write {option.field}=VALUE" if option.field else "remove the comma before it"
        yield Rejection(
            f"invalid field '{option.field}' must be a key=value pair",
            option.span.start,
            suggest(option.key, _SWITCHES) or hint,
        )


def _check_value(option: MountOption, kind: str, value: str) -> Rejections:
    key, offset = option.key, option.value_spans[0].start
    if key not in _KEYS:
        message = f"unexpected key '{key}' in '{option.field}'"
        yield Rejection(message, option.span.start, suggest_or_list(key, _KEYS))
    yield from _check_type(option, kind)
    if key in _WORDS:
        what, words = _WORDS[key]
        if value.lower() not in words:
            hint = suggest_or_list(value.lower(), words)
            yield Rejection(f'unsupported {what} "{value}"', offset, hint)
    elif key in _VALUES:
        is_valid, message, hint = _VALUES[key]
        if not is_valid(value):
            yield Rejection(message.format(key=key, value=value), offset, hint)


def _check_type(option: MountOption, kind: str) -> Rejections:
    """Check that a key goes with the type so far."""
    types = _TYPES_OF.get(option.key)
    if types is not None and kind not in (*types, _UNKNOWN):
        yield Rejection(
            f"unexpected key '{option.key}' for mount type '{kind}'",
            option.span.start,
            f"{option.key} goes with type={' or type='.join(types)}, which must stand before it",
        )


def _check_together(mount: Mount, kind: str) -> Rejections:
    if kind in ("bind", "tmpfs"):
        for key in ("mode", "uid", "gid"):
            if option := mount.option(key):
                message = f'{key} not allowed for "{kind}" type mounts'
                yield Rejection(message, option.span.start, f"remove {key}")
    if kind == "secret":
        yield from _check_secret(mount)
    sharing = mount.option("sharing")
    if sharing and kind != "cache":
        message = f"invalid cache sharing set for {kind} mount"
        yield Rejection(message, sharing.span.start, "sharing goes with type=cache")


def _check_secret(mount: Mount) -> Rejections:
    offset = mount.span.start
    if mount.from_:
        yield Rejection("secret mount should not have a from", offset, "remove from")
    if mount.sharing:
        yield Rejection("secret mount should not define sharing", offset, "remove sharing")
    if not (mount.source or mount.target or mount.id):
        message = "invalid secret mount. one of source, target required"
        yield Rejection(message, offset, "give an id")
    if mount.source and mount.id:
        yield Rejection("both source and id can't be set", offset, "remove one of them")
