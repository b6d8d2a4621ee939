"""The service that a RUN builds for, or why none could be inferred."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """The service whose output a RUN makes.

    `text` goes into an id: a name, or build arguments such as ``${SERVICE}``. `values` are
    what it is known to become, empty where only a build knows. `evidence` says why.
    """

    text: str
    evidence: str
    values: frozenset[str] = frozenset()

    @property
    def is_variable(self) -> bool:
        """Whether the text stands for several services."""
        return "$" in self.text


@dataclass(frozen=True, slots=True)
class NoService:
    """No service could be inferred; `considered` says what was tried, and why it failed."""

    considered: str
