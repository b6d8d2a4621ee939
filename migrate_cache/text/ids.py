"""Check cache ids and templates for ids that users give.

An id is the value of an option in a comma-separated flag of a RUN, in which variables are expanded.
"""

from __future__ import annotations

import re

from migrate_cache.text.errors import ConfigError, nearest

__all__ = ["ID", "PLACEHOLDERS", "TEMPLATE", "check_id", "check_template"]

PLACEHOLDERS = ("kind", "stage", "service", "project", "arch")

# Characters that stand in an id without a meaning to the shell, to CSV or to BuildKit.
_SAFE = r"[A-Za-z0-9._/:@+-]"
_VARIABLE = rf"\$\{{[A-Za-z_][A-Za-z0-9_]*(:?[-+]{_SAFE}*)?\}}"
# These regular expressions mean the same to Python and to JSON schemas.
ID = rf"({_SAFE}|{_VARIABLE})+"
TEMPLATE = rf"({_SAFE}|{_VARIABLE}|\{{({'|'.join(PLACEHOLDERS)})\}})+"

_ALLOWED = "letters, digits, any of ._/:@+- and ${NAME}"
_KNOWN = " ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)


def check_id(name: str, value: str) -> None:
    """Raise ConfigError if `value`, of the option `name`, cannot be part of an id."""
    if not re.fullmatch(ID, value):
        raise ConfigError(
            f"{name}: {value!r} cannot stand in a cache id", hint=f"allowed: {_ALLOWED}"
        )


def check_template(name: str, value: str) -> None:
    """Raise ConfigError if `value`, of the option `name`, is no template for ids."""
    if re.fullmatch(TEMPLATE, value):
        return
    if not value:
        raise ConfigError(f"{name} is empty")
    for found in re.finditer(r"(?<!\$)\{([^{}]*)\}", value):
        if found[1] not in PLACEHOLDERS:
            guess = nearest(found[1], PLACEHOLDERS)
            hint = f"did you mean {{{guess}}}? " if guess else ""
            raise ConfigError(
                f"{name}: unknown placeholder {found[0]}", hint=f"{hint}known: {_KNOWN}"
            )
    raise ConfigError(
        f"{name}: {value!r} cannot make a cache id",
        hint=f"allowed: {_ALLOWED}, and the placeholders {_KNOWN}",
    )
