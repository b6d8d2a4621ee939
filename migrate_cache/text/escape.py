r"""Text from files and names of files, made safe to show.

Paths, ids, service names and file contents may hold terminal escape sequences,
line breaks, characters that reorder what is around them, and bytes that are not
UTF-8 (surrogates, as `migrate_cache.text.source.decode` leaves them). None of these
reaches a terminal or a log raw.
"""

from __future__ import annotations

import re

__all__ = ["json_safe", "printable"]

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str, *, tabs: bool = False) -> str:
    r"""Return `text` on one line, with every character that is not printable escaped.

    An escape character becomes ``\x1b``, a byte that is not UTF-8 ``\xff``, a line
    break ``\n``. Backslashes stay single: this is for reading, not for reading back.
    With `tabs`, tab stops stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character if tabs and character == "\t" else _escape(character) for character in text
    )


def json_safe(text: str) -> str:
    r"""Return `text` with undecodable bytes as ``\xff``; no lone surrogate is left.

    JSON can spell lone surrogates, but many readers refuse them.
    """
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: _escape(match[0]), text)
