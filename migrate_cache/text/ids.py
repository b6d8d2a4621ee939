"""Cache ids as users give them: what may stand in one, and in a template for one.

An id is an option's value in a comma-separated flag of a RUN. Variables are all that is
expanded in it.
"""

from __future__ import annotations

import re

from migrate_cache.text.errors import ConfigError, nearest

__all__ = ["ID", "PLACEHOLDERS", "TEMPLATE", "check_id", "check_template"]

PLACEHOLDERS = ("kind", "stage", "service", "project", "arch")

# Characters that stand in an id without a meaning to the shell, to CSV or to BuildKit.
_SAFE = r"[A-Za-z0-9._/:@+-]"
_VARIABLE = rf"\$\{{[A-Za-z_][A-Za-z0-9_]*(:?[-+]{_SAFE}*)?\}}"
# Regular expressions that Python and JSON schemas read alike.
ID = rf"({_SAFE}|{_VARIABLE})+"
TEMPLATE = rf"({_SAFE}|{_VARIABLE}|\{{({'|'.join(PLACEHOLDERS)})\}})+"

_ALLOWED = "letters, digits, any of ._/:@+- and ${NAME}"
_KNOWN = " ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)


def check_id(name: str, value: str) -> None:
    """Raise ConfigError where `value`, of the option `name`, cannot stand in an id."""
    if not re.fullmatch(ID, value):
        raise ConfigError(
            f"{name}: {value!r} cannot stand in a cache id", hint=f"allowed: {_ALLOWED}"
        )


def check_template(name: str, value: str) -> None:
    """Raise ConfigError where `value`, of the option `name`, makes no id."""
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
