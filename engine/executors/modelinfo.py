"""The modelinfo job: a model's card as a page."""

from __future__ import annotations

import os
from typing import Any

from ...models.card import read_card
from ..checks import check_modelinfo
from ..jobs import ModelInfoJob, Progress
from ..reports.model import render_model_page
from ..scene.hashing import sha256
from ..textfile import write_text


def run(job: ModelInfoJob, progress: Progress) -> dict[str, Any]:
    """Write the page.

    Returns:
        ``outputs``: the page; ``figures``: what was measured on test, and the number of training scenes.

    Raises:
        AuxLensError: the model file cannot be read, or the page cannot be written.
    """
    check_modelinfo(job)
    card = read_card(job.model)
    progress.report(0.2, "Drawing the page")
    file = {
        "File": os.path.basename(job.model),
        "Size": f"{os.path.getsize(job.model) / 2**20:.1f} MiB",
        "SHA-256": sha256(job.model),
    }
    write_text(job.output_report, render_model_page(card, file))
    measured = (card.training.get("figures") or {}).get("test") or {}
    return {
        "outputs": {"report": job.output_report},
        "figures": {**measured, "scenes": len(card.training.get("scenes") or ())},
    }
