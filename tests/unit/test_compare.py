"""Comparing strategies: sums by unit, forests on the same chips, differences with intervals, and verdicts."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from sklearn.metrics import jaccard_score

from auxlens.engine import jobs
from auxlens.engine.assess.bootstrap import differences, replicate
from auxlens.engine.assess.sums import figures_of
from auxlens.engine.compare import baselines
from auxlens.engine.compare.measure import Method, measure
from auxlens.engine.compare.results import Comparison, Trial, table
from auxlens.engine.compare.verdicts import verdicts
from auxlens.engine.executors import comparestrategies as compare_job
from auxlens.engine.run import run
from auxlens.engine.scene.window import Window
from auxlens.engine.training import learn as learning, options
from auxlens.engine.training.chips import Sample
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.split import TEST, TRAIN, UNLABELLED, UNUSED, VALIDATION, thin_out
from auxlens.models.card import LandClass
from auxlens.models.config import PRESETS
from auxlens.models.errors import Canceled, DeviceError, JobError, SceneError

SIZE = 96
CLASSES = (LandClass(1, "dry", "#aa8800"), LandClass(2, "flood", "#0000ff"))


def write(path: Path, values: np.ndarray, bands: tuple[str, ...], west: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    transform = Affine(10, 0, west, 0, -10, 5_400_000)
    with rasterio.open(path, "w", **profile, crs="EPSG:32632", transform=transform) as dataset:
        dataset.write(values)
        dataset.descriptions = bands


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Floods that the radar shows clearly and the optical bands badly, in 10 scenes; two more to test on."""
    root = tmp_path_factory.mktemp("floods")
    for number in range(12):
        rng = np.random.default_rng(number)
        rows, cols = np.mgrid[:SIZE, :SIZE] / SIZE * 2 * np.pi
        flood = np.sin(rows * rng.integers(1, 3) + rng.uniform(0, 6)) * np.cos(cols + rng.uniform(0, 6)) > 0.1
        optical = 100 + 25 * flood + rng.normal(0, 120, (2, SIZE, SIZE))
        radar = -8.0 - 10 * flood + rng.normal(0, 1, (1, SIZE, SIZE))
        scene, west = root / ("test" if number >= 10 else "train") / f"scene_{number}", 500_000.0 + 2000 * number
        write(scene / "s2.tif", optical.astype("float32"), ("B3", "B8"), west)
        write(scene / "s1.tif", radar.astype("float32"), ("VV",), west)
        write(scene / "label.tif", (1 + flood[None]).astype("uint8"), ("class",), west)
        write(
            scene / "depth.tif",
            (flood[None] * 2.0 + rng.normal(0, 0.2, (1, SIZE, SIZE))).astype("float32"),
            ("m",),
            west,
        )
    return root


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setitem(PRESETS, "small", (8, 16))
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (64, 64))
    monkeypatch.setattr(compare_job, "_BASELINE_CHIPS", 20)


def floods(folder: Path, out: Path, **changes) -> jobs.CompareJob:
    given = {
        "scenes": str(folder / "train"),
        "test_scenes": str(folder / "test"),
        "input_patterns": "s2=s2.tif",
        "auxiliary_patterns": "s1=s1.tif",
        "reference_pattern": "label.tif",
        "output_report": str(out / "report.html"),
        "output_table": str(out / "table.csv"),
        "chip_size": 32,
        "batch_size": 8,
        "epochs": 4,
        "repetitions": 2,
        "precision": "float32",
    }
    return jobs.CompareJob(**{**given, **changes})


