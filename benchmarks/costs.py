"""What output layers add to the time of a map: ``python benchmarks/costs.py`` writes ``costs.md`` beside this file.

A generated scene and an untrained model: neither pixels nor weights change the time.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from pathlib import Path

from common import HERE, Silent

from auxlens.engine.tuning import tune_process

tune_process()
import torch  # noqa: E402
from scenes import make_model, make_scene  # noqa: E402

from auxlens.engine import jobs  # noqa: E402
from auxlens.engine.executors.map import run  # noqa: E402

# Beside the map: outputs, whether auxiliary rasters are given, and what they may cost together.
CASES: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "probability": (("probability",), False, ""),
    "uncertainty": (("uncertainty",), False, ""),
    "expected error, error probability": (("expected_error", "error_probability"), False, "15 %"),
    "the same with auxiliary references": (("expected_error", "error_probability"), True, ""),
    "attribution": (("attribution",), False, "20 %"),
}


def seconds(folder: Path, scene: dict[str, str], names: tuple[str, ...], observed: bool) -> tuple[float, float]:
    """Processor time and duration of a map with more outputs."""
    outputs = {f"output_{name}": str(folder / f"{name}.tif") for name in ("map", *names)}
    given = {"auxiliary": (scene["s1"], scene["dem"])} if observed else {}
    job = jobs.MapJob(str(folder / "model.safetensors"), (scene["s2"],), **given, **outputs)
    started, used = time.perf_counter(), time.process_time()
    run(job, Silent())
    return time.process_time() - used, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4096, help="width and height of the scene, in pixels")
    parser.add_argument("--runs", type=int, default=5, help="rounds; ratios are formed within a round")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    alone: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        folder = Path(temporary)
        scene = make_scene(folder, options.side, options.side)
        make_model(folder / "model.safetensors")
        seconds(folder, scene, (), False)  # what is loaded once
        for number in range(options.runs):
            alone.append(seconds(folder, scene, (), False))
            for name, (names, observed, _) in CASES.items():
                found[name].append(seconds(folder, scene, names, observed))
            print(f"round {number + 1} of {options.runs}: {alone[-1]}, {[v[-1] for v in found.values()]}", flush=True)
    used, taken = (statistics.median(values[i] for values in alone) for i in (0, 1))
    table = [
        "# What output layers cost",
        "",
        f"`python benchmarks/costs.py --side {options.side} --runs {options.runs}`: a generated scene of",
        f"{options.side}² pixels, 10 bands uint16; preset `small`, 6 classes, 3 auxiliary bands, 4 players. Alone,",
        f"the map takes {used:.1f} s of processor time and {taken:.1f} s altogether. Median (and extremes) of what is",
        f"added within a round. Machine: {platform.machine()}, {torch.get_num_threads()} threads.",
        "",
        "| beside the map | processor time | duration | goal |",
        "|---|---|---|---|",
    ]
    for name, (_, _, goal) in CASES.items():
        parts = [[values[i] / base[i] - 1 for values, base in zip(found[name], alone, strict=True)] for i in (0, 1)]
        shown = (f"{statistics.median(p):+.0%} ({min(p):+.0%} to {max(p):+.0%})" for p in parts)
        table.append(f"| {name} | {' | '.join(shown)} | {goal} |")
    (HERE / "costs.md").write_text("\n".join([*table, ""]), encoding="utf-8")
    print((HERE / "costs.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
