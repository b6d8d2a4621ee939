"""Flag words without their quotes and escapes, and the place of each character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_cache.text.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.dockerfile.lines import LogicalLine


class FlagWord:
    """A decoded flag word: `text` is the word as BuildKit reads it, `span` its place in the file.

    `torn` is the offset in the file of the first character that BuildKit cuts in two (see
    `is_torn`), None where there is none.
    """

    __slots__ = ("_ends", "_line", "_quoted", "_starts", "span", "text", "torn")

    def __init__(self, raw: str, start: int, line: LogicalLine, escape: str) -> None:
        end = start + len(raw)
        self._line = line
        # The places of the characters in the joined line, an escape before one included.
        self._starts: list[int] = []
        self._ends: list[int] = []
        # The start of the contents of each pair of quotes, by their end, likewise.
        self._quoted: dict[int, int] = {}
        self.text, torn = self._decode(raw, start, escape)
        if torn < 0 and is_torn(line.text[end : end + 1]):
            torn = end
        self.torn = line.offset(torn) if torn >= 0 else None
        self.span = Span(line.offset(start), line.end_offset(end))

    def _decode(self, raw: str, start: int, escape: str) -> tuple[str, int]:
        """Return the decoded word, and where in the joined line its first torn character is."""
        chars: list[str] = []
        quote, quoted_from, index, torn = "", 0, 0, -1
        while index < len(raw):
            begin, char = index, raw[index]
            index += 1
            if char == quote:
                self._quoted[start + begin] = start + quoted_from
                quote = ""
                continue
            if char in "\"'" and not quote:
                quote, quoted_from = char, index
                continue
            if char == escape:
                char = raw[index : index + 1]
                index += 1
                if not char:
                    break
            if not quote and torn < 0 and is_torn(char):
                torn = start + begin
            chars.append(char)
            self._starts.append(start + begin)
            self._ends.append(start + index)
        return "".join(chars), torn

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the parts of the file that make up ``text[start:end]``, without quotes."""
        while start < end:
            stop = start + 1
            while stop < end and self._starts[stop] == self._ends[stop - 1]:
                stop += 1
            yield from self._line.spans(self._starts[start], self._ends[stop - 1])
            start = stop

    def offset(self, position: int) -> int:
        """Return the offset in the file of the character at `position` of `text`."""
        return self._line.offset(self._starts[position])

    def end_offset(self, position: int) -> int:
        """Return the offset in the file at which ``text[:position]`` ends."""
        return self._line.end_offset(self._ends[position - 1])

    def insertion_offset(self, start: int, end: int) -> int:
        """Return the offset in the file at which text can follow ``text[start:end]``.

        A quote that opens within it and closes at its end comes before that offset, so that
        ``target="/x"`` becomes ``target="/x",id=y``.
        """
        place = self._ends[end - 1]
        opened = self._quoted.get(place, -1)
        inside = end > start and opened > self._starts[start]
        return self._line.end_offset(place + 1 if inside else place)


def is_torn(char: str) -> bool:
    """Tell whether BuildKit cuts a character in two where it looks for flags.

    It reads bytes there, and takes 85 and A0 for blanks: those of U+0085 and U+00A0, but also
    the second half of ``à`` (C3 A0).
    """
    if char <= "\x7f" or "\udc80" <= char <= "\udcff":
        return False
    encoded = char.encode("utf-8", "surrogatepass")
    return b"\x85" in encoded or b"\xa0" in encoded
