"""Parse HCL into trees of python-hcl2's grammar, within bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Tree

    from migrate_cache.builds.sources import WarningLog

MAX_BYTES = 256 * 1024
"""The largest HCL file that is read: python-hcl2 takes a second for it."""
# In a file with heredocs, python-hcl2 takes quadratic time over such a run.
_LONG_BLANK = re.compile(r"\s{400}")


def parse(text: str, log: WarningLog) -> Tree[Any] | None:
    """Return the tree of an HCL file; None, with a warning at its place, where it is not HCL."""
    import hcl2
    from lark.exceptions import LarkError, UnexpectedInput

    text = text.removeprefix("\ufeff")
    blank = _LONG_BLANK.search(text)
    if blank is not None and "<<" in text:
        log.warn(text.count("\n", 0, blank.start()) + 1, 0, "has too many blanks in a row")
        return None
    try:
        tree: Tree[Any] = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        at: Any = error  # at the end of the file, Lark gives no numbers
        line, column = (n if isinstance(n, int) and n > 0 else 0 for n in (at.line, at.column))
        log.warn(line, column, "cannot be read as HCL from here on")
        return None
    except (LarkError, RecursionError, ValueError):
        log.warn(0, 0, "cannot be read as HCL")
        return None
    return tree


def trees(tree: Tree[Any]) -> list[Any]:
    """Return those children of `tree` that are trees, without blanks and comments."""
    return [
        child
        for child in tree.children
        if not isinstance(child, str) and child.data != "new_line_or_comment"
    ]


def name_of(tree: Tree[Any]) -> str:
    """Return the text of an identifier, a keyword or a literal."""
    return str(tree.children[0]) if tree.children else ""
