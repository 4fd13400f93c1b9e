"""Mistakes in what is to be learned from are told before training begins."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_scenes import SIZE, StopAt, layers, patterns, write

from auxlens.engine.executors.train import run
from auxlens.engine.training.scenes import scenes_of
from auxlens.models.errors import DeviceError, JobError, SceneError


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"inputs": ()}, JobError, "No input raster is given; choose at least one"),
        ({"reference": ""}, JobError, "No reference is given or found; training needs"),
        ({"output_model": "{out}/model.pt"}, JobError, r"must end in \.safetensors"),
        ({"output_model": "{out}/none/m.safetensors"}, SceneError, "“.*none” does not exist or cannot be written"),
        ({"output_report": "{out}/none/r.html"}, SceneError, "“.*none” does not exist or cannot be written"),
        ({"output_report": "{out}"}, SceneError, "is a folder; give a file name in it"),
        ({"task": "detection"}, JobError, "Unknown task “detection”; choose one of segmentation, regression"),
        ({"strategy": "both"}, JobError, "Unknown strategy “both”; choose one of multitask, single, multimodal"),
        (
            {"strategy": "multimodal", "auxiliary": ()},
            JobError,
            "“multimodal” needs auxiliary rasters, but none is given",
        ),
        ({"strategy": "shuffled", "auxiliary": ()}, JobError, "“shuffled” needs auxiliary rasters, but none is given"),
        ({"strategy": "shuffled", "batch_size": 1}, JobError, "exchanges targets among the chips of a step; take 2"),
        ({"size": "tiny"}, JobError, "Unknown size “tiny”; choose one of small, base, large"),
        ({"precision": "double"}, JobError, "Unknown precision"),
        ({"device": "cuda:7"}, DeviceError, "“cuda:7” is not in this machine"),
        ({"chip_size": 16}, JobError, "at least 32 px wide; 16 is too small"),
        ({"epochs": 0}, JobError, "Epochs are 1 or more"),
        (
            {"auxiliary_weight": -2.0},
            JobError,
            "is 0 or more, or -1 to learn it; given: -2",
        ),
        ({"seed": -1}, JobError, "seed are 0 or more"),
        ({"inputs": ("{scene}/none.tif",)}, SceneError, "does not exist; check the path"),
        ({"inputs": ("a={scene}/s2.tif", "a={scene}/s1.tif")}, SceneError, "Two modalities are called “a”"),
        ({"auxiliary": ("s2={scene}/s1.tif",)}, JobError, "“s2” is used twice; give each modality its own name"),
        ({"auxiliary": ("main={scene}/s1.tif",)}, JobError, "cannot be called “main”; rename its file"),
        ({"auxiliary": ("values={scene}/s1.tif",)}, JobError, "cannot be called “values”; rename its file"),
        ({"auxiliary": ("{out}/constant.tif",)}, SceneError, r"Band 1 of constant is constant \(7\); leave it out"),
        ({"auxiliary": ("{out}/empty.tif",)}, SceneError, "Band 1 of empty has no valid pixel .* leave it out"),
        ({"auxiliary": ("{out}/far.tif",)}, SceneError, r"far\.tif” \(far\) does not overlap with the scene"),
        ({"inputs": ("{out}/constant.tif",)}, SceneError, r"Band 1 of constant is constant"),
        ({"reference": "{out}/constant.tif"}, SceneError, "two classes or more; found: 7"),
        ({"reference": "{out}/constant.tif", "task": "regression"}, SceneError, "reference is 7 everywhere; a regress"),
        ({"reference": "{out}/empty.tif"}, SceneError, "two classes or more; found: none"),
        ({"reference": "{out}/empty.tif", "task": "regression"}, SceneError, "cover no pixel of the scenes; check"),
        ({"reference": "{out}/corner.tif"}, SceneError, r"lie in 1 block\(s\) .* at least 3 are needed"),
        ({"reference": "{out}/far.tif"}, SceneError, r"\(reference\) does not overlap"),
        ({"reference": "{polygons}"}, SceneError, r"Choose the field of the reference .* \(cover\)"),
        ({"reference": "{polygons}", "reference_field": "kind"}, SceneError, "no field “kind”; its fields are: cover"),
        (
            {"reference": "{polygons}", "reference_field": "cover", "task": "regression"},
            SceneError,
            r"\(town, water, wood\) are not all numbers, which a regression needs",
        ),
    ],
)
def test_bad_input_is_told_before_training(folder, tmp_path, changes, error, message):
    write(tmp_path / "constant.tif", np.full((1, SIZE, SIZE), 7, "uint8"))
    write(tmp_path / "empty.tif", np.full((1, SIZE, SIZE), np.nan, "float32"))
    write(tmp_path / "far.tif", np.ones((1, SIZE, SIZE), "uint8"), west=900_000.0)
    corner = np.zeros((1, SIZE, SIZE), "uint8")
    corner[0, :4, :4], corner[0, 4:8, :8] = 1, 2
    write(tmp_path / "corner.tif", corner, nodata=0)
    places = {"out": tmp_path, "scene": folder / "scene_0", "polygons": folder.parent / "classes.gpkg"}

    def placed(value):
        if isinstance(value, tuple):
            return tuple(placed(item) for item in value)
        return value.format(**places) if isinstance(value, str) else value

    job = layers(folder, tmp_path / "m.safetensors", **{key: placed(value) for key, value in changes.items()})
    progress = StopAt("Epoch")
    with pytest.raises(error, match=message):
        run(job, progress)
    assert not progress.stopped and not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scenes": "{out}/none"}, SceneError, "none” does not exist"),
        ({"input_patterns": ""}, SceneError, r"No input pattern is given; for example: s2=s2\.tif"),
        ({"input_patterns": "s2.tif"}, JobError, "is not of the form modality=pattern"),
        ({"input_patterns": "s2=s3.tif"}, SceneError, r"s2=s3\.tif matched 0 files in sub-folders"),
        ({"auxiliary_patterns": "s1=s1.tif;x=x.tif"}, SceneError, r"x=x\.tif matches files in none of the 3 scenes of"),
        ({"auxiliary_patterns": "s2=s1.tif"}, JobError, "“s2” is used twice"),
        ({"auxiliary_patterns": "s.1=s1.tif"}, JobError, r"cannot be called “s\.1”"),
        ({"reference_pattern": ""}, JobError, "No reference is given or found"),
        ({"reference_pattern": "truth.tif"}, JobError, "the pattern “truth.tif” matches no file of the . scenes in"),
        ({"masked_share": 2.0}, JobError, "share of chips with masked bands is 0 to 1; given: 2"),
        ({"masked_share": 0.5, "task": "scene_regression"}, JobError, "which scene-level tasks do not use"),
        ({"masked_share": 0.5, "input_patterns": "h=height.tif"}, JobError, "but there is one input band"),
    ],
)
def test_bad_folders_are_told_before_training(folder, tmp_path, changes, error, message):
    changes = {key: value.format(out=tmp_path) if isinstance(value, str) else value for key, value in changes.items()}
    with pytest.raises(error, match=message):
        run(patterns(folder, tmp_path / "m.safetensors", **changes), StopAt("never"))


def test_scenes_with_different_bands(tmp_path, rng):
    values = rng.integers(1, 99, (3, SIZE, SIZE)).astype("uint8")
    write(tmp_path / "a" / "s2.tif", values, ("B2", "B3", "B4"))
    write(tmp_path / "a" / "label.tif", values[:1] % 3)
    write(tmp_path / "a" / "s1.tif", values[:2])
    write(tmp_path / "b" / "s2.tif", values[:2], ("B2", "B3"))
    job = patterns(tmp_path, tmp_path / "m.safetensors")
    with pytest.raises(SceneError, match="“a” and “b” have different bands of s2: B2, B3, B4 against B2, B3"):
        run(job, StopAt("never"))
    write(tmp_path / "b" / "s2.tif", values, ("B2", "B3", "B8"))
    with pytest.raises(SceneError, match="B2, B3, B4 against B2, B3, B8"):
        run(job, StopAt("never"))
    write(tmp_path / "b" / "s2.tif", values, ("B2", "B3", "B4"))
    write(tmp_path / "b" / "s1.tif", values[:1])
    with pytest.raises(SceneError, match="“a” and “b” have different bands of s1"):
        run(job, StopAt("never"))


def test_strategy_multimodal_needs_a_scene_with_everything(tmp_path, rng):
    for name, other in (("a", "s1"), ("b", "dem")):
        for file_name in ("s2", "label", other):
            write(tmp_path / name / f"{file_name}.tif", rng.integers(1, 3, (1, SIZE, SIZE)).astype("uint8"))
    job = patterns(
        tmp_path, tmp_path / "m.safetensors", strategy="multimodal", auxiliary_patterns="s1=s1.tif;dem=dem.tif"
    )
    with pytest.raises(SceneError, match="No scene has all of s1, dem, which the strategy multimodal takes as inputs"):
        scenes_of(job)
