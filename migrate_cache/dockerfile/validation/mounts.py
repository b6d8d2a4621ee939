"""What BuildKit rejects in a mount (``instructions/commands_runmount.go``), in its words.

A value with a variable is not judged: only the build knows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrate_cache.dockerfile.validation.go_values import Rejected, is_size, number, suggest

if TYPE_CHECKING:
    from migrate_cache.dockerfile.mount import Mount, MountOption

MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING_MODES = ("shared", "private", "locked")
MOUNT_KEYS = (
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
)

_SWITCHES = ("readonly", "ro", "readwrite", "rw")
# Which types a key is for, where it is not for all; the type must stand before it.
_TYPES_OF = {"required": ("secret", "ssh"), "env": ("secret",), "size": ("tmpfs",)}
_BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
# A type that only the build knows.
_UNKNOWN = "?"


def check_mount(mount: Mount) -> None:
    """Raise `Rejected` for the first thing that is wrong with a mount."""
    if mount.value in ("", "\r"):
        raise Rejected("failed to parse csv mounts: EOF", mount.span.end, "expected type=…")
    for option in mount.options:
        _check_from(option)
    kind = "bind"
    for option in mount.options:
        kind = _check_option(option, kind)
    if kind != _UNKNOWN:
        _check_together(mount, kind)


def _check_from(option: MountOption) -> None:
    if option.key == "from" and re.search(r"\$.", option.value or ""):
        raise Rejected(
            "'from' doesn't support variable expansion, define alias stage instead",
            option.value_spans[0].start,
            "name a stage of this file, and let its FROM take the variable",
        )


def _check_option(option: MountOption, kind: str) -> str:
    """Check one field in the light of the type so far; return the type after it."""
    if option.value is None:
        _check_bare(option, kind)
        return kind
    if "$" in option.value and option.key in MOUNT_KEYS:
        return _UNKNOWN if option.key == "type" else kind
    _check_value(option, kind, option.value)
    return option.value.lower() if option.key == "type" else kind


def _check_bare(option: MountOption, kind: str) -> None:
    if option.key in _SWITCHES:
        return
    if option.key == "required":
        _check_type(option, kind)
        return
    hint = f"write {option.field}=VALUE" if option.field else "remove the comma before it"
    raise Rejected(
        f"invalid field '{option.field}' must be a key=value pair",
        option.span.start,
        suggest(option.key, _SWITCHES) or hint,
    )


def _check_value(option: MountOption, kind: str, value: str) -> None:
    key, at = option.key, option.value_spans[0].start
    if key not in MOUNT_KEYS:
        message = f"unexpected key '{key}' in '{option.field}'"
        hint = suggest(key, MOUNT_KEYS) or "expected one of " + ", ".join(MOUNT_KEYS)
        raise Rejected(message, option.span.start, hint)
    _check_type(option, kind)
    if key == "type":
        _check_word(value, at, "mount type", MOUNT_TYPES)
    elif key == "sharing":
        _check_word(value, at, "sharing value", SHARING_MODES)
    elif key in (*_SWITCHES, "required") and value not in _BOOLEANS:
        raise Rejected(f"invalid value for {key}: {value}", at, "expected true or false")
    elif key == "size" and not is_size(value):
        raise Rejected(f"invalid value for size: {value}", at, "expected a size such as 64m")
    elif key == "mode" and number(value, 8, 2**32) is None:
        raise Rejected(f"invalid value {value} for mode", at, "expected an octal number")
    elif key in ("uid", "gid") and number(value, 10, 2**32) is None:
        raise Rejected(f"invalid value {value} for {key}", at, "expected a number")


def _check_word(value: str, at: int, what: str, known: tuple[str, ...]) -> None:
    if value.lower() not in known:
        hint = suggest(value.lower(), known) or "expected one of " + ", ".join(known)
        raise Rejected(f'unsupported {what} "{value}"', at, hint)


def _check_type(option: MountOption, kind: str) -> None:
    types = _TYPES_OF.get(option.key)
    if types is not None and kind not in (*types, _UNKNOWN):
        raise Rejected(
            f"unexpected key '{option.key}' for mount type '{kind}'",
            option.span.start,
            f"{option.key} goes with type={' or type='.join(types)}, which must stand before it",
        )


def _check_together(mount: Mount, kind: str) -> None:
    """Check what a mount of this type may have at all."""
    if kind in ("bind", "tmpfs"):
        for key in ("mode", "uid", "gid"):
            if option := mount.option(key):
                message = f'{key} not allowed for "{kind}" type mounts'
                raise Rejected(message, option.span.start, f"remove {key}")
    if kind == "secret":
        _check_secret(mount)
    sharing = mount.option("sharing")
    if sharing and kind != "cache":
        raise Rejected(
            f"invalid cache sharing set for {kind} mount",
            sharing.span.start,
            "sharing goes with type=cache",
        )


def _check_secret(mount: Mount) -> None:
    if mount.from_:
        raise Rejected("secret mount should not have a from", mount.span.start, "remove from")
    if mount.sharing:
        raise Rejected("secret mount should not define sharing", mount.span.start, "remove sharing")
    if not (mount.source or mount.target or mount.id):
        raise Rejected(
            "invalid secret mount. one of source, target required", mount.span.start, "give an id"
        )
    if mount.source and mount.id:
        raise Rejected("both source and id can't be set", mount.span.start, "remove one of them")
