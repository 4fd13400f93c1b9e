"""The progress of one part of a job, as that of the whole."""

from __future__ import annotations

from dataclasses import dataclass

from .jobs import Progress


@dataclass(frozen=True)
class Part:
    """A progress for a piece of work that begins at ``start`` and is a ``share`` of the whole, both 0–1.

    ``name`` stands before its messages.
    """

    whole: Progress
    start: float
    share: float
    name: str = ""

    def report(self, fraction: float, message: str) -> None:
        """See ``Progress``."""
        said = f"{self.name}: {message}" if self.name else message
        self.whole.report(self.start + self.share * fraction, said)

    def canceled(self) -> bool:
        """See ``Progress``."""
        return self.whole.canceled()
