r"""Unified diffs that ``git apply`` takes, byte for byte.

Lines end at ``\n`` only, carriage returns belong to the line, a missing last newline
is marked, names are quoted as git quotes them, and nothing depends on the time. What
changes is known from the edits, so that the whole files are never compared line by
line; only where the edits do not explain the result does difflib look for them.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from migrate_cache.report.style import paint
from migrate_cache.text.edit import apply_edits
from migrate_cache.text.escape import printable
from migrate_cache.text.source import encode, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.plan.model import FileResult, ProjectResult
    from migrate_cache.report.summary import Mode
    from migrate_cache.text.edit import Edit

CONTEXT = 3
_NO_NEWLINE = "\\ No newline at end of file\n"
# Above this many lines on one side, two texts that no edits connect are shown as one block.
_COMPARE_AT_MOST = 2000
_QUOTED = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


class LineBlock(NamedTuple):
    """Lines ``[start, end)`` of the old text that `lines` take the place of."""

    start: int
    end: int
    lines: list[str]


def git_path(prefix: str, path: str) -> str:
    """Return ``prefix/path`` as git writes names in a patch (core.quotePath on)."""
    data = encode(f"{prefix}/{path.lstrip('/')}")
    text = "".join(map(_quoted, data))
    return f'"{text}"' if len(text) != len(data) else text


def _quoted(byte: int) -> str:
    if byte in _QUOTED:
        return "\\" + _QUOTED[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def unified(file: FileResult, color: bool = False, *, terminal: bool = False) -> str:
    """Return the diff of one file, ``""`` where nothing changes.

    Without `color` and `terminal` the result, encoded by `migrate_cache.text.source.encode`,
    is an exact patch. For a `terminal` (which `color` implies), control characters in
    the contents are escaped.
    """
    if not file.changed:
        return ""
    old, new = git_path("a", file.path), git_path("b", file.path)
    # A tab ends a name with a blank in it, so that nothing takes the rest for a date.
    end = "\t\n" if " " in old else "\n"
    header = (f"diff --git {old} {new}\n", f"--- {old}{end}", f"+++ {new}{end}")
    body = list(_body(file))
    if not (color or terminal):
        return "".join(header) + "".join(body)
    # Carriage returns that every line has are no news.
    plain = [line for line in body if line[0] in " +-"]
    quiet_cr = all(line.endswith(("\r\n", "\r")) for line in plain)
    shown = [paint(line.rstrip(), "bold", color) for line in header]
    for line in body:
        text = line.removesuffix("\n")
        if quiet_cr and line[0] in " +-":
            text = text.removesuffix("\r")
        style = {"-": "red", "+": "green", "@": "cyan"}.get(line[0])
        text = printable(text, tabs=True)
        shown.append(paint(text, style, color) if style else text)
    return "\n".join(shown) + "\n"


def patch(result: ProjectResult, *, mode: Mode = "write") -> str:  # noqa: ARG001 - as all formats
    """Return the diffs of all files, one after the other."""
    return "".join(unified(file) for file in result.files)


def _body(file: FileResult) -> Iterator[str]:
    """Yield the hunks' lines, each with its sign; hunk headers begin with ``@@``."""
    old = split_lines(file.before)
    shift = 0
    for hunk in _hunks(_blocks(file, old)):
        start = max(0, hunk[0].start - CONTEXT)
        end = min(len(old), hunk[-1].end + CONTEXT)
        grown = sum(len(block.lines) - (block.end - block.start) for block in hunk)
        yield (
            f"@@ -{_range(start, end - start)} +{_range(start + shift, end - start + grown)} @@\n"
        )
        shift += grown
        position = start
        for block in hunk:
            yield from _signed(" ", old[position : block.start])
            yield from _signed("-", old[block.start : block.end])
            yield from _signed("+", block.lines)
            position = block.end
        yield from _signed(" ", old[position:end])


def _signed(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield sign + line
        else:
            yield sign + line + "\n"
            yield _NO_NEWLINE


def _range(start: int, length: int) -> str:
    # A range without lines names the line before it.
    first = start + 1 if length else start
    return str(first) if length == 1 else f"{first},{length}"


def _hunks(blocks: list[LineBlock]) -> Iterator[list[LineBlock]]:
    """Group the blocks whose contexts touch."""
    hunk: list[LineBlock] = []
    for block in blocks:
        if hunk and block.start - hunk[-1].end > 2 * CONTEXT:
            yield hunk
            hunk = []
        hunk.append(block)
    if hunk:
        yield hunk


def _blocks(file: FileResult, old: list[str]) -> list[LineBlock]:
    """Return what differs, in order, without lines that both sides have at their ends."""
    edits = [edit for change in file.changes for edit in change.edits]
    try:
        explained = apply_edits(file.before, edits) == file.after
    except ValueError:
        explained = False
    found = _from_edits(file.after, old, edits) if explained else _compared(file.after, old)
    trimmed = (_trimmed(block, old) for block in found)
    return [block for block in trimmed if block.start < block.end or block.lines]


def _from_edits(after: str, old: list[str], edits: list[Edit]) -> list[LineBlock]:
    starts = [0, *accumulate(map(len, old))]
    # Lines of the old text, and how far the new text is shifted at their start and end.
    groups: list[tuple[int, int, int, int]] = []
    shift = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        first = min(bisect_right(starts, edit.span.start) - 1, len(old))
        last = min(bisect_right(starts, edit.span.end) - 1, len(old) - 1)
        if first > last and old and not old[-1].endswith("\n"):
            first = last  # the text goes on in a last line that has no newline
        end = max(first, last + 1)
        before = shift
        shift += len(edit.text) - (edit.span.end - edit.span.start)
        if groups and first <= groups[-1][1]:
            first, end_before, before, _ = groups.pop()
            end = max(end, end_before)
        groups.append((first, end, before, shift))
    return [
        LineBlock(first, end, split_lines(after[starts[first] + before : starts[end] + shifted]))
        for first, end, before, shifted in groups
    ]


def _compared(after: str, old: list[str]) -> list[LineBlock]:
    new = split_lines(after)
    whole = _trimmed(LineBlock(0, len(old), new), old)
    if max(whole.end - whole.start, len(whole.lines)) > _COMPARE_AT_MOST:
        return [whole]
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, old[whole.start : whole.end], whole.lines, autojunk=False)
    return [
        LineBlock(whole.start + old_start, whole.start + old_end, whole.lines[new_start:new_end])
        for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes()
        if tag != "equal"
    ]


def _trimmed(block: LineBlock, old: list[str]) -> LineBlock:
    start, end, lines = block
    low, high = 0, len(lines)
    while start < end and low < high and old[start] == lines[low]:
        start += 1
        low += 1
    while start < end and low < high and old[end - 1] == lines[high - 1]:
        end -= 1
        high -= 1
    return LineBlock(start, end, lines[low:high])
