"""The table of what was proved on which engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Report", "Row"]


#: What a reader wants to know first.
_ORDER = ("demo", "side_by_side", "cargo", "copy_out", "layers", "modes")


class Row(NamedTuple):
    """One thing that a test showed."""

    claim: str
    engine: str
    seen: str


class Report:
    """Rows by subject, and within it in the order of the tests; a claim's engines together."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._places: dict[str, tuple[int, int]] = {}

    def add(self, subject: str, row: Row) -> None:
        """Add what a test of this subject has shown."""
        self._places.setdefault(row.claim, (_ORDER.index(subject), len(self.rows)))
        self.rows.append(row)

    def write(self, path: Path) -> None:
        text = self.json() if path.suffix == ".json" else self.markdown()
        path.write_text(text, encoding="utf-8")

    def json(self) -> str:
        return json.dumps([row._asdict() for row in self._sorted()], indent=2) + "\n"

    def markdown(self) -> str:
        lines = ["| what was shown | engine | seen |", "|---|---|---|"]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in self._sorted()]
        return "\n".join(lines) + "\n"

    def _sorted(self) -> list[Row]:
        return sorted(self.rows, key=lambda row: self._places[row.claim])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