def test_compare_segmentations(small, folder, tmp_path, quiet):
    """The radar shows the flood: it must help as an input; and every figure of the report is in the table."""
    progress = quiet()
    result = run(floods(folder, tmp_path, reference_shares="20; 100 %"), progress)
    assert result["outputs"] == {"report": str(tmp_path / "report.html"), "table": str(tmp_path / "table.csv")}
    assert [f for f, _ in progress.reports] == sorted(f for f, _ in progress.reports)
    with open(tmp_path / "table.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    full = {row["method"] for row in rows if row["reference_share"] == "1.0"}
    assert full == {
        *jobs.STRATEGIES,
        *(f"{name}{of}" for name in ("random forest", "gradient boosting") for of in ("", ", all modalities")),
    }
    fewer = {row["method"] for row in rows if row["reference_share"] == "0.2"}
    assert fewer == {"single", "multitask", "multitask, unlabelled rest", "random forest", "gradient boosting"}

    def value(method, figure="mean_iou", seed="mean", against="", share="1.0"):
        wanted = (method, against, seed, figure, share)
        keys = ("method", "against", "seed", "figure", "reference_share")
        (found,) = (float(row["value"]) for row in rows if tuple(row[key] for key in keys) == wanted)
        return found

    assert value("multimodal") > 0.9 > value("single") + 0.1
    assert value("random forest, all modalities") > 0.9 > value("random forest") + 0.1
    each = [value("single", seed=seed) for seed in ("0", "1")]
    assert each[0] != each[1] and np.isclose(np.mean(each), value("single"))
    assert value("single", "pixels") == 2 * SIZE**2
    gain = value("multimodal", seed="difference", against="single")
    assert np.isclose(gain, value("multimodal") - value("single"))
    intervals = [row for row in rows if row["seed"] == "difference"]
    assert all(float(row["low95"]) <= float(row["value"]) <= float(row["high95"]) for row in intervals)
    # What cannot see floods maps none, and then methods do not differ at all.
    seen = [row for row in intervals if (row["method"], row["against"]) == ("multimodal", "single")]
    assert seen and all(0 < float(row["low95"]) < float(row["high95"]) for row in seen if row["figure"] == "mean_iou")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Auxiliary modalities are not needed to map: supported" in text and "data:image/svg" in text
    assert f"{value('single'):.3f}" in text and "20 %" in text
    assert result["figures"]["methods"]["single"]["mean"] == pytest.approx(value("single"))


def test_compare_regressions(small, folder, tmp_path, quiet):
    """In one scene blocks are held out."""
    for name in ("s2", "s1", "depth"):
        (tmp_path / "one" / "scene").mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / "scene" / f"{name}.tif").symlink_to(folder / "train" / "scene_0" / f"{name}.tif")
    job = floods(folder, tmp_path, task="regression", reference_pattern="depth.tif", test_scenes="", epochs=3)
    result = run(replace(job, scenes=str(tmp_path / "one"), output_report=str(tmp_path / "r.html")), quiet())
    methods = result["figures"]["methods"]
    assert methods["gradient boosting, all modalities"]["mean"] > 0.9 > methods["gradient boosting"]["mean"] > 0
    assert "blocks held out of these scenes" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_scheduler_s_workers_choose_the_device(small, folder, tmp_path, quiet, monkeypatch):
    """The device is one that this machine does not have, and batches are as large as suit the workers'."""

    def learned(step, training, setup, full, device, progress):
        counts = np.random.default_rng(training.seed).integers(1, 99, (2, 2, 2))  # of two scenes
        return counts, 1.0, [] if step.baseline else [{"score": 0.5}]

    def on_workers(calls, scheduler, device, files, progress):
        assert (scheduler, device) == ("tcp://far:8786", "cuda:99")
        for call in calls:
            step, training, *setups = call.arguments
            yield call.function(step, replace(training, device="cpu", batch_size=24), *setups, progress)

    monkeypatch.setattr(compare_job, "one", learned)
    monkeypatch.setattr(compare_job, "spread", on_workers)
    job = floods(folder, tmp_path, epochs=1, batch_size=0, device="cuda:99", scheduler="tcp://far:8786")
    run(job, quiet())
    assert "1 epochs of 48 chips of 32 px" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(DeviceError, match="“cuda:99” is not in this machine"):
        run(replace(job, scheduler=""), quiet())


