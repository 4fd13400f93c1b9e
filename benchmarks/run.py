"""Measure speed and memory of mapping against the ideal and a plain loop, and write ``speed.md`` beside this file.

``make bench`` runs it at full size (8192², about 40 GB of writing); ``--side 2048`` is a quick look.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE
from scenes import make_model, make_scene

from auxlens.engine.jobs import MapJob
from auxlens.plugin import client, interpreter

CHIP_PX = 256


def part(name: str, folder: Path, argument: str = "") -> dict[str, float]:
    """Run one part of ``mapping.py`` in a process of its own."""
    command = [sys.executable, str(HERE / "mapping.py"), name, str(folder), argument]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name} {argument}: {result}", flush=True)
    return result


class Feedback:
    """As much of QGIS's feedback as the engine's client needs."""

    def setProgress(self, percent: float) -> None: ...
    def setProgressText(self, text: str) -> None: ...
    def pushInfo(self, text: str) -> None: ...
    def pushWarning(self, text: str) -> None: ...
    def isCanceled(self) -> bool:
        return False


def toolbox(folder: Path) -> dict[str, float]:
    """Seconds that the engine's process adds to a small map: cold (first use) and warm (median of five)."""
    client.configure(lambda: interpreter.find(sys.executable))
    outputs = {"output_map": str(folder / "small_map.tif")}
    job = MapJob(str(folder / "model.safetensors"), (str(folder / "s2.tif"),), **outputs)
    added = []
    for _ in range(6):
        start = time.perf_counter()
        inside = client.run_job(job, Feedback())["figures"]["seconds"]
        added.append(time.perf_counter() - start - inside)
    client.shutdown()
    return {"cold": added[0], "warm": statistics.median(added[1:])}


def median(values: list[float]) -> float:
    return statistics.median(values)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--side", type=int, default=8192, help="width and height of the scene, in pixels")
    arguments.add_argument("--runs", type=int, default=3, help="counted runs of each part; the median is written")
    options = arguments.parse_args()
    side = options.side
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        root = Path(temporary)
        model = make_model(root / "model.safetensors")
        folders = {"full": (side, side), "half": (side // 2, side // 2), "tall": (2 * side, side // 2)}
        for name, size in folders.items():
            make_scene(root / name, *size)
            shutil.copy(model, root / name / "model.safetensors")
        make_scene(root / "small", 256, 256)
        shutil.copy(model, root / "small" / "model.safetensors")
        rounds = []
        for number in range(options.runs):  # the parts in turn, so that the machine's mood meets all of them
            print(f"round {number + 1} of {options.runs}", flush=True)
            some = part("ours", root / "full", "some")
            rounds.append(
                {
                    "some": some,
                    "ideal": part("ideal", root / "full", str(some["precision"])),
                    "all": part("ours", root / "full", "all"),
                    "gdal": part("gdal", root / "full"),
                    "plain": part("plain", root / "full"),
                    "plain small": part("plain", root / "full", str(CHIP_PX)),
                }
            )
        memory = {name: part("ours", root / name, "all")["peak_mib"] for name in ("half", "tall")}
        seconds = toolbox(root / "small")
    (HERE / "speed.md").write_text(table(side, rounds, memory, seconds), encoding="utf-8")
    print((HERE / "speed.md").read_text(encoding="utf-8"))


def table(side: int, rounds: list[dict[str, dict[str, float]]], memory: dict[str, float], box: dict[str, float]) -> str:
    """The results as Markdown."""
    pixels = side * side

    def ratio(values: list[float]) -> str:
        return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"

    ideal_s = [pixels / r["ideal"]["pixels_a_second"] for r in rounds]
    a = [i / r["some"]["seconds"] for i, r in zip(ideal_s, rounds, strict=True)]
    b = [r["all"]["seconds"] / (i + r["gdal"]["seconds"]) for i, r in zip(ideal_s, rounds, strict=True)]
    c, small = ([r[name]["seconds"] / r["some"]["seconds"] for r in rounds] for name in ("plain", "plain small"))
    peaks = {k: max(r[k]["peak_mib"] for r in rounds) for k in ("some", "all", "plain")}
    rows = [
        ("ideal: bare forward pass from memory", f"{median(ideal_s):.1f} s", rounds[0]["ideal"]["shape"]),
        ("map, uncertainty, error probability", f"{median([r['some']['seconds'] for r in rounds]):.1f} s", ""),
        ("every output", f"{median([r['all']['seconds'] for r in rounds]):.1f} s", ""),
        ("GDAL alone, the same bytes", f"{median([r['gdal']['seconds'] for r in rounds]):.1f} s", ""),
        ("plain loop, our windows", f"{median([r['plain']['seconds'] for r in rounds]):.1f} s", ""),
        (f"plain loop, tiles of {CHIP_PX} px", f"{median([r['plain small']['seconds'] for r in rounds]):.1f} s", ""),
        ("(a) throughput against the ideal", ratio(a), "goal ≥ 0.80"),
        ("(b) every output against ideal + GDAL", ratio(b), "goal ≤ 1.25"),
        ("(c) times faster than the plain loop, our windows", ratio(c), "goal ≥ 4"),
        (f"(c) the same, tiles of {CHIP_PX} px", ratio(small), "goal ≥ 4"),
        ("(c) peak memory: ours, plain", f"{peaks['some']:.0f}, {peaks['plain']:.0f} MiB", "goal: not more"),
        (
            f"(d) peak memory, every output: {side // 2}², {side}², {2 * side}×{side // 2}",
            f"{memory['half']:.0f}, {peaks['all']:.0f}, {memory['tall']:.0f} MiB",
            "goal ≤ 1536, ± 10 %",
        ),
        ("(e) the engine's process adds, cold and warm", f"{box['cold']:.2f}, {box['warm']:.3f} s", "goal ≤ 4, ≤ 0.3"),
    ]
    lines = [
        "# Speed and memory of mapping",
        "",
        f"`python benchmarks/run.py --side {side} --runs {len(rounds)}` (`make bench`: 8192, 3): a generated scene of",
        f"{side}×{side} pixels, 10 bands uint16, 6 classes, auxiliary VV, VH and elevation, preset `small`,",
        f"{rounds[0]['some']['precision']}. Medians (and extremes) of the rounds;",
        "ratios are formed within a round. The plain loop has the same overlap as ours, and our large windows or",
        f"tiles of {CHIP_PX} px, which scripts usually take. Machine:",
        f"{platform.machine()}, {processor()}, {len(os.sched_getaffinity(0))} cores, no GPU.",
        "",
        "| what | measured | |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows),
        "",
    ]
    return "\n".join(lines)


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
