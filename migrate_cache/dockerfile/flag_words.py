"""A flag word without its quotes and escapes, and where each of its characters stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_cache.dockerfile.lines import LogicalLine
    from migrate_cache.text.source import Span


class FlagWord:
    """A decoded flag word.

    `text` is the word as BuildKit takes it. `start` and `end` are the word's place in the
    joined line, `starts` and `ends` those of each character, an escape before it included.
    `torn` is the place in the joined line of the first character that BuildKit cuts in two
    (see `is_torn`), -1 where there is none.
    """

    __slots__ = ("_line", "_quoted", "end", "ends", "start", "starts", "text", "torn")

    def __init__(self, raw: str, start: int, line: LogicalLine, escape: str) -> None:
        self.start = start
        self.end = start + len(raw)
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.torn = -1
        self._line = line
        # Where the contents of closed quotes begin, by where they end.
        self._quoted: dict[int, int] = {}
        self.text = self._decode(raw, escape)
        if self.torn < 0 and is_torn(line.text[self.end : self.end + 1]):
            self.torn = self.end

    def _decode(self, raw: str, escape: str) -> str:
        chars: list[str] = []
        quote, quoted_from, index = "", 0, 0
        while index < len(raw):
            begin, char = index, raw[index]
            index += 1
            if char == quote:
                self._quoted[self.start + begin] = self.start + quoted_from
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
            if not quote and self.torn < 0 and is_torn(char):
                self.torn = self.start + begin
            chars.append(char)
            self.starts.append(self.start + begin)
            self.ends.append(self.start + index)
        return "".join(chars)

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the parts of the file that ``text[start:end]`` is made of, without quotes."""
        while start < end:
            stop = start + 1
            while stop < end and self.starts[stop] == self.ends[stop - 1]:
                stop += 1
            yield from self._line.spans(self.starts[start], self.ends[stop - 1])
            start = stop

    def offset(self, position: int) -> int:
        """Return where in the file the character at `position` of `text` stands."""
        place = self.starts[position] if position < len(self.starts) else self.end - 1
        return self._line.offset(place)

    def end_offset(self, position: int) -> int:
        """Return where in the file ``text[:position]`` ends."""
        return self._line.end_offset(self.ends[position - 1])

    def insertion_offset(self, start: int, end: int) -> int:
        """Return where in the file text can be added behind ``text[start:end]``.

        That is behind a quote that opens within it and closes at its end, so that
        ``target="/x"`` becomes ``target="/x",id=y``.
        """
        place = self.ends[end - 1]
        opened = self._quoted.get(place, -1)
        inside = end > start and opened > self.starts[start]
        return self._line.end_offset(place + 1 if inside else place)


def is_torn(char: str) -> bool:
    """Whether BuildKit cuts a character in two where it looks for flags.

    It goes byte by byte there, and takes the bytes 85 and A0 for blanks: those of U+0085 and
    U+00A0, but also the second half of ``à`` (C3 A0).
    """
    if char <= "\x7f" or "\udc80" <= char <= "\udcff":
        return False
    encoded = char.encode("utf-8", "surrogatepass")
    return b"\x85" in encoded or b"\xa0" in encoded
