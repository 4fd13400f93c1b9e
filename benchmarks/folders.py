"""Measure mapping folders of scenes, and write ``folders.md`` beside this file.

``python benchmarks/folders.py`` takes about twenty minutes on two cores; ``--quick`` makes everything smaller. Parts
can be measured one by one, at quiet moments: ``--results FILE`` keeps what is measured, ``--only PART …`` measures no
more.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import HERE, Silent
from run import processor
from scenes import make_model, make_scene

from auxlens.engine.mapping.folder.packs import LARGEST_PACK

PATTERNS = {"input_patterns": "s2=s2.tif", "auxiliary_patterns": "s1=s1.tif;dem=dem.tif"}
LAYERS = ("map", "uncertainty", "error_probability")
_PART = f"import sys; sys.path[:0] = {[str(HERE.parent), str(HERE)]!r}; import conftest, folders; folders.{{}}"


def make_scenes(folder: Path, count: int, px: int, different: int = 8) -> None:
    """Write scenes; after the first ones they repeat, as links to the same files."""
    for i in range(count):
        scene, first = folder / f"s{i:03d}", folder / f"s{i % different:03d}"
        if scene == first:
            make_scene(scene, px, px, i)
        else:
            scene.mkdir()
            for file in first.iterdir():
                os.link(file, scene / file.name)


def in_process(call: str, **environment: str) -> dict[str, float]:
    """Run a function of this module in a process of its own; it prints one line of JSON."""
    command = [sys.executable, "-c", _PART.format(call)]
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {call[:70]}: {result}", flush=True)
    return result


def map_folder(model: str, scenes: str, out: str, scheduler: str = "", layers: tuple[str, ...] = LAYERS) -> None:
    """Map a folder; prints seconds, processor seconds and the peak of the memory."""
    import resource

    from auxlens.engine.tuning import tune_process

    tune_process()
    from auxlens.engine import jobs
    from auxlens.engine.executors.mapfolder import run

    job = jobs.MapFolderJob(model, scenes, out, **PATTERNS, layers=layers, scheduler=scheduler)
    start, busy = time.perf_counter(), time.process_time()
    figures = run(job, Silent())["figures"]
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**figures, "seconds": seconds, "busy": busy, "peak_mib": round(peak)}))


def against_ideal(model: str, scenes: str, out: str) -> None:
    """The same small scenes as a folder, and as the bare network on as many chips in memory, in turn."""
    from auxlens.engine.tuning import tune_process

    tune_process()
    import torch

    from auxlens.engine import jobs
    from auxlens.engine.devices import autocast, choose_precision
    from auxlens.engine.executors.mapfolder import run
    from auxlens.models.file import load

    network, card = load(model)
    count, device = len(os.listdir(scenes)), torch.device("cpu")
    chips = torch.rand(4, len(card.input_bands), 256, 256) * 100
    wall, busy = [], []
    for number in range(4):
        shutil.rmtree(out, ignore_errors=True)
        spent = [(time.perf_counter(), time.process_time())]
        run(jobs.MapFolderJob(model, scenes, out, "s2=s2.tif", layers=("map",)), Silent())
        spent.append((time.perf_counter(), time.process_time()))
        with torch.inference_mode(), autocast(device, choose_precision("auto", device)):
            for _ in range(math.ceil(count / 4)):
                network(chips, ("main",))
        spent.append((time.perf_counter(), time.process_time()))
        if number:  # the first run loads what the others have
            scale = count / (4 * math.ceil(count / 4))
            for kind, ratios in enumerate((wall, busy)):
                folder, ideal = spent[1][kind] - spent[0][kind], spent[2][kind] - spent[1][kind]
                ratios.append(ideal * scale / folder)
    print(json.dumps({"wall": statistics.median(wall), "busy": statistics.median(busy), "chips": count}))


def toolbox(model: str, scenes: Path, out: Path, some: int) -> dict[str, float]:
    """Seconds of ``mapfolder`` for all scenes, and of ``map`` for some of them, each a ``qgis_process`` run."""

    def qgis(*words: str) -> float:
        start = time.perf_counter()
        command = [str(HERE.parent / "scripts" / "qgis_process"), "run", *words]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "AUXLENS_PYTHON": sys.executable})
        return time.perf_counter() - start

    names = sorted(os.listdir(scenes))
    given = [f"MODEL={model}", "INPUT_PATTERNS=s2=s2.tif", "LAYERS=map", f"SCENES={scenes}"]
    folder = qgis("auxlens:mapfolder", *given, f"OUTPUT_FOLDER={out / 'toolbox'}")
    single = [
        qgis("auxlens:map", f"MODEL={model}", f"INPUTS={scenes / name / 's2.tif'}", f"OUTPUT_MAP={out / 'one.tif'}")
        for name in names[:some]
    ]
    result = {"folder": folder, "single": statistics.median(single), "count": len(names)}
    print(f"  toolbox: {result}", flush=True)
    return result


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A scheduler and single-threaded workers on loopback; gives the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "auxlens").symlink_to(HERE.parent)
        environment = {**os.environ, "PYTHONPATH": folder, "OMP_NUM_THREADS": "1"}
        address = f"tcp://127.0.0.1:{port}"
        start = [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--port",
            str(port),
            "--no-dashboard",
            "--dashboard-address",
            ":0",
        ]
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny"]
        quiet = {"env": environment, "stderr": subprocess.DEVNULL, "cwd": folder}
        running = [subprocess.Popen(start, **quiet), *(subprocess.Popen(worker, **quiet) for _ in range(workers))]
        try:
            yield address
        finally:
            for process in running:
                process.kill()
                process.wait()


def overhead(address: str, count: int) -> None:
    """Seconds that the scheduler and the run need a pack, with scenes that are no work."""
    from auxlens.engine import jobs
    from auxlens.engine.cluster.workers import connected
    from auxlens.engine.mapping.folder import dispatch
    from auxlens.engine.mapping.folder.tasks import Orders, SceneTask

    def nothing(pack: object, orders: object, number: int) -> list[object]:
        return []

    dispatch.map_on_worker = nothing  # type: ignore[assignment]
    scenes = ((SceneTask(f"scene {i}", jobs.MapJob("m", ("s2=a.tif",)), "key", 1),) for i in range(count))
    with connected(address, "cpu", Silent(), 30.0) as client:
        client.wait_for_workers(1, 60)
        start = time.perf_counter()
        done = sum(1 for _ in dispatch.each(client, scenes, Orders("o", "t", "v", "h"), False, lambda shares: None))
        seconds = time.perf_counter() - start
    print(json.dumps({"tasks": done, "seconds": seconds, "ms_a_task": 1000 * seconds / done}))


def scaling(model: str, root: Path, name: str, rounds: int) -> dict[str, float]:
    """Seconds for a folder with one and with two workers, in turn; the best, as other programs only make it slower."""
    found: dict[str, list[float]] = {"1": [], "2": []}
    with cluster(1) as one, cluster(2) as two:
        for number in range(rounds + 1):
            for workers, address in (("1", one), ("2", two)):
                scenes = root / (name if number else "few")  # the first ones load what the others have
                out = str(root / f"{name}-{number}-{workers}")
                result = in_process(f"map_folder({model!r}, {str(scenes)!r}, {out!r}, {address!r})")
                shutil.rmtree(out)
                if number:
                    found[workers].append(result["seconds"])
    return {workers: min(seconds) for workers, seconds in found.items()}


def forty(model: str, root: Path, px: int) -> dict[str, object]:
    """Forty scenes, four of them bad in different ways, by the command line."""
    import rasterio

    scenes = root / "forty"
    make_scenes(scenes, 40, px)
    for name, file in (("s003", "s2"), ("s011", "s2"), ("s020", "s2"), ("s029", "s1"), ("s029", "dem")):
        shutil.copy(scenes / name / f"{file}.tif", root / "copy.tif")  # a file of its own, to be spoilt
        os.replace(root / "copy.tif", scenes / name / f"{file}.tif")
    (scenes / "s003" / "s2.tif").write_bytes(b"no raster")
    cut = scenes / "s011" / "s2.tif"
    os.truncate(cut, cut.stat().st_size // 3)
    with rasterio.open(scenes / "s020" / "s2.tif") as good:
        profile = {**good.profile, "count": 3}
        values = good.read([1, 2, 3])
    with rasterio.open(scenes / "s020" / "s2.tif", "w", **profile) as bad:
        bad.write(values)
        bad.descriptions = ("red", "green", "blue")
    for name in ("s1", "dem"):
        with rasterio.open(scenes / "s029" / f"{name}.tif", "r+") as moved:
            moved.transform = rasterio.Affine.translation(900_000, 0) @ moved.transform
    command = [sys.executable, "-c", _PART.format("cli()"), "mapfolder", "--model", model, "--scenes", str(scenes)]
    command += ["--input-patterns", PATTERNS["input_patterns"], "--auxiliary-patterns", PATTERNS["auxiliary_patterns"]]
    command += ["--layers", *LAYERS, "--output-folder", str(root / "out40"), "--output-table", str(root / "t.csv")]
    start = time.perf_counter()
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    with open(root / "t.csv", encoding="utf-8") as file:
        failed = {row["scene"]: row["message"] for row in csv.DictReader(file) if row["status"] == "failed"}
    result = {
        **json.loads(done.stdout)["figures"],
        "seconds": seconds,
        "exit": done.returncode,
        "why": {name: text.replace(str(scenes), "…") for name, text in failed.items()},
        "px": px,
    }
    print(f"  forty: {result}", flush=True)
    return result


def cli() -> None:
    """The command line."""
    from auxlens.engine.cli import main

    main()


def file_work(model: str, scenes: str, out: str) -> None:
    """Processor seconds a scene for files alone: opening, reading, giving outputs their names, thumbnail, item."""
    import torch

    from auxlens.engine import jobs
    from auxlens.engine.mapping.folder.listing import list_tasks
    from auxlens.engine.mapping.folder.model import Model
    from auxlens.engine.mapping.folder.scene import StackedScene
    from auxlens.models.file import load

    ready = Model(*load(model), torch.device("cpu"))
    job = jobs.MapFolderJob(model, scenes, out, **PATTERNS, layers=LAYERS)
    tasks = list_tasks(job, ready.card, "").tasks
    start = time.process_time()
    for task in tasks:
        scene = StackedScene(task, ready, 0, 1)
        for tile in scene.plan.tiles:
            scene.read(tile)
        scene.finish()
    print(json.dumps({"files_s": (time.process_time() - start) / len(tasks), "scenes": len(tasks)}))


def hours(scenes: int, workers: int, compute_s: float, files_s: float, pack_ms: float) -> tuple[float, str]:
    """Hours for some scenes, and what they are spent on.

    A worker computes one pack while it opens and finishes the files of another, so the longer of both counts; one
    scheduler hands out the packs, one after the other, whatever the number of workers.
    """
    by_what = {
        "computing": scenes * compute_s / workers,
        "files": scenes * files_s / workers,
        "scheduler": math.ceil(scenes / LARGEST_PACK) * pack_ms / 1000,
    }
    longest = max(by_what, key=lambda name: by_what[name])
    return by_what[longest] / 3600, longest


SPEEDUP = 50  # of a GPU worker against one thread: an assumption


def table(measured: dict[str, dict[str, object]]) -> str:
    """The results as Markdown."""
    ideal, box, tasks, files, bad = (measured[name] for name in ("ideal", "toolbox", "overhead", "files", "forty"))
    (few, least), (many, most) = ((n, m["peak_mib"]) for n, m in measured["memory"].items() if n != "load")
    cores = len(os.sched_getaffinity(0))
    separate = box["single"] * box["count"]
    loads = [part["load"] for part in measured.values()]
    rows = [
        (f"{box['count']:.0f} scenes of 256² by `qgis_process mapfolder`", f"{box['folder']:.1f} s", ""),
        (
            "the same by as many runs of `qgis_process map`",
            f"{separate:.0f} s",
            f"{box['single']:.2f} s, the median of a few, times {box['count']}",
        ),
        ("times faster", f"{separate / box['folder']:.1f}", "goal ≥ 10"),
        ("throughput against the bare network, by the clock", f"{ideal['wall']:.2f}", "goal ≥ 0.6"),
        ("the same, by processor seconds", f"{ideal['busy']:.2f}", ""),
        (f"peak memory, {few} and {many} scenes of 256²", f"{least:.0f}, {most:.0f} MiB", "goal: the same"),
        *(
            (f"{what}, 1 and 2 single-threaded workers", f"{t['1']:.1f}, {t['2']:.1f} s", f"{t['1'] / t['2']:.2f} ×")
            for what, t in (
                ("16 scenes of 512²", measured["scaling"]),
                ("one scene of 8192 × 4096 (two strips)", measured["strips"]),
            )
        ),
        (f"{tasks['tasks']:.0f} packs that are no work", f"{tasks['ms_a_task']:.2f} ms a pack", "2 workers"),
        ("files of a 512² scene: open, read, finish", f"{1000 * files['files_s']:.0f} ms", "processor"),
        (f"40 scenes of {bad['px']}², 4 of them bad", f"{bad['seconds']:.0f} s", f"exit code {bad['exit']}"),
    ]
    busy = measured["memory"][many]["busy"] / measured["memory"][many]["pixels"]  # of processor, a pixel
    compute, pack_ms = busy * 512**2 - files["files_s"], tasks["ms_a_task"]
    lines = [
        "# Folders of scenes",
        "",
        "`python benchmarks/folders.py`: generated scenes of 10 bands uint16, 6 classes, auxiliary VV, VH and",
        f"elevation, an untrained model of preset `small`. Machine: {processor()}, {cores} cores, no GPU.",
        f"Load averages before the parts were {min(loads):.1f} to {max(loads):.1f}.",
        "Where that is above the number of cores, other programs took part of the machine. Of one and of two workers",
        "the best of several rounds in turn counts.",
        "",
        "| what | measured | |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows),
        "",
        "What was said about the bad scenes:",
        "",
        *(f"- {name}: {why}" for name, why in sorted(bad["why"].items())),
        "",
        "## Beyond one machine: a model, not a measurement",
        "",
        f"Hours for scenes of 512² with three layers. Measured here: {compute:.2f} s of processor a scene to compute,",
        f"{files['files_s']:.3f} s for files; {pack_ms:.2f} ms a pack of at most {LARGEST_PACK} scenes for the one",
        "scheduler.",
        f"Assumed: a GPU worker computes {SPEEDUP} times as fast as one thread and does files with one thread",
        "meanwhile, and the shared file system keeps up. In brackets what the time is spent on.",
        "",
        "| scenes | 1 GPU worker | 8 | 64 |",
        "|---|---|---|---|",
    ]
    for scenes in (10**3, 10**4, 10**5, 10**6):
        cells = []
        for workers in (1, 8, 64):
            time_h, what = hours(scenes, workers, compute / SPEEDUP, files["files_s"], pack_ms)
            cells.append(f"{time_h:.2g} ({what})")
        lines.append(f"| {scenes:,} | ".replace(",", " ") + " | ".join(cells) + " |")
    a_pack = LARGEST_PACK * max(compute / SPEEDUP, files["files_s"])
    lines += [
        "",
        "It stops scaling where packs are handed out as fast as they are mapped: for such scenes at about",
        f"{1000 * a_pack / pack_ms:.0f} workers. Larger scenes move that limit up: a scene that is not small is",
        "a pack of its own. Before that, one thread lists the size and time of every file, and reads every item.",
        "",
    ]
    return "\n".join(lines)


def measure(name: str, model: str, root: Path, quick: bool) -> dict[str, object]:
    """Measure one part; makes the scenes that it needs."""
    sizes = {"few": 4, "small": 70, "40": 40, "400": 120 if quick else 400}
    rounds = 1 if quick else 3
    needed = {"ideal": ("small",), "toolbox": ("small",), "memory": ("40", "400")}.get(name, ("few",))
    for folder in needed:
        if not (root / folder).exists():
            make_scenes(root / folder, sizes[folder], 256)
    if name in ("scaling", "files") and not (root / "scaling").exists():
        make_scenes(root / "scaling", 16, 512)
    if name == "ideal":
        return in_process(f"against_ideal({model!r}, {str(root / 'small')!r}, {str(root / 'ideal')!r})")
    if name == "toolbox":
        return toolbox(model, root / "small", root, rounds + 2)
    if name == "memory":
        return {
            n: in_process(f"map_folder({model!r}, {str(root / n)!r}, {str(root / ('m' + n))!r})") for n in ("40", "400")
        }
    if name == "overhead":
        with cluster(2) as address:
            return in_process(f"overhead({address!r}, {1000 if quick else 10000})")
    if name == "scaling":
        return scaling(model, root, "scaling", rounds + 1)
    if name == "strips":
        make_scene(root / "strips" / "one", 8192, 4096)
        return scaling(model, root, "strips", rounds - 1 or 1)
    if name == "files":
        return in_process(f"file_work({model!r}, {str(root / 'scaling')!r}, {str(root / 'filed')!r})")
    return forty(model, root, 512 if quick else 2048)


PARTS = ("ideal", "toolbox", "memory", "overhead", "scaling", "strips", "files", "forty")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="smaller scenes and fewer of them")
    arguments.add_argument("--results", type=Path, help="JSON file that keeps what is measured")
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure (again)")
    given = arguments.parse_args()
    measured = json.loads(given.results.read_text()) if given.results and given.results.exists() else {}
    for name in given.only:
        with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
            model, load = make_model(Path(temporary) / "model.safetensors"), os.getloadavg()[0]
            measured[name] = {**measure(name, model, Path(temporary), given.quick), "load": load}
        if given.results:
            given.results.write_text(json.dumps(measured, indent=1))
    if set(PARTS) <= set(measured):
        text = table({name: measured[name] for name in PARTS})
        (HERE / "folders.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
