"""Accuracy: figures against scikit-learn and published numbers, files, and what cannot be compared."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
import torch
from affine import Affine
from sklearn import metrics
from torchmetrics.functional.classification import binary_calibration_error

from auxlens.engine.assess.agreement import Agreement, Density
from auxlens.engine.assess.areas import Z95, pixel_areas_m2, stratified
from auxlens.engine.assess.classes import by_class, confusion, figures, means
from auxlens.engine.assess.reliability import Reliability
from auxlens.engine.executors.accuracy import assess, run
from auxlens.engine.jobs import AccuracyJob, Canceled, JobError, SceneError
from auxlens.engine.reports.accuracy import render_accuracy_report
from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.writing import Layer, LayerWriter
from auxlens.models.card import LandClass

CLASSES = (LandClass(1, "water", "#0000ff"), LandClass(2, "wood & <scrub>", "#00aa00"), LandClass(4, "town", "#ff0000"))
VALUES = np.array([c.value for c in CLASSES])
TRANSFORM = Affine(10, 0, 500_000, 0, -10, 5_000_000)


def put(path, values, dtype="uint8", nodata=0, crs="EPSG:32632", transform=TRANSFORM, bands=(), classes=()):
    """Writes ``(H, W)`` or ``(C, H, W)`` as AuxLens does."""
    values = np.asarray(values, dtype)
    values = values[None] if values.ndim == 2 else values
    grid = Grid(rasterio.CRS.from_string(crs) if crs else None, transform, *values.shape[1:])
    names = bands or tuple(f"band_{i}" for i in range(len(values)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with LayerWriter(Layer(str(path), dtype, nodata, names, classes=classes), grid) as writer:
            writer.write(values, grid.whole)
            writer.commit()
    return str(path)


@pytest.fixture
def truth(rng):
    return VALUES[rng.integers(0, 3, (70, 90))]


@pytest.fixture
def mapped(rng, truth):
    return np.where(rng.random(truth.shape) < 0.7, truth, VALUES[rng.integers(0, 3, truth.shape)])


@pytest.fixture
def job(tmp_path, truth, mapped):
    """Classes: 70 × 90 pixels, a tenth of them with a reference."""
    known = np.random.default_rng(3).random(truth.shape) < 0.1
    return AccuracyJob(
        put(tmp_path / "map.tif", mapped, classes=CLASSES),
        put(tmp_path / "ref.tif", np.where(known, truth, 0)),
        output_table=str(tmp_path / "found.csv"),
    )


@pytest.fixture
def numbers(tmp_path, rng):
    """Numbers: 70 × 90 pixels, a fifth of them without a reference."""
    t = rng.gamma(3, 5, (70, 90)).astype(np.float32)
    e = (0.7 * t + 4 + rng.normal(0, 2, t.shape)).astype(np.float32)
    t[rng.random(t.shape) < 0.2] = np.nan
    nan = float("nan")
    return AccuracyJob(
        put(tmp_path / "height.tif", e, "float32", nan),
        put(tmp_path / "true.tif", t, "float32", nan),
        task="regression",
        output_table=str(tmp_path / "found.csv"),
    )


def test_golden_vector_of_olofsson_2014():
    sampled = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])  # rows are the map's classes
    hectares = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09
    e = stratified(sampled.T, hectares)
    assert (e.overall, Z95 * e.overall_se) == pytest.approx((0.9465, 0.0185), abs=5.1e-5)
    np.testing.assert_allclose(e.users, [0.880, 0.733, 0.927, 0.963], atol=5.1e-4)
    np.testing.assert_allclose(Z95 * e.users_se, [0.074, 0.101, 0.040, 0.021], atol=5.1e-4)
    np.testing.assert_allclose(e.producers, [0.749, 0.847, 0.935, 0.962], atol=5.1e-4)
    np.testing.assert_allclose(Z95 * e.producers_se, [0.213, 0.254, 0.034, 0.018], atol=5.1e-4)
    np.testing.assert_allclose(e.areas, [21158, 11686, 285770, 581386], atol=0.51)
    np.testing.assert_allclose(Z95 * e.areas_se, [6158, 3756, 15510, 16282], atol=0.51)
    assert e.left_out == ()


def test_intervals_hold_the_truth_as_often_as_they_say(rng):
    """A stratified sample of a map with known errors, many times over."""
    confused = np.array([[0.90, 0.06, 0.04], [0.10, 0.75, 0.15], [0.02, 0.08, 0.90]])  # truth within each map class
    area = np.array([1000.0, 500.0, 200.0])
    areas, overall = area @ confused, area @ np.diag(confused) / area.sum()
    producers = area * np.diag(confused) / areas
    inside = []
    for _ in range(400):
        e = stratified(np.stack([rng.multinomial(150, row) for row in confused]).T, area)
        inside.append(
            [
                abs(e.overall - overall) <= Z95 * e.overall_se,
                *(np.abs(e.areas - areas) <= Z95 * e.areas_se),
                *(np.abs(e.producers - producers) <= Z95 * e.producers_se),
                *(np.abs(e.users - np.diag(confused)) <= Z95 * e.users_se),
            ]
        )
    assert (np.abs(np.mean(inside, axis=0) - 0.95) < 0.04).all()


def test_strata_without_two_references_are_left_out():
    counts = np.array([[40, 1, 0], [10, 0, 0], [0, 0, 0]])  # rows reference
    e = stratified(counts, np.array([50.0, 30.0, 20.0]))
    assert e.left_out == (1, 2)
    assert (e.overall, e.users[0]) == (0.8, 0.8)
    assert np.isnan(e.users[1:]).all()
    assert e.areas.tolist() == [40.0, 10.0, 0.0]
    assert np.isnan(e.producers[2])
    assert stratified(np.eye(3, dtype=int), np.ones(3)) is None


def test_pixel_areas_are_those_of_the_ellipsoid():
    latitudes, side = np.array([0.0, 34.5, -61.25, 89.0]), 0.001
    geod = pyproj.Geod(ellps="WGS84")
    expected = [
        abs(geod.geometry_area_perimeter(shapely.box(0, at - side / 2, side, at + side / 2))[0]) for at in latitudes
    ]
    np.testing.assert_allclose(pixel_areas_m2(latitudes, side**2), expected, rtol=1e-5)


def test_class_figures_are_those_of_scikit_learn(rng):
    t, m = rng.integers(0, 4, 900), rng.integers(0, 5, 900)
    m = np.where(rng.random(900) < 0.6, t, m)  # class 4 is mapped and never in the reference
    matrix, labels = confusion(t, m, 5), [0, 1, 2, 3]
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(t, m, labels=range(5)))
    found = by_class(matrix)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(t, m, labels=labels)
    for name, expected in (("users_accuracy", precision), ("producers_accuracy", recall), ("f1", f1)):
        np.testing.assert_allclose(found[name][:4], expected)
    np.testing.assert_allclose(found["iou"][:4], metrics.jaccard_score(t, m, labels=labels, average=None))
    assert (found["users_accuracy"][4], found["iou"][4], np.isnan(found["producers_accuracy"][4])) == (0, 0, True)
    for kind in ("macro", "weighted"):
        p, r, f, _ = metrics.precision_recall_fscore_support(t, m, labels=labels, average=kind)
        j = metrics.jaccard_score(t, m, labels=labels, average=kind)
        assert list(means(matrix)[kind].values()) == pytest.approx([p, r, f, j])
    assert figures(matrix)["kappa"] == pytest.approx(metrics.cohen_kappa_score(t, m))
    assert figures(matrix)["overall_accuracy"] == pytest.approx(metrics.accuracy_score(t, m))


def test_numbers_are_those_of_scikit_learn(rng):
    t = rng.normal(1e6, 3, 5000)  # far from 0, where sums of squares would lose their digits
    e = 0.8 * t + 2e5 + rng.normal(0, 1, 5000)
    agreement = Agreement()
    for part in np.array_split(np.arange(5000), 7):
        agreement.add(e[part], t[part])
    agreement.add(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))
    found = agreement.figures()
    slope, intercept = np.polyfit(t - 1e6, e, 1)
    expected = {
        "bias": (e - t).mean(),
        "mae": metrics.mean_absolute_error(t, e),
        "rmse": metrics.root_mean_squared_error(t, e),
        "r2": metrics.r2_score(t, e),
        "squared_correlation": np.corrcoef(t, e)[0, 1] ** 2,
        "slope": slope,
        "ccc": 2 * np.cov(t, e, ddof=0)[0, 1] / (t.var() + e.var() + (t.mean() - e.mean()) ** 2),
        "sd_reference": t.std(),
        "pixels": 5000,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert found["intercept"] + found["slope"] * 1e6 == pytest.approx(intercept, rel=1e-9)


def test_numbers_that_do_not_vary():
    agreement = Agreement()
    agreement.add(np.array([1.0, 2.0]), np.array([3.0, 3.0]))
    found = agreement.figures()
    assert found["bias"] == -1.5
    assert all(np.isnan(found[name]) for name in ("r2", "squared_correlation", "slope"))
    assert Agreement().figures() == {}


def test_density_counts_each_pixel_once(rng):
    e, t = rng.normal(0, 1, 1000).astype(np.float32), rng.normal(0, 1, 1000).astype(np.float32)
    e[0], t[1] = 50.0, np.nan
    density = Density((float(min(e.min(), np.nanmin(t))), 3.0), 8)
    density.add(e, t)
    expected, *_ = np.histogram2d(e[2:], t[2:], 8, [density.span] * 2)
    np.testing.assert_array_equal(density.counts, expected)
    assert density.counts.sum() + density.outside == 999


def test_calibration_error_is_that_of_torchmetrics(rng):
    confidence = rng.random(3000).astype(np.float32)
    right = rng.random(3000) < confidence**2
    reliability = Reliability()
    for part in np.array_split(np.arange(3000), 4):
        reliability.add(confidence[part], right[part])
    expected = binary_calibration_error(torch.from_numpy(confidence), torch.from_numpy(right.astype(int)), n_bins=15)
    assert reliability.figures()["ece"] == pytest.approx(float(expected), abs=1e-6)
    assert reliability.pixels.sum() == 3000


def test_classes(job, quiet, truth, mapped):
    result = assess(job, quiet())
    with rasterio.open(job.reference) as dataset:
        known = dataset.read(1) > 0
    np.testing.assert_array_equal(
        result.matrix, metrics.confusion_matrix(truth[known], mapped[known], labels=VALUES.tolist())
    )
    assert result.classes == CLASSES
    assert result.mapped_pixels.tolist() == [(mapped == v).sum() for v in VALUES]
    np.testing.assert_allclose(result.mapped_areas, result.mapped_pixels * 0.01)
    assert (result.compared.pixels, result.compared.mapped_pixels) == (known.sum(), truth.size)
    assert "drawn at random" in result.compared.sampling
    assert result.compared.notes == ()


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:4326"])
@pytest.mark.parametrize("window_px", [16, 34, 64])
def test_windows_do_not_matter_to_classes(tmp_path, quiet, truth, mapped, rng, crs, window_px):
    where = {"crs": crs, "transform": TRANSFORM if crs == "EPSG:32632" else Affine(0.01, 0, 7, 0, -0.01, 60)}
    probability = rng.dirichlet(np.ones(3), truth.shape).transpose(2, 0, 1)
    job = AccuracyJob(
        put(tmp_path / "map.tif", mapped, **where, classes=CLASSES),
        put(tmp_path / "ref.tif", np.where(rng.random(truth.shape) < 0.3, truth, 0), **where),
        probability=put(tmp_path / "p.tif", probability, "float32", float("nan"), **where),
    )
    whole, parts = assess(job, quiet()), assess(job, quiet(), window_px)
    np.testing.assert_array_equal(whole.matrix, parts.matrix)
    np.testing.assert_allclose(whole.mapped_areas, parts.mapped_areas, rtol=1e-12)
    np.testing.assert_array_equal(whole.reliability.pixels, parts.reliability.pixels)
    np.testing.assert_allclose(whole.reliability.confidence, parts.reliability.confidence)
    assert whole.compared == parts.compared


@pytest.mark.parametrize("window_px", [16, 33])
def test_windows_do_not_matter_to_numbers(numbers, quiet, window_px):
    whole, parts = assess(numbers, quiet()), assess(numbers, quiet(), window_px)
    assert whole.overall == pytest.approx(parts.overall, rel=1e-12)
    assert np.abs(whole.density.counts - parts.density.counts).sum() <= 4  # a rounding of the span may move an edge
    with rasterio.open(numbers.map) as a, rasterio.open(numbers.reference) as b:
        e, t = a.read(1), b.read(1)
    known = np.isfinite(t)
    assert whole.overall["r2"] == pytest.approx(metrics.r2_score(t[known], e[known]))
    assert whole.density.counts.sum() + whole.density.outside == known.sum()


def test_areas_of_a_map_in_degrees_and_of_one_without_crs(tmp_path, quiet, truth, mapped):
    transform = Affine(0.01, 0, 7, 0, -0.01, 60)
    where = {"crs": "EPSG:4326", "transform": transform}
    job = AccuracyJob(put(tmp_path / "m.tif", mapped, **where), put(tmp_path / "r.tif", truth, **where))
    result = assess(job, quiet())
    west, north = transform @ (0, 0)
    east, south = transform @ (90, 70)
    box = shapely.segmentize(shapely.box(west, south, east, north), 0.01)
    expected = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(box)[0]) / 1e4
    assert (result.mapped_areas.sum(), result.area_unit) == (pytest.approx(expected, rel=1e-5), "ha")
    for where in (
        {"crs": None, "transform": Affine.identity()},
        {"crs": 'LOCAL_CS["site",UNIT["metre",1]]'},
    ):
        job = AccuracyJob(put(tmp_path / "m.tif", mapped, **where), put(tmp_path / "r.tif", truth, **where))
        result = assess(job, quiet())
        assert (result.mapped_areas.sum(), result.area_unit) == (truth.size, "px")
        said = render_accuracy_report(result)
        assert "The size of the map’s pixels is not known: areas are in pixels." in said and "no CRS" not in said


def vector(path, geometries, values, field="class", crs="EPSG:32632"):
    gpd.GeoDataFrame({field: values}, geometry=geometries, crs=crs).to_file(path)
    return str(path)


def centre(row, col):
    return shapely.Point(TRANSFORM @ (col + 0.5, row + 0.5))


def test_codes_that_look_like_numbers_are_names(tmp_path, quiet):
    codes = [LandClass(i, code, "#00aa00") for i, code in enumerate(("3260", "6210", "91E0"), 1)]
    made = put(tmp_path / "m.tif", np.repeat(np.array([[1, 2, 3]], "uint8"), 3, axis=0), classes=codes)
    places = [centre(row, row) for row in range(3)]
    for chosen in (("3260", "6210"), ("3260", "6210", "91E0"), ("91E0",)):
        at = [("3260", "6210", "91E0").index(code) for code in chosen]
        points = vector(tmp_path / f"{len(chosen)}.gpkg", [places[i] for i in at], list(chosen))
        result = assess(AccuracyJob(made, points, "class"), quiet())
        assert result.overall["overall_accuracy"] == 1
        assert [result.classes[i].name for i in result.matrix.sum(axis=1).nonzero()[0]] == list(chosen)


def test_a_code_is_no_number_of_the_map(tmp_path, quiet):
    made = put(tmp_path / "m.tif", np.full((3, 3), 91, "uint8"))
    points = vector(tmp_path / "p.gpkg", [centre(1, 1)], ["91E0"])
    with pytest.raises(SceneError, match=r"names its classes \(91E0\), but the map has no class names"):
        assess(AccuracyJob(made, points, "class"), quiet())


def test_points_with_names(job, tmp_path, quiet, mapped, rng):
    places = rng.permutation(mapped.size)[:80]
    rows, cols = np.unravel_index(places, mapped.shape)
    names = [CLASSES[i].name for i in rng.integers(0, 3, 78)] + ["lava", "ice"]
    points = vector(tmp_path / "p.gpkg", [centre(r, c) for r, c in zip(rows, cols, strict=True)], names)
    result = assess(replace(job, reference=points, reference_field="class"), quiet())
    assert [c.value for c in result.classes] == [1, 2, 4, 65535]
    by_name = {c.name: i for i, c in enumerate(CLASSES)}
    expected = np.zeros((4, 4), int)
    for row, col, name in zip(rows, cols, names, strict=True):
        expected[by_name.get(name, 3), VALUES.tolist().index(mapped[row, col])] += 1
    np.testing.assert_array_equal(result.matrix, expected)
    assert "names that the map does not have (2 pixels); they count as wrong" in result.compared.notes[0]
    assert "drawn at random" in result.compared.sampling


def test_references_that_contradict_each_other_are_said(job, tmp_path, quiet):
    places = [centre(1, 1), centre(1, 1), centre(2, 2), centre(2, 2), centre(3, 3)]
    names = ["water", "wood", "wood", "wood", "water"]
    points = vector(tmp_path / "p.gpkg", places, [CLASSES[0].name if n == "water" else CLASSES[1].name for n in names])
    result = assess(replace(job, reference=points, reference_field="class"), quiet())
    assert result.matrix.sum() == 3
    assert any(
        "References of different classes lie on 1 pixel; there the last" in note for note in result.compared.notes
    )


def test_dense_references_are_told_from_samples(job, tmp_path, quiet, truth, mapped):
    patch = np.zeros_like(truth)
    patch[10:30, 20:60] = truth[10:30, 20:60]
    result = assess(replace(job, reference=put(tmp_path / "patch.tif", patch)), quiet())
    assert "side by side" in result.compared.sampling
    assert "800 of 6 300 mapped pixels (12.7 %)" in result.compared.sampling
    result = assess(replace(job, reference=put(tmp_path / "all.tif", truth)), quiet())
    assert "census" in result.compared.sampling


def test_classes_that_one_side_lacks_are_counted_and_said(tmp_path, quiet, truth, mapped):
    reference = np.where(truth == 4, 9, truth)
    holes = mapped.copy()
    holes[:2] = 0
    job = AccuracyJob(put(tmp_path / "m.tif", holes, classes=CLASSES), put(tmp_path / "r.tif", reference))
    result = assess(job, quiet())
    missed, there = int((reference[2:] == 9).sum()), int((mapped[2:] == 4).sum())
    notes = " ".join(result.compared.notes)
    assert f"the map shows nowhere: class 9 ({missed:,} pixels)".replace(",", " ") in notes
    assert f"does not have: town ({there:,} pixels)".replace(",", " ") in notes
    assert "the map has no value there: 180 pixels of the reference" in notes
    assert result.overall["overall_accuracy"] == pytest.approx((reference == holes)[2:].mean())
    assert np.isnan(by_class(result.matrix)["users_accuracy"][3])
    assert result.estimates.areas[3] > 0


def test_a_reference_of_one_class_is_said(job, tmp_path, quiet, truth):
    result = assess(replace(job, reference=put(tmp_path / "r.tif", np.where(truth == 1, 1, 0))), quiet())
    assert "The reference has one class only (water)" in result.compared.notes[0]


def test_probabilities_of_another_map_are_said(job, tmp_path, quiet, mapped):
    names = tuple(c.name for c in CLASSES)
    probability = np.stack([np.where(mapped == v, 0.8, 0.1) for v in VALUES])
    right = put(tmp_path / "p.tif", probability, "float32", float("nan"), bands=names)
    result = assess(replace(job, probability=right), quiet())
    assert (result.compared.notes, result.reliability.otherwise) == ((), 0)
    assert result.reliability.figures()["mean_confidence"] == pytest.approx(0.8)
    wrong = put(tmp_path / "q.tif", probability[::-1], "float32", float("nan"), bands=names)
    result = assess(replace(job, probability=wrong), quiet())
    assert "the most probable class is not the mapped one" in result.compared.notes[0]
    for bands, said in (
        (("dry", "wet", "town"), ["dry, wet"]),
        (tuple("abc"), ["a, b, c"]),
        (("", "Band 2", "band 3"), []),  # no names
    ):
        other = put(tmp_path / "o.tif", probability, "float32", float("nan"), bands=bands)
        notes = assess(replace(job, probability=other), quiet()).compared.notes
        assert list(notes) == [
            f"The probabilities have bands that are no classes of the map: {names}; check that map and probabilities "
            "belong together."
            for names in said
        ]


def test_files(job, tmp_path, quiet, mapped):
    outputs = {f"output_{name}": str(tmp_path / f"new.{suffix}") for name, suffix in OUTPUTS.items()}
    names = tuple(c.name for c in CLASSES)
    probability = np.stack([np.where(mapped == v, 0.8, 0.1) for v in VALUES])
    p = put(tmp_path / "p.tif", probability, "float32", float("nan"), bands=names)
    answer = run(replace(job, probability=p, **outputs), quiet())
    assert answer["outputs"] == {name: outputs[f"output_{name}"] for name in OUTPUTS}
    content = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    assert content["overall"]["overall_accuracy"] == answer["figures"]["overall_accuracy"]
    assert np.sum(content["confusion"]["pixels"]) == content["compared"]["pixels"] == answer["figures"]["pixels"]
    with open(tmp_path / "new.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows[:3]] == list(names)
    assert [row["class"] for row in rows[3:]] == ["mean of classes", "mean weighted by reference pixels", "overall"]
    assert float(rows[1]["iou"]) == content["classes"][1]["iou"]
    assert float(rows[-1]["adjusted_overall_accuracy"]) == content["overall"]["adjusted_overall_accuracy"]
    report = (tmp_path / "new.html").read_text(encoding="utf-8")
    assert "wood &amp; &lt;scrub&gt;" in report
    assert "<scrub>" not in report
    assert report.count("<img ") == 3
    assert "<script" not in report and "http" not in report.replace("http://www.w3.org", "")
    for text in (
        "Confusion",
        "Area-adjusted estimates",
        "Reliability",
        "Olofsson",
        f"{answer['figures']['kappa']:.3f}",
    ):
        assert text in report
    assert list(tmp_path.glob(".*.part*")) == []


OUTPUTS = {"report": "html", "table": "csv", "json": "json"}


def test_files_of_a_regression(numbers, tmp_path, quiet):
    outputs = {f"output_{name}": str(tmp_path / f"new.{suffix}") for name, suffix in OUTPUTS.items()}
    figures = run(replace(numbers, **outputs), quiet())["figures"]
    content = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    assert content["overall"]["ccc"] == figures["ccc"]
    with open(tmp_path / "new.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["rmse"]) == figures["rmse"]
    report = (tmp_path / "new.html").read_text(encoding="utf-8")
    assert report.count("<img ") == 1
    assert f"{figures['ccc']:.3f}" in report


@pytest.fixture
def doubt(numbers, tmp_path, rng):
    """The uncertainty of the numbers' map: the errors' true size, unknown in the first ten rows."""
    scale = np.full((70, 90), 1.5, np.float32)
    scale[:10] = np.nan
    path = put(tmp_path / "uncertainty.tif", scale, "float32", float("nan"))
    with rasterio.open(path, "r+") as made:
        made.update_tags(AUXLENS_INTERVAL_FACTORS='{"0.5": 1.0, "0.9": 2.5}', AUXLENS_ERROR_FACTOR="1.2")
    return path


def test_intervals_are_counted_where_the_uncertainty_is_known(numbers, doubt, tmp_path, quiet):
    outputs = {f"output_{name}": str(tmp_path / f"new.{suffix}") for name, suffix in OUTPUTS.items()}
    job = replace(numbers, uncertainty=doubt, **outputs)
    figures = run(job, quiet())["figures"]
    error = np.abs(values_of(numbers.map) - values_of(numbers.reference))[10:]
    error = error[np.isfinite(error)]
    assert figures["coverage_50"] == pytest.approx((error <= 1.5).mean())
    assert figures["coverage_90"] == pytest.approx((error <= 3.75).mean()) and figures["expected_mae"] == pytest.approx(
        1.8
    )
    small = assess(job, quiet(), window_px=16)
    assert small.coverage.count == len(error) and small.coverage.absolute == pytest.approx(error.sum(), rel=1e-6)
    content = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    assert content["intervals"][1] == {"level": 0.9, "factor": 2.5, "coverage": figures["coverage_90"]}
    report = (tmp_path / "new.html").read_text(encoding="utf-8")
    assert f"<td>90 %</td><td>2.500</td><td>{100 * figures['coverage_90']:.1f} %</td>" in report
    assert f"expected there: 1.800, found: {error.mean():.3f}." in report
    assert "Intervals" not in render_accuracy_report(assess(numbers, quiet()))


def test_an_uncertainty_without_factors_and_one_of_classes(numbers, job, doubt, quiet):
    with pytest.raises(
        SceneError, match=r"has no factors of intervals in its tags .*give the uncertainty that “map” wro"
    ):
        run(replace(numbers, uncertainty=numbers.map), quiet())
    with pytest.raises(JobError, match="choose the task “regression”, or leave it out"):
        run(replace(job, uncertainty=doubt), quiet())


def values_of(path):
    with rasterio.open(path) as raster:
        return raster.read(1)


def test_undefined_figures_are_null(tmp_path, quiet):
    flat = np.full((8, 8), 3.0)
    job = AccuracyJob(
        put(tmp_path / "m.tif", np.arange(64.0).reshape(8, 8), "float32", float("nan")),
        put(tmp_path / "r.tif", flat, "float32", float("nan")),
        task="regression",
        **{f"output_{name}": str(tmp_path / f"new.{suffix}") for name, suffix in OUTPUTS.items()},
    )
    run(job, quiet())
    content = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    assert content["overall"]["slope"] is None
    assert "3 at every pixel compared" in content["compared"]["notes"][0]


def test_cancel_writes_nothing(job, tmp_path, quiet):
    with pytest.raises(Canceled):
        run(replace(job, output_json=str(tmp_path / "new.json")), quiet(stop_after=0))
    assert not (tmp_path / "new.json").exists()


@pytest.fixture
def others(tmp_path, truth):
    """Files that do not fit."""
    far = Affine(10, 0, 900_000, 0, -10, 5_000_000)
    nan = float("nan")
    return {
        "far": put(tmp_path / "far.tif", truth, transform=far),
        "empty": put(tmp_path / "empty.tif", np.zeros_like(truth)),
        "ones": put(tmp_path / "ones.tif", np.ones_like(truth)),
        "floats": put(tmp_path / "floats.tif", truth + 0.37, "float32", nan),
        "three": put(tmp_path / "three.tif", np.stack([truth] * 3)),
        "percent": put(tmp_path / "percent.tif", np.stack([truth * 20] * 3), "float32", nan),
        "many": put(tmp_path / "many.tif", np.arange(truth.size).reshape(truth.shape), "uint16", 65_535),
        "plain": put(tmp_path / "plain.tif", truth),
        "points": vector(tmp_path / "points.gpkg", [centre(3, 3), centre(4, 4)], ["lava", "ice"]),
        "elsewhere": vector(tmp_path / "elsewhere.gpkg", [shapely.Point(0, 0)], [1]),
        "text": str(tmp_path / "text.tif"),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"map": "gone.tif"}, "“gone.tif” does not exist"),
        ({"reference": "gone.gpkg"}, "“gone.gpkg” does not exist"),
        ({"probability": "gone.tif"}, "“gone.tif” does not exist"),
        ({"map": ""}, "No map is given"),
        ({"reference": ""}, "No reference is given"),
        ({"reference": "{far}"}, "does not overlap with the"),
        ({"reference": "{elsewhere}", "reference_field": "class"}, "does not overlap with the map"),
        ({"reference": "{empty}"}, "covers no pixel that the map has a value for"),
        ({"map": "{empty}"}, "has no valid pixel; check its nodata value"),
        ({"map": "{ones}", "reference": "{ones}"}, "hold one class only"),
        ({"map": "{floats}"}, "The map “.*” holds .*37, which is no class; choose the task “regression”"),
        ({"reference": "{floats}"}, "The reference “.*” holds .*37, which is no class"),
        ({"map": "{three}"}, "has 3 bands; a map has one"),
        ({"map": "{many}"}, "more than 255 different values"),
        ({"task": "regression"}, "has named classes and no numbers; choose the task “segmentation”"),
        ({"task": "counting"}, "Unknown task “counting”"),
        ({"task": "regression", "probability": "{three}"}, "Probabilities belong to classes"),
        ({"probability": "{plain}"}, "has one band; probabilities have a band a class"),
        ({"probability": "{percent}"}, "holds 80; probabilities are 0 to 1"),
        ({"reference": "{points}", "reference_field": "class"}, r"No class name .*\(ice, lava\) is one of the map's"),
        ({"reference": "{points}", "reference_field": "kind"}, "has no field “kind”; its fields are: class"),
        ({"map": "{plain}", "reference": "{points}", "reference_field": "class"}, "the map has no class names"),
        ({"output_table": "{plain}", "map": "{plain}"}, "“table” has the path of an input or of another output"),
        ({"output_json": "/nowhere/a.json"}, "“/nowhere” does not exist"),
        ({"output_table": ""}, "No output is asked for; choose at least one, for example the report"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(job, others, quiet, change, message):
    change = {name: value.format(**others) for name, value in change.items()}
    with pytest.raises((SceneError, JobError), match=message) as caught:
        run(replace(job, **change), quiet())
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", ")"))
