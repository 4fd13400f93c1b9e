"""What benchmarks share. To import it makes this checkout importable as auxlens."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"  # sample data, beside the checkout

if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))
import conftest  # noqa: F401, E402


class Silent:
    """A progress that nobody looks at."""

    def report(self, fraction: float, message: str) -> None: ...

    def canceled(self) -> bool:
        return False
