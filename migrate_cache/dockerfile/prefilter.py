"""A scan of a file's bytes that decides whether it is worth parsing."""

from __future__ import annotations

import re

_NOISE = b"\\`\"' \t\r\n\v\f"
_COMMENT_LINE = re.compile(rb"\n[ \t\v\f\r\x80-\xff]*#[^\n]*")
_TYPE = re.compile(rb"type=(?:cache|[^,]*\$)")


def has_cache_mount(data: bytes) -> bool:
    """Tell whether a file may have a cache mount.

    Quotes, escapes, continuations, comments between continued lines and letter case hide none
    from it; it may take other text for a mount.
    """
    if b"-" not in data:
        return False
    return _looks_like_cache(data) or (
        b"#" in data and _looks_like_cache(_COMMENT_LINE.sub(b"\n", b"\n" + data))
    )


def _looks_like_cache(data: bytes) -> bool:
    squeezed = data.translate(None, _NOISE).lower()
    return b"--mount=" in squeezed and _TYPE.search(squeezed) is not None
