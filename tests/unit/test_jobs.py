"""Jobs: they travel as JSON, and what is wrong with one is said before any work."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from auxlens.engine import checks, jobs
from auxlens.engine.jobs import JobError, MapJob
from auxlens.models.card import Card, ErrorModel, LandClass, MainTask, Modality, Player

SAMPLES = {"str": "Wörter “x”\n", "int": 7, "float": 1.5, "Tuple[str, ...]": ("a.tif", "s1=b.tif")}
EXTENT = (-3.5, 50.0, -3.0, 51.25)
CARD = Card(
    name="floods",
    created="",
    plugin_version="0.1.0",
    inputs=(Modality("s2", ("B2", "B3"), (0.0, 0.0), (1.0, 1.0)),),
    auxiliary=(Modality("s1", ("VV",), (0.0,), (1.0,)), Modality("dem", ("z",), (0.0,), (1.0,))),
    main=MainTask("segmentation", "class", (LandClass(1, "dry", "#ffffff"), LandClass(2, "wet", "#0000ff"))),
    network={},
    tile_px=512,
    margin_px=44,
    error_models={"expected": ErrorModel(("entropy",), (0.0,), (1.0,), (1.0,), 0.0)},
    players=(Player("green", ("s2:B2",)), Player("red", ("s2:B3",))),
)


def filled(cls):
    """A job in which no field has its default."""
    values = {f.name: SAMPLES.get(str(f.type), EXTENT) for f in fields(cls)}
    return cls(**values)


@pytest.mark.parametrize("kind", jobs.JOBS)
def test_json_round_trip(kind):
    job = filled(jobs.JOBS[kind])
    assert all(getattr(job, f.name) != f.default for f in fields(job))
    text = jobs.to_json(job)
    assert "\n" not in text  # one line, whatever a field holds
    assert json.loads(text)["job"] == kind
    assert jobs.from_json(text) == job


@pytest.mark.parametrize("kind", jobs.JOBS)
def test_defaults_need_not_be_given(kind):
    cls = jobs.JOBS[kind]
    needed = {f.name: SAMPLES[str(f.type)] for f in fields(cls) if f.default is f.default_factory}
    assert jobs.from_json(json.dumps({"job": kind, **needed})) == cls(**needed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        ('"map"', "not a JSON object"),
        ("{}", "Unknown job “None”; known are createdemo, train, trainfolder"),
        ('{"job": ["map"]}', "Unknown job"),
        ('{"job": "fly"}', "Unknown job “fly”"),
        ('{"job": "map", "model": "m", "inputs": ["a"], "colour": 1, "size": 2}', "“map” has no field colour, size"),
        ('{"job": "map", "model": "m"}', "“map” is incomplete: .*inputs"),
        ('{"job": "map", "model": "m", "inputs": "a.tif"}', "needs a list of texts for inputs"),
        ('{"job": "map", "model": "m", "inputs": [1]}', "needs a list of texts for inputs"),
        ('{"job": "map", "model": 3, "inputs": ["a"]}', "needs text for model"),
        ('{"job": "map", "model": "m", "inputs": ["a"], "tile_size": 1.5}', "needs a whole number for tile_size"),
        ('{"job": "map", "model": "m", "inputs": ["a"], "extent": [1, 2, 3]}', "needs a list of four numbers"),
        ('{"job": "train", "output_model": "m", "epochs": true}', "needs a whole number for epochs"),
        ('{"job": "train", "output_model": "m", "time_limit": "1"}', "needs a number for time_limit"),
    ],
)
def test_what_is_no_job(text, message):
    with pytest.raises(JobError, match=message):
        jobs.from_json(text)


def test_every_type_of_a_field_can_be_checked():
    kinds = {str(f.type) for cls in jobs.JOBS.values() for f in fields(cls)}
    assert kinds == set(jobs._TYPES)


def test_whole_numbers_are_numbers():
    assert jobs.from_json('{"job": "train", "output_model": "m", "time_limit": 2}').time_limit == 2
    assert jobs.from_json('{"job": "map", "model": "m", "inputs": [], "extent": null}').extent is None


def test_patterns():
    text = " s2 = B02.tif, B03.tif ;; s1=*_S1Hand.tif\r\ndem=../dem.tif\n"
    expected = {"s2": ("B02.tif", "B03.tif"), "s1": ("*_S1Hand.tif",), "dem": ("../dem.tif",)}
    assert jobs.patterns(text) == expected
    assert list(jobs.patterns(text)) == ["s2", "s1", "dem"]
    assert jobs.patterns("") == jobs.patterns(" ; \n") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s2.tif", "“s2.tif” is not of the form modality=pattern, for example s2=s2.tif"),
        ("s2=", "“s2=” is not of the form"),
        ("=a.tif", "“=a.tif” is not of the form"),
        ("s2= , ,", "is not of the form"),
        ("s2=a.tif;s2=b.tif", "“s2” is given twice; give each modality once"),
    ],
)
def test_patterns_that_cannot_be_read(text, message):
    with pytest.raises(JobError, match=message):
        jobs.patterns(text)


def map_job(*outputs, model="m.safetensors", **options):
    paths = {f"output_{name}": f"{name}.tif" for name in outputs}
    return MapJob(model, **{"inputs": ("a.tif",), **paths, **options})


def test_a_map_job_that_is_right():
    job = map_job(*jobs.MAP_OUTPUTS, auxiliary=("s1.tif",), reference="label.tif")
    assert checks.check_map(job, CARD) is None
    assert list(job.outputs) == list(jobs.MAP_OUTPUTS)
    assert jobs.outputs_of(job) == {name: f"{name}.tif" for name in jobs.MAP_OUTPUTS}


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (map_job(), "No output is asked for; choose at least one"),
        (map_job("map", inputs=()), "No input raster is given; the model needs the bands s2:B2, s2:B3"),
        (map_job("reconstruction_error"), r"“reconstruction error” compares with auxiliary rasters \(s1, dem\)"),
        (map_job("main_error"), "“main error” compares with a reference; give one, or leave this output out"),
        (map_job("map", precision="double"), "Unknown precision “double”; choose one of auto, float32"),
        (map_job("map", tile_size=-1), "Tile size and batch size are 0 or more"),
        (map_job("map", batch_size=-1), "Tile size and batch size are 0 or more"),
        (map_job("map", overlap=-2), "the overlap is −1 or more"),
        (map_job("map", output_uncertainty="./map.tif"), "“uncertainty” has the path of an input or of another output"),
        (map_job(output_map="out/a.jpg"), r"“map” is a GeoTIFF; “out/a\.jpg” must end in \.tif or \.tiff\."),
        (map_job("map", output_error_probability="p"), "“error probability” is a GeoTIFF; “p” must end in"),
        (map_job("map", inputs=("map.tif",)), r"“map” has the path of an input .*\(“map.tif”\); choose another"),
        (map_job("map", auxiliary=("s1=map.tif",)), "“map” has the path of an input"),
        (map_job("main_error", reference="main_error.tif|layername=a"), "“main error” has the path of an input"),
    ],
)
def test_map_jobs_that_are_wrong(job, message):
    with pytest.raises(JobError, match=message):
        checks.check_map(job, CARD)


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks.check_map(map_job(), CARD),
        lambda: checks.check_accuracy(jobs.AccuracyJob("map.tif", "label.tif")),
        lambda: checks.check_zonal(jobs.ZonalJob(("map.tif",), "p.gpkg")),
        lambda: checks.check_compare(jobs.CompareJob("in", "s2=s2.tif", "s1=s1.tif", "label.tif")),
        lambda: checks.check_explain_errors(jobs.ExplainErrorsJob(("error.tif",))),
        lambda: checks.check_sensitivity(jobs.SensitivityJob("m", ("s2.tif",)), CARD),
        lambda: checks.check_attribution_quality(jobs.AttributionQualityJob("m", ("s2.tif",)), CARD),
        lambda: checks.check_modelinfo(jobs.ModelInfoJob("m", "")),
        lambda: checks.check_exportonnx(jobs.ExportOnnxJob("m", ""), CARD),
    ],
)
def test_jobs_that_write_nothing_are_refused(check):
    with pytest.raises(JobError, match=r"^No output is asked for; (choose|give) .*\.$"):
        check()


def test_endings_of_rasters_count_whatever_their_case():
    checks.check_map(map_job(output_map="a.TIF", output_uncertainty="b.tiff"), CARD)
    with pytest.raises(JobError, match=r"“sensitivity” is a GeoTIFF; “s\.vrt” must end in"):
        checks.check_sensitivity(jobs.SensitivityJob("m", ("a.tif",), output_sensitivity="s.vrt"), CARD)
    with pytest.raises(JobError, match=r"“correlation” is a GeoTIFF; “s\.vrt” must end in"):
        checks.check_explain_errors(jobs.ExplainErrorsJob(("a.tif",), output_correlation="s.vrt"))


def test_paths_that_qgis_has_yet_to_choose_are_no_paths():
    checks.check_map(map_job(output_map=jobs.ANYWHERE, output_uncertainty=jobs.ANYWHERE), CARD)


@pytest.mark.parametrize("name", ["reconstruction", "expected_error", "reconstruction_error"])
def test_outputs_of_auxiliary_tasks_need_a_model_with_some(name):
    with pytest.raises(JobError, match=f"“{name.replace('_', ' ')}” needs a model with auxiliary tasks.*“floods”"):
        checks.check_map(map_job(name, auxiliary=("s1.tif",)), replace(CARD, auxiliary=()))


def test_outputs_that_a_model_cannot_give():
    with pytest.raises(JobError, match=r"“floods” has no calibrated error probability.*leave this output out"):
        checks.check_map(map_job("error_probability"), replace(CARD, error_models={}))
    canceled = replace(CARD, error_models={}, training={"ended": "canceled"})
    with pytest.raises(JobError, match=r"error probability \(its training was canceled\); train it to its end, or"):
        checks.check_map(map_job("error_probability"), canceled)
    regression = replace(CARD, main=MainTask("regression", "height"))
    with pytest.raises(JobError, match="“probability” exists for classes only"):
        checks.check_map(map_job("probability"), regression)
    checks.check_map(map_job("map", "uncertainty"), regression)


def test_parts_of_another_process_stay(tmp_path):
    job = map_job(output_map=str(tmp_path / "map.tif"), inputs=(str(tmp_path / "a.tif"),))
    others = [".map.41.part.tif", ".notes.42.partner.md", "map.tif", "x.42.part.tif"]
    for name in (*others, ".map.42.part.tif", ".map.42.part.tif.aux.xml", ".map.42.part.gpkg-journal"):
        (tmp_path / name).write_text("")
    jobs.remove_parts(job, 42)
    assert sorted(p.name for p in tmp_path.iterdir()) == others