def test_all_strategies_have_one_split(folder, tmp_path, quiet):
    job = compare_job.training_job(floods(folder, tmp_path))
    setups = compare_job.setups_of(job, quiet())
    assert list(setups) == list(jobs.STRATEGIES)
    assert len({tuple(setup.splits) for setup in setups.values()}) == 1
    assert [m.name for m in setups["multimodal"].scenes[0].inputs] == ["s2", "s1"]
    assert setups["single"].auxiliary == setups["multimodal"].auxiliary == {}


@pytest.mark.parametrize("number", [4, 10])
def test_all_strategies_learn_and_are_judged_on_the_same_pixels(folder, tmp_path, quiet, number):
    """The radar's swath ends in each scene, and one scene has no reference."""
    widths = [SIZE // 3 + 5 * i for i in range(number)]
    for i, width in enumerate(widths):
        given, made, west = folder / "train" / f"scene_{i}", tmp_path / "s" / f"scene_{i}", 500_000.0 + 2000 * i
        with rasterio.open(given / "s1.tif") as dataset:
            radar = dataset.read()
        radar[:, :, width:] = np.nan
        write(made / "s1.tif", radar, ("VV",), west)
        for name in ("s2", "label"):
            (made / f"{name}.tif").symlink_to(given / f"{name}.tif")
    (tmp_path / "s" / "scene_x").mkdir()
    for name in ("s2", "s1"):
        (tmp_path / "s" / "scene_x" / f"{name}.tif").symlink_to(folder / "test" / "scene_10" / f"{name}.tif")
    job = compare_job.training_job(floods(folder, tmp_path, scenes=str(tmp_path / "s"), test_scenes=""))
    setups = compare_job.setups_of(job, quiet())
    for split in (TRAIN, VALIDATION, TEST):
        seen = {
            name: np.stack(
                [setup.reader(split).read(Sample(i, Window(0, 0, SIZE, SIZE), 0))["main"] for i in range(number + 1)]
            )
            for name, setup in setups.items()
        }
        assert all(np.array_equal(main, seen["multimodal"], equal_nan=True) for main in seen.values())
        assert np.isfinite(seen["single"]).any()
        assert not any(
            np.isfinite(main[..., width:]).any() for main, width in zip(seen["single"], widths, strict=False)
        )
    for name, setup in setups.items():
        blocks = [b for b, s in zip(setup.blocks, setup.splits, strict=True) if s != UNLABELLED]
        assert sum(int(b.counts.sum()) for b in blocks) == SIZE * sum(widths)
        assert setup.unit == ("scene" if number == 10 else "block")
        chips = learning._training_chips(setup, 32, 90, np.random.default_rng(0))
        assert any(chip.scene == number for chip in chips) == (name in ("multitask", "shuffled"))


def test_scenes_that_lack_a_modality_are_left_out_for_all(folder, tmp_path, quiet, caplog):
    for name in ("s2", "label"):
        (tmp_path / "s" / "x").mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / "x" / f"{name}.tif").symlink_to(folder / "test" / "scene_10" / f"{name}.tif")
    for scene in (folder / "train").iterdir():
        (tmp_path / "s" / scene.name).symlink_to(scene)
    job = compare_job.training_job(floods(folder, tmp_path, scenes=str(tmp_path / "s"), test_scenes=""))
    setups = compare_job.setups_of(job, quiet())
    assert {len(setup.scenes) for setup in setups.values()} == {10}
    assert "1 of 11 scenes lack an auxiliary modality" in caplog.text


