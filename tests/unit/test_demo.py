"""The demo scenes: repeatable, physically plausible, and with the causes of error that they say they have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from auxlens.engine.demo.recipe import class_value, land_classes
from auxlens.engine.demo.relief import make_relief
from auxlens.engine.executors.createdemo import run
from auxlens.engine.jobs import Canceled, DemoJob, JobError

SIZE = 256


class Watching:
    """A progress that remembers, and asks for a stop after a number of scenes."""

    def __init__(self, stop_after: int = 99) -> None:
        self.fractions: list[float] = []
        self.stop_after = stop_after

    def report(self, fraction: float, message: str) -> None:
        self.fractions.append(fraction)

    def canceled(self) -> bool:
        return len(self.fractions) >= self.stop_after


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    run(DemoJob(str(folder), scenes=3, size_px=SIZE, seed=3), Watching())
    return folder


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read()


def reflectance(scene: Path) -> dict[str, np.ndarray]:
    with rasterio.open(scene / "s2.tif") as file:
        return dict(zip(file.descriptions, file.read() / 10_000.0, strict=True))


def of_class(scene: Path, name: str) -> np.ndarray:
    return (read(scene / "label.tif")[0] == class_value(name)) & (read(scene / "causes.tif")[0] == 0)


def test_files_have_bands_names_units_and_one_grid(demo: Path) -> None:
    grids = set()
    for scene in ("scene_01", "scene_02", "scene_03"):
        with rasterio.open(demo / scene / "s2.tif") as s2, rasterio.open(demo / scene / "s1.tif") as s1:
            assert s2.descriptions == ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
            assert (set(s2.dtypes), s2.nodata, s2.crs.to_epsg()) == ({"uint16"}, 0, 32632)
            assert s2.block_shapes[0] == (256, 256)
            assert s2.compression is not None
            assert (s1.descriptions, s1.units, set(s1.dtypes)) == (("VV", "VH"), ("dB", "dB"), {"float32"})
            expected = (s2.crs, s2.transform, s2.shape)
        for name in ("s1", "dem", "label", "causes"):
            with rasterio.open(demo / scene / f"{name}.tif") as file:
                assert (file.crs, file.transform, file.shape) == expected
        grids.add(expected)
    assert len(grids) == 3, "scenes lie at places of their own"
    assert not list(demo.rglob("*.part*"))


def test_label_carries_colours_and_names(demo: Path) -> None:
    with rasterio.open(demo / "scene_01" / "label.tif") as file:
        colours = file.colormap(1)
    for kind in land_classes():
        assert "#{:02x}{:02x}{:02x}".format(*colours[kind["value"]][:3]) == kind["color"]
    sidecar = (demo / "scene_01" / "label.tif.aux.xml").read_text(encoding="utf-8")
    names = [part.split("</Category>")[0] for part in sidecar.split("<Category>")[1:]]
    assert names == ["", *(kind["name"] for kind in land_classes())]


def test_same_seed_same_pixels_and_another_seed_others(demo: Path, tmp_path: Path) -> None:
    run(DemoJob(str(tmp_path / "again"), scenes=3, size_px=SIZE, seed=3), Watching())
    run(DemoJob(str(tmp_path / "other"), scenes=1, size_px=SIZE, seed=4), Watching())
    for name in ("s2", "s1", "dem", "label", "causes"):
        for scene in ("scene_01", "scene_03"):
            np.testing.assert_array_equal(
                read(demo / scene / f"{name}.tif"), read(tmp_path / "again" / scene / f"{name}.tif")
            )
    assert (read(demo / "scene_01" / "s2.tif") != read(tmp_path / "other" / "scene_01" / "s2.tif")).mean() > 0.9


def test_every_class_is_in_every_scene_and_the_unseen_one_only_in_the_last(demo: Path) -> None:
    seen, unseen = {c["value"] for c in land_classes()[:-1]}, land_classes()[-1]["value"]
    for scene in ("scene_01", "scene_02"):
        assert set(np.unique(read(demo / scene / "label.tif"))) == seen
        assert not read(demo / scene / "causes.tif").any()
    assert set(np.unique(read(demo / "scene_03" / "label.tif"))) == seen | {unseen}


def test_each_cause_covers_its_share_and_the_unseen_class_is_one(demo: Path) -> None:
    label, causes = read(demo / "scene_03" / "label.tif")[0], read(demo / "scene_03" / "causes.tif")[0]
    for cause in (1, 2, 3):
        assert 0.04 <= (causes == cause).mean() <= 0.09
    np.testing.assert_array_equal(label == land_classes()[-1]["value"], causes == 3)


def test_only_the_last_scene_has_an_edge_of_nodata(demo: Path) -> None:
    for scene, low, high in (("scene_01", 0.0, 0.0), ("scene_03", 0.01, 0.1)):
        empty = read(demo / scene / "s2.tif") == 0
        np.testing.assert_array_equal(empty.any(0), empty.all(0))
        assert low <= empty.mean() <= high


def test_spectra_are_plausible(demo: Path) -> None:
    scene = demo / "scene_01"
    rho = reflectance(scene)
    ndvi = (rho["B8"] - rho["B4"]) / (rho["B8"] + rho["B4"])
    forest, bare, water = (of_class(scene, n) for n in ("broadleaved forest", "bare ground", "water"))
    assert np.median(ndvi[forest]) > 0.7 > 0.4 > np.median(ndvi[bare])
    assert np.median(rho["B11"][water]) < 0.03 < 0.1 < np.median(rho["B11"][bare])
    assert np.median(rho["B3"][water]) > np.median(rho["B8"][water])
    conifer = of_class(scene, "coniferous forest")
    red_edge = [np.median(rho["B7"][kind] - rho["B5"][kind]) for kind in (conifer, forest)]
    assert red_edge[1] > 1.5 * red_edge[0], "the red edge tells the forests apart"
    visible = [np.median(rho["B4"][kind]) for kind in (conifer, forest)]
    assert abs(visible[1] - visible[0]) < 0.015, "the visible bands hardly do"


def test_backscatter_is_plausible_and_tells_apart_what_optics_cannot(demo: Path) -> None:
    scene = demo / "scene_01"
    vv, vh = read(scene / "s1.tif")
    assert np.isfinite(vv).all()
    assert vv.min() > -26.0
    assert vv.max() < 12.0
    assert (vh < vv).mean() > 0.97
    level = {c["name"]: np.median(vv[of_class(scene, c["name"])]) for c in land_classes()[:-1]}
    assert level["water"] < -17.0 < level["grassland"] < level["broadleaved forest"] < level["built-up"]
    assert level["wetland"] > level["grassland"] + 2.0
    assert level["built-up"] > level["bare ground"] + 4.0


def test_cover_follows_relief(demo: Path) -> None:
    scene = demo / "scene_01"
    z = read(scene / "dem.tif")[0]
    slope = np.hypot(*np.gradient(z, 10.0))
    height = {c["name"]: np.median(z[of_class(scene, c["name"])]) for c in land_classes()[:-1]}
    tilt = {c["name"]: np.median(slope[of_class(scene, c["name"])]) for c in land_classes()[:-1]}
    assert height["bare ground"] > height["coniferous forest"] > height["cropland"]
    assert tilt["cropland"] < tilt["coniferous forest"]
    assert tilt["built-up"] < tilt["bare ground"]


def test_causes_change_optics_but_not_radar(demo: Path) -> None:
    scene = demo / "scene_03"
    rho, causes = reflectance(scene), read(scene / "causes.tif")[0]
    label, vv = read(scene / "label.tif")[0], read(scene / "s1.tif")[0]
    for cause, band, brighter in ((1, "B2", True), (2, "B8", False)):
        kinds = [
            k
            for k in np.unique(label[causes == cause])
            if min(((label == k) & (causes == c)).sum() for c in (0, cause)) > 300
        ]
        assert kinds
        for kind in kinds:
            inside, outside = (label == kind) & (causes == cause), (label == kind) & (causes == 0) & (rho["B2"] > 0)
            if np.median(rho["B8"][outside]) < 0.1:
                continue
            difference = np.median(rho[band][inside]) - np.median(rho[band][outside])
            assert (difference > 0) == brighter
            assert abs(np.median(vv[inside]) - np.median(vv[outside])) < 2.0


def test_relief_is_carved_by_its_rivers() -> None:
    relief = make_relief(SIZE, 10.0, np.random.default_rng(1))
    assert np.ptp(relief.elevation) > 100.0
    assert 0.01 < np.median(relief.slope) < 0.6
    near, far = relief.channel_m < 40.0, relief.channel_m > 300.0
    assert np.median(relief.above_channel[near]) < 3.0 < np.median(relief.above_channel[far])
    length = relief.normal_east**2 + relief.normal_north**2
    assert float(length.max()) < 1.0


def test_a_stop_leaves_whole_scenes_only(tmp_path: Path) -> None:
    with pytest.raises(Canceled):
        run(DemoJob(str(tmp_path), scenes=3, size_px=64), Watching(stop_after=1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scene_01"]


@pytest.mark.parametrize(("scenes", "size", "seed"), [(0, 64, 0), (1, 32, 0), (1, 100_000, 0), (1, 64, -1)])
def test_impossible_jobs_are_refused(tmp_path: Path, scenes: int, size: int, seed: int) -> None:
    with pytest.raises(JobError, match="found"):
        run(DemoJob(str(tmp_path / "out"), scenes=scenes, size_px=size, seed=seed), Watching())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(JobError, match="cannot be made"):
        run(DemoJob(str(tmp_path / "file" / "demo"), scenes=1, size_px=64), Watching())
