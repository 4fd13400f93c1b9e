"""The worker process and its protocol, without the client."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auxlens.engine import worker

ROOT = Path(__file__).resolve().parents[2]
START = ROOT / "engine" / "start.py"
SCRIPTED = Path(__file__).with_name("scripted_engine.py")


def no_constant(word):
    raise AssertionError(f"{word} is no JSON")


class Talk:
    """Both ends of a worker's pipes."""

    def __init__(self, script):
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def say(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def run(self, name, folder, **fields):
        self.say(type="run", id=name, job={"job": "createdemo", "output_folder": str(folder), **fields})

    def hear(self):
        return json.loads(self.process.stdout.readline(), parse_constant=no_constant)

    def until(self, *kinds):
        """Every message up to one of ``kinds``."""
        heard = [self.hear()]
        while heard[-1]["type"] not in kinds:
            heard.append(self.hear())
        return heard


@pytest.fixture
def talk():
    talks = []

    def start(script=START):
        talks.append(Talk(script))
        return talks[-1]

    yield start
    for one in talks:
        one.process.kill()
        one.process.wait()
        one.process.stdin.close()
        one.process.stdout.close()


def test_says_ready_before_anything_is_imported(talk):
    begin = time.monotonic()
    engine = talk()
    ready = engine.hear()
    assert time.monotonic() - begin < 4  # importing torch takes longer where a machine is slow
    assert ready["type"] == "ready"
    assert ready["pid"] == engine.process.pid
    assert ready["python"] == sys.executable
    assert f"version={ready['version']}\n" in (ROOT / "metadata.txt").read_text(encoding="utf-8")


def test_runs_jobs_one_after_the_other(talk, tmp_path):
    engine = talk()
    engine.run("a", tmp_path / "a", scenes=1, size_px=64)
    engine.run("b", tmp_path / "b", scenes=1, size_px=64)
    results = [engine.until("result", "error")[-1] for _ in range(2)]
    assert [(r["type"], r["id"], r["result"]["outputs"]["folder"]) for r in results] == [
        ("result", "a", str(tmp_path / "a")),
        ("result", "b", str(tmp_path / "b")),
    ]
    assert (tmp_path / "b" / "scene_01" / "s2.tif").is_file()


def test_shutdown_ends_it(talk):
    engine = talk()
    engine.hear()
    engine.say(type="shutdown")
    assert engine.process.wait(3) == 0


def test_a_job_that_is_none_is_an_error_and_it_lives_on(talk, tmp_path):
    engine = talk()
    engine.say(type="run", id="1", job={"job": "paint"})
    error = engine.until("error")[-1]
    assert (error["kind"], error["id"]) == ("JobError", "1")
    assert "paint" in error["message"]
    engine.process.stdin.write(b"no json\n")
    engine.process.stdin.flush()
    assert "did not understand" in engine.until("warning")[-1]["message"]
    engine.run("2", tmp_path, scenes=1, size_px=64)
    assert engine.until("result")[-1]["id"] == "2"


def test_a_cancel_that_crosses_the_result_is_no_fault(talk, tmp_path):
    engine = talk()
    engine.run("a", tmp_path / "a", scenes=1, size_px=64)
    engine.until("result")
    engine.say(type="cancel", id="a")
    engine.run("b", tmp_path / "b", scenes=1, size_px=64)
    assert "warning" not in [message["type"] for message in engine.until("result", "error")]


def test_end_of_file_leaves_a_training_time_to_keep_its_weights(talk, tmp_path):
    engine = talk(SCRIPTED)
    model = tmp_path / "reluctant.safetensors"
    engine.say(type="run", id="1", job={"job": "train", "output_model": str(model)})
    engine.until("progress")
    engine.process.stdin.close()
    assert engine.process.wait(6) == 0
    assert model.exists()


def test_end_of_file_ends_it_in_the_middle_of_a_job(talk, tmp_path):
    engine = talk(SCRIPTED)
    folder = tmp_path / "deaf"
    engine.run("1", folder)
    engine.until("progress")
    assert list(folder.glob(".*.part*"))
    begin = time.monotonic()
    engine.process.stdin.close()
    engine.process.wait(5)
    assert time.monotonic() - begin < 2.5
    assert list(folder.iterdir()) == []


def test_libraries_cannot_write_into_the_replies(talk, tmp_path):
    engine = talk(SCRIPTED)
    engine.run("1", tmp_path / "chatter")
    assert engine.until("result", "error")[-1]["result"]["outputs"] == {"folder": str(tmp_path / "chatter")}


def test_numbers_that_are_not_finite_are_null(talk, tmp_path):
    engine = talk(SCRIPTED)
    engine.run("1", tmp_path / "undecided")
    *others, result = engine.until("result", "error")
    figures = result["result"]["figures"]
    assert (figures["share"], figures["undefined"]) == (0.5, None)
    assert ("progress", 0.0) in [(message["type"], message.get("fraction")) for message in others]


def test_progress_is_rate_limited_and_the_last_one_is_told(talk, tmp_path):
    engine = talk(SCRIPTED)
    begin = time.monotonic()
    engine.run("1", tmp_path / "eager")
    heard = engine.until("result")
    told = [message for message in heard if message["type"] == "progress"]
    assert 1 <= len(told) <= 2 + (time.monotonic() - begin) / worker.TICK_S
    assert told[-1]["fraction"] == 1.0
    assert told[-1]["message"] == "step 20000"


def test_logs_warnings_and_heartbeats(talk, tmp_path):
    engine = talk(SCRIPTED)
    engine.run("1", tmp_path / "talk")
    heard = [(m["type"], m.get("message")) for m in engine.until("result")]
    assert ("log", "loss 0.50") in heard
    assert ("warning", "few chips") in heard
    assert ("heartbeat", None) in heard


@pytest.mark.parametrize(
    ("behaviour", "kind", "said"),
    [
        ("lacks", "EngineError", "“surely_not_installed”"),
        ("exhausts", "DeviceError", "smaller tile size"),
        ("breaks", "KeyError", "a fault"),
    ],
)
def test_failures_have_a_kind_and_only_faults_a_traceback(talk, tmp_path, behaviour, kind, said):
    engine = talk(SCRIPTED)
    engine.run("1", tmp_path / behaviour)
    error = engine.until("result", "error")[-1]
    assert error["kind"] == kind
    assert said in error["message"]
    assert ("traceback" in error) == (kind == "KeyError")