def test_sums_by_unit_are_those_of_the_whole(folder, tmp_path, quiet):
    """A map that is wrong everywhere to the west; counted by scene, by block, and by scikit-learn."""
    job = compare_job.training_job(floods(folder, tmp_path))
    setup = Setup(job, scenes_of(job), quiet())

    def predict(inputs):
        mapped = np.zeros(inputs.shape[1:], int)
        mapped[:, : inputs.shape[2] // 2] = 1
        return mapped

    by = {
        unit: measure(Method(predict, 0, 1), setup.reader(TEST), setup.sizes, unit, quiet())
        for unit in ("scene", "block")
    }
    assert by["scene"].shape == (2, 2, 2) and by["block"].shape == (18, 2, 2)
    assert (by["scene"].sum(axis=0) == by["block"].sum(axis=0)).all()
    truths = []
    for number in (10, 11):
        with rasterio.open(folder / "test" / f"scene_{number}" / "label.tif") as dataset:
            truths.append(dataset.read(1) - 1)
    mapped = np.stack([predict(np.zeros((1, SIZE, SIZE)))] * 2)
    iou = figures_of(by["scene"].sum(axis=0), CLASSES)["iou flood"]
    assert np.isclose(iou, jaccard_score(np.stack(truths).ravel(), mapped.ravel()))


def test_features_are_values_and_means_of_the_valid(rng):
    inputs = rng.normal(size=(2, 20, 30)).astype("float32")
    inputs[1, 4, 5:8] = np.nan
    found = baselines.features(inputs)
    assert np.array_equal(found[:2], inputs, equal_nan=True)
    assert np.isclose(found[3, 10, 10], np.nanmean(inputs[1, 6:15, 6:15]), atol=1e-5)
    assert np.isclose(found[3, 4, 6], np.nanmean(inputs[1, 0:9, 2:11]), atol=1e-5)
    assert np.isclose(found[2, 0, 0], inputs[0, :5, :5].mean(), atol=1e-5)


def test_the_bootstrap_finds_the_spread_of_a_mean(rng):
    """For a mean over units, the interval is the textbook's; a difference of a method with itself is 0."""
    first = rng.normal(1.0, 2.0, (1, 400, 1))
    drawn = replicate(first, lambda sums: sums / 400)
    assert drawn.shape == (1, 1001, 1) and np.isclose(drawn[0, 0, 0], first.mean())
    (found,) = differences(drawn, np.zeros_like(drawn))
    half = 1.96 * first.std() / 20
    assert np.isclose(found.low, first.mean() - half, atol=0.04)
    assert np.isclose(found.high, first.mean() + half, atol=0.04)
    (same,) = differences(drawn, replicate(first, lambda sums: sums / 400))
    assert (same.value, same.low, same.high) == (0, 0, 0) and not same.is_resolved


def test_the_bootstrap_draws_seeds_too():
    """With units that agree, what is left is the difference between seeds."""
    sums = np.broadcast_to(np.array([0.0, 1.0, 2.0])[:, None, None], (3, 10, 1))
    drawn = replicate(sums, lambda total: total / 10)
    (found,) = differences(drawn, np.zeros_like(drawn))
    assert found.value == 1 and found.low < 0.4 and found.high > 1.6


def test_draws_without_a_figure_are_left_out():
    drawn = np.array([[[1.0], [np.nan], [2.0], [4.0]]])
    (found,) = differences(drawn, np.zeros_like(drawn))
    assert found.value == 1 and 2 <= found.low < found.high <= 4


def comparison(**right: float) -> Comparison:
    """Methods that are right at a share of the pixels, in each of 40 scenes."""
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 0.05, 40)  # some scenes are harder for all

    def sums(share):
        shares = np.clip(share + hard + rng.normal(0, 0.004, (3, 40)), 0, 1)
        hit = np.round(500 * shares)
        return np.stack([np.stack([hit, 500 - hit], -1), np.stack([500 - hit, hit], -1)], -2)

    given = {
        "single": 0.7,
        "multimodal": 0.8,
        "multitask": 0.75,
        "shuffled": 0.7,
        "random_forest": 0.6,
        "gradient_boosting": 0.62,
    }
    trials = tuple(
        Trial(name.replace("_", " "), 1.0, ("s2", "s1") if name == "multimodal" else ("s2",), sums(share), (1.0,) * 3)
        for name, share in {**given, **right}.items()
    )
    return Comparison(CLASSES, "scene", (0, 1, 2), trials, ("s1",), 256)


