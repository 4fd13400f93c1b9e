"""The command line as a person or a script calls it."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from auxlens.engine import cli, jobs, options


def auxlens(*words, text=None):
    command = [sys.executable, "-m", "auxlens.engine.cli", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


def test_help_lists_the_commands():
    done = auxlens("--help")
    assert done.returncode == 0
    for name in (*jobs.JOBS, "run"):
        assert f"• {name}" in done.stdout


@pytest.mark.parametrize("name", jobs.JOBS)
def test_help_explains_every_option(name):
    done = auxlens(name, "--help")
    assert done.returncode == 0
    for option in fields(jobs.JOBS[name]):
        assert f"--{option.name.replace('_', '-')} " in done.stdout
    said = " ".join(done.stdout.replace("│", " ").split())  # choices may go over two lines
    for words in (jobs.TASKS, jobs.STRATEGIES, jobs.SIZES, jobs.PRECISIONS):
        said = re.sub(r"\{" + r",\s*".join(words) + r"\}", "", said)
    said = re.sub(r"\[\{" + r",\s*".join(jobs.MAP_OUTPUTS) + r"\} \[\.\.\.\]\]", "", said)
    assert "{" not in said


@pytest.mark.parametrize("name", jobs.JOBS)
def test_options_become_the_job_itself(name):
    cls = jobs.JOBS[name]
    required = {
        f.name: ("a", "b") if f.name == "inputs" else "a" for f in fields(cls) if f.default is f.default_factory
    }
    job = options.job_of(options.options_of(cls)(**required))
    assert type(job) is cls
    assert job == cls(**required)


def test_a_job_has_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = Path.cwd()
    (there / "a=b.tif").write_bytes(b"")
    elsewhere, url = str(tmp_path.parent / "s2.tif"), "https://a.b/c.tif"
    job = jobs.MapJob(
        model="m/a.safetensors; b.safetensors",
        inputs=("s2.tif", "s2=scene/s2.tif", elsewhere, f"s1={elsewhere}", "a=b.tif", url),
        reference="truth.gpkg|layername=a//b",
        reference_field="class",
        output_map="out/map.tif",
        extent_crs="EPSG:4326",
    )
    s2, b = there / "s2.tif", there / "b.safetensors"
    assert options.absolute(job) == replace(
        job,
        model=f"{there / 'm' / 'a.safetensors'};{b}",
        inputs=(str(s2), f"s2={there / 'scene' / 's2.tif'}", elsewhere, f"s1={elsewhere}", str(there / "a=b.tif"), url),
        reference=f"{there / 'truth.gpkg'}|layername=a//b",
        output_map=str(there / "out" / "map.tif"),
    )
    folder = jobs.MapFolderJob("m", "in", "out", "s2=s2.tif", "s1=../s1.tif", reference_pattern="../label.csv")
    places = {"model": str(there / "m"), "scenes": str(there / "in"), "output_folder": str(there / "out")}
    assert options.absolute(folder) == replace(folder, **places)


@pytest.mark.parametrize("as_file", [False, True])
def test_jobs_come_in_with_absolute_paths(tmp_path, monkeypatch, capsys, as_file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "tune_process", lambda: None)
    monkeypatch.setattr(cli, "run", lambda job, progress: {"outputs": {"map": job.output_map, "model": job.model}})
    words = ["map", "--model", "m", "--inputs", "s2.tif", "--output-map", "map.tif"]
    if as_file:
        Path("job.json").write_text(jobs.to_json(jobs.MapJob("m", ("s2.tif",), output_map="map.tif")), encoding="utf-8")
        words = ["run", "job.json"]
    with pytest.raises(SystemExit, match="0"):
        cli.main([*words, "--json"])
    told = json.loads(capsys.readouterr().out)["outputs"]
    assert told == {"map": str(Path.cwd() / "map.tif"), "model": str(Path.cwd() / "m")}


def test_the_result_is_json_that_every_program_can_read(monkeypatch, capsys):
    figures = {"r2": float("nan"), "slope": np.float32("inf"), "mae": np.float32(0.5), "seconds": 1.25}
    monkeypatch.setattr(cli, "tune_process", lambda: None)
    monkeypatch.setattr(cli, "run", lambda job, progress: {"outputs": {"folder": Path("x")}, "figures": figures})
    with pytest.raises(SystemExit, match="0"):
        cli.main(["createdemo", "--output-folder", "x", "--json"])
    assert capsys.readouterr().out == (
        '{"outputs": {"folder": "x"}, "figures": {"r2": null, "slope": null, "mae": 0.5, "seconds": 1.25}}\n'
    )


def test_makes_demo_scenes_and_tells_the_result(tmp_path):
    done = auxlens("createdemo", "--output-folder", tmp_path / "demo", "--scenes", 1, "--size-px", 64)
    assert done.returncode == 0
    assert f"folder: {tmp_path / 'demo'}" in done.stdout.splitlines()
    assert "100 %" in done.stderr
    assert (tmp_path / "demo" / "scene_01" / "s2.tif").is_file()


@pytest.mark.parametrize("source", ["file", "-"])
def test_runs_a_job_file_and_answers_in_json(tmp_path, source):
    text = jobs.to_json(jobs.DemoJob(str(tmp_path / "demo"), scenes=1, size_px=64))
    (tmp_path / "job.json").write_text(text, encoding="utf-8")
    done = auxlens("--json", "run", tmp_path / "job.json" if source == "file" else "-", text=text)
    assert done.returncode == 0
    assert json.loads(done.stdout)["outputs"] == {"folder": str(tmp_path / "demo")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("createdemo", "--output-folder", "x", "--scenes", "0"), "found 0"),
        (("map", "--model", "gone", "--inputs", "a.tif", "--output-map", "b.tif"), "gone” does not exist"),
        (("run", "gone.json"), "“gone.json” cannot be read"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(words, said):
    done = auxlens(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("auxlens: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_a_job_file_that_is_no_job(tmp_path):
    done = auxlens("run", "-", text='{"job": "paint"}')
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "paint" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_cancels_with_exit_code_130(tmp_path):
    command = [sys.executable, "-m", "auxlens.engine.cli", "createdemo", "--output-folder", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--scenes", "50", "--size-px", "256"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "scene_01" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert rest.strip().splitlines()[-1].startswith("auxlens: Canceled")
    assert list(tmp_path.rglob(".*.part*")) == []