def test_verdicts_say_what_the_figures_carry():
    found = verdicts(comparison())
    assert [v.holds for v in found] == [True, True, False, True, True, True]
    assert found[0].found == "multitask maps from s2 alone; multimodal needs s2 and s1."
    assert "multitask is better" in found[1].found and "multitask is worse" in found[2].found
    closed = (
        comparison().difference("multitask", "single").value / comparison().difference("multimodal", "single").value
    )
    assert 0.4 < closed < 0.6 and f"multitask closes {100 * closed:.0f} %" in found[2].found

    nothing = verdicts(comparison(multitask=0.7, multimodal=0.7))
    assert [v.holds for v in nothing][1:4] in ([None, None, None], [None, True, None])
    assert "too little to be told from chance" in nothing[1].found
    assert "cannot be told apart; nor does multimodal gain over single beyond chance" in nothing[2].found

    worse = verdicts(comparison(multitask=0.55))
    assert [v.holds for v in worse] == [True, False, False, False, False, False]
    assert "−" in worse[1].found and "-0" not in worse[1].found


def test_the_table_has_intervals():
    rows = list(csv.DictReader(table(comparison()).splitlines()))
    (gain,) = (r for r in rows if (r["method"], r["against"], r["figure"]) == ("multitask", "single", "iou flood"))
    assert float(gain["low95"]) < float(gain["value"]) < float(gain["high95"])


def test_fewer_references_are_parts_of_more():
    splits = [TRAIN] * 20 + [TEST] * 5
    units = [i // 2 for i in range(25)]
    left = {
        share: [i for i, s in enumerate(thin_out(splits, units, share, 3)) if s == TRAIN] for share in (0.1, 0.5, 1)
    }
    assert [len(v) for v in left.values()] == [2, 10, 20]
    assert set(left[0.1]) < set(left[0.5]) and units[left[0.1][0]] == units[left[0.1][1]]
    assert thin_out(splits, units, 0.5, 3).count(UNUSED) == 10 and thin_out(splits, units, 0.5, 3)[20:] == [TEST] * 5


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"auxiliary_patterns": ""}, JobError, "strategies differ in what the auxiliary modalities are for"),
        ({"output_report": "", "output_table": ""}, JobError, "No output is asked for; choose the report"),
        ({"task": "scene_regression"}, JobError, "pixel by pixel, which the task “scene_regression” does not allow"),
        ({"repetitions": 1}, JobError, "needs 2 repetitions or more; one training says nothing about chance"),
        ({"reference_shares": "10;many"}, JobError, "“10;many” are not numbers in percent"),
        ({"reference_shares": "0;100"}, JobError, "above 0 and at most 100 percent"),
        ({"reference_shares": "nan"}, JobError, "above 0 and at most 100 percent"),
        ({"auxiliary_patterns": "s1=no.tif"}, SceneError, "pattern s1=no.tif matches files in none of the 10 scenes"),
        ({"scenes": "none"}, SceneError, "“none” does not exist"),
        ({"reference_pattern": "none.tif"}, JobError, "No reference is given or found"),
        ({"epochs": 0}, JobError, "Epochs are 1 or more"),
        ({"batch_size": 1}, JobError, "exchanges targets among the chips of a step"),
        ({"output_table": "{out}/report.html"}, JobError, "has the path of an input or of another output"),
    ],
)
def test_bad_comparisons_are_told_before_training(folder, tmp_path, quiet, changes, error, message):
    changes = {key: v.format(out=tmp_path) if isinstance(v, str) else v for key, v in changes.items()}
    progress = quiet()
    with pytest.raises(error, match=message):
        run(floods(folder, tmp_path, **changes), progress)
    assert not [m for _, m in progress.reports if "Epoch" in m] and not list(tmp_path.iterdir())


def test_a_canceled_comparison_leaves_nothing(small, folder, tmp_path):
    class Stop:
        stopped = False

        def report(self, fraction, message):
            self.stopped |= "multitask" in message and "Epoch 2" in message

        def canceled(self):
            return self.stopped

    with pytest.raises(Canceled):
        run(floods(folder, tmp_path), Stop())
    assert not list(tmp_path.iterdir())
