"""The client in the plugin with the real engine process."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from auxlens.engine import jobs
from auxlens.plugin import client, interpreter

ROOT = Path(__file__).resolve().parents[2]
SCRIPTED = str(Path(__file__).with_name("scripted_engine.py"))


class Feedback:
    """What a ``QgsProcessingFeedback`` does for a job, without QGIS; ``at_text`` is called with progress texts."""

    def __init__(self, at_text=lambda text: None):
        self.canceled_at = None
        self.at_text = at_text
        self.texts, self.infos, self.warnings, self.details, self.percents = [], [], [], [], []
        self.pushInfo = self.infos.append
        self.pushWarning = self.warnings.append
        self.pushDebugInfo = self.details.append
        self.setProgress = self.percents.append

    def setProgressText(self, text):
        self.texts.append(text)
        self.at_text(text)

    def isCanceled(self):
        return self.canceled_at is not None

    def cancel(self, *_):
        self.canceled_at = time.monotonic()


@pytest.fixture(autouse=True)
def _own_engine(monkeypatch):
    monkeypatch.setenv(interpreter.VARIABLE, sys.executable)
    client.configure(interpreter.find)
    yield
    client.shutdown()


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr(client.Engine.__init__, "__defaults__", (SCRIPTED,))


def small(folder):
    return jobs.DemoJob(str(folder), scenes=1, size_px=64)


def large(folder):
    return jobs.DemoJob(str(folder), scenes=50, size_px=1024)


def test_the_engine_stays_warm(tmp_path):
    feedback = Feedback()
    result = client.run_job(small(tmp_path / "a"), feedback)
    assert result["outputs"] == {"folder": str(tmp_path / "a")}
    assert (tmp_path / "a" / "scene_01" / "label.tif").is_file()
    assert feedback.percents[-1] == 100.0
    assert feedback.texts
    pid = client._engine.pid
    begin = time.monotonic()
    client.run_job(small(tmp_path / "b"), Feedback())
    assert client._engine.pid == pid
    assert time.monotonic() - begin < 5


def test_variables_of_qgis_do_not_reach_the_engine(tmp_path, monkeypatch, scripted):
    monkeypatch.setenv("PROJ_DATA", "/nowhere")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    assert client.run_job(small(tmp_path / "chatter"), Feedback())["figures"]["seen"] is None


def test_errors_keep_their_class_and_message(tmp_path):
    with pytest.raises(jobs.JobError, match="found 0"):
        client.run_job(jobs.DemoJob(str(tmp_path), scenes=0), Feedback())


def test_cancel_is_asked_for_and_the_engine_stays(tmp_path):
    client.run_job(small(tmp_path / "a"), Feedback())
    pid = client._engine.pid
    feedback = Feedback()
    feedback.at_text = feedback.cancel
    with pytest.raises(jobs.Canceled):
        client.run_job(jobs.DemoJob(str(tmp_path / "b"), scenes=50, size_px=128), feedback)
    assert time.monotonic() - feedback.canceled_at < 2.0
    assert client._engine.alive
    assert client._engine.pid == pid


def test_a_deaf_job_is_killed_within_two_seconds(tmp_path, scripted):
    feedback = Feedback()
    feedback.at_text = feedback.cancel
    folder = tmp_path / "deaf"
    with pytest.raises(jobs.Canceled):
        client.run_job(small(folder), feedback)
    assert time.monotonic() - feedback.canceled_at < 2.0
    assert list(folder.iterdir()) == []
    assert client.run_job(small(tmp_path / "chatter"), Feedback())["outputs"]


def test_a_training_has_time_to_keep_its_weights(tmp_path, scripted):
    feedback = Feedback()
    feedback.at_text = feedback.cancel
    model = tmp_path / "reluctant.safetensors"
    with pytest.raises(jobs.Canceled, match="best weights so far are kept"):
        client.run_job(jobs.TrainJob(str(model)), feedback)
    assert model.exists()
    assert client._engine.alive


@pytest.fixture
def start(scripted):
    """Starts a job in a thread; gives the thread, the feedback and the list that what it raises will be in."""

    def begin(folder):
        feedback, told, ended = Feedback(), threading.Event(), []
        feedback.at_text = lambda text: told.set()

        def work():
            try:
                client.run_job(small(folder), feedback)
            except jobs.AuxLensError as error:
                ended.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        assert told.wait(20)
        return thread, feedback, ended

    return begin


def test_shutdown_in_the_middle_of_a_job_leaves_nothing(tmp_path, start):
    thread, _, ended = start(tmp_path / "deaf")
    engine = client._engine
    client.shutdown()
    thread.join(5)
    assert not engine.alive
    assert list((tmp_path / "deaf").iterdir()) == []
    assert [type(error) for error in ended] == [jobs.Canceled]


def test_a_job_that_waits_at_shutdown_starts_no_engine(tmp_path, start):
    running, _, _ = start(tmp_path / "deaf")
    waiting, feedback, ended = start(tmp_path / "chatter")
    assert "Waiting" in feedback.texts[0]
    client.shutdown()
    for thread in (running, waiting):
        thread.join(5)
        assert not thread.is_alive()
    assert [type(error) for error in ended] == [jobs.Canceled]
    assert client._engine is None
    with pytest.raises(jobs.Canceled, match="unloaded"):
        client.run_job(small(tmp_path / "chatter"), Feedback())
    client.configure(interpreter.find)  # as when the plugin is loaded again
    assert client.run_job(small(tmp_path / "chatter"), Feedback())["outputs"]


def test_at_rest_no_engine_runs_and_jobs_wait(tmp_path, start):
    client.run_job(small(tmp_path / "chatter"), Feedback())
    engine = client._engine
    with client.at_rest(Feedback()):
        assert not engine.alive
        thread, feedback, ended = start(tmp_path / "chatter")
        assert "Waiting" in feedback.texts[0]
        assert client._engine is None
    thread.join(20)
    assert not thread.is_alive() and not ended
    assert client._engine.alive


def test_rest_waits_for_the_job_that_runs(tmp_path, start):
    thread, running, _ = start(tmp_path / "deaf")
    feedback = Feedback()
    feedback.pushInfo = feedback.cancel
    with pytest.raises(jobs.Canceled), client.at_rest(feedback):
        pass
    assert client._engine.alive and thread.is_alive()
    running.cancel()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_leftovers_are_found_where_python_only_starts_another(tmp_path, monkeypatch, scripted):
    launcher = tmp_path / "python"  # as an environment's python.exe on Windows
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n')
    launcher.chmod(0o755)
    monkeypatch.setenv(interpreter.VARIABLE, str(launcher))
    feedback = Feedback()
    feedback.at_text = feedback.cancel
    folder = tmp_path / "deaf"
    with pytest.raises(jobs.Canceled):
        client.run_job(small(folder), feedback)
    assert client._engine.pid != client._engine._process.pid
    assert list(folder.iterdir()) == []


def test_leftovers_that_are_held_back_for_a_moment_go(tmp_path, monkeypatch, scripted):
    remove, tried = os.remove, []

    def held_back(path):  # as on Windows, whose files outlive the process that had them open
        tried.append(path)
        if len(tried) < 4:
            raise PermissionError(path)
        remove(path)

    monkeypatch.setattr(os, "remove", held_back)
    feedback = Feedback()
    feedback.at_text = feedback.cancel
    with pytest.raises(jobs.Canceled):
        client.run_job(small(tmp_path / "deaf"), feedback)
    assert list((tmp_path / "deaf").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_in_the_middle_says_so_and_the_next_job_runs(tmp_path):
    feedback = Feedback(lambda text: os.kill(client._engine.pid, signal.SIGKILL))
    with pytest.raises(jobs.EngineError, match=r"out of memory.*run again"):
        client.run_job(large(tmp_path / "a"), feedback)
    assert list(tmp_path.rglob(".*.part*")) == []
    assert client.run_job(small(tmp_path / "b"), Feedback())["outputs"]


def test_an_engine_that_leaves_says_its_exit_code_and_last_words(tmp_path, scripted):
    with pytest.raises(jobs.EngineError, match=r"exit code 7.*libfoo: assertion failed.*Run again"):
        client.run_job(small(tmp_path / "leaves"), Feedback())


def test_a_fault_is_told_without_its_traceback(tmp_path, scripted):
    feedback = Feedback()
    with pytest.raises(jobs.EngineError, match=r"KeyError.*please report") as caught:
        client.run_job(small(tmp_path / "breaks"), feedback)
    assert "Traceback" not in str(caught.value)
    assert "Traceback" in feedback.details[0]


def test_a_lacking_package_is_named_with_the_remedy(tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    client.configure(lambda: interpreter.find(str(bare)))
    try:
        with pytest.raises(jobs.EngineError, match=r"lacks the package “\w+”; set up the engine again"):
            client.run_job(small(tmp_path / "a"), Feedback())
    finally:
        client.configure(interpreter.find)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_an_interpreter_that_is_none_is_an_engine_error(tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho I am no Python >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv(interpreter.VARIABLE, str(fake))
    with pytest.raises(jobs.EngineError, match=r"exit code 3.*I am no Python.*set up the engine"):
        client.run_job(small(tmp_path), Feedback())
    fake.write_text("#!/nowhere/python\n")
    with pytest.raises(jobs.EngineError, match="cannot be started"):
        client.run_job(small(tmp_path), Feedback())


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_silence_is_told_and_a_stopped_engine_can_be_canceled(tmp_path, monkeypatch):
    def stop(_text):
        os.kill(client._engine.pid, signal.SIGSTOP)
        monkeypatch.setattr(client, "SILENCE_S", 0.5)

    feedback = Feedback(stop)
    feedback.pushWarning = lambda text: (feedback.warnings.append(text), feedback.cancel())
    with pytest.raises(jobs.Canceled):
        client.run_job(large(tmp_path / "a"), feedback)
    assert "said nothing" in feedback.warnings[0]
    assert time.monotonic() - feedback.canceled_at < 2.0
    assert not client._engine.alive


def test_a_second_caller_waits_and_can_cancel(tmp_path, scripted):
    first, second = Feedback(), Feedback()
    running = threading.Event()
    first.at_text = lambda text: running.set()

    def occupy():
        with pytest.raises(jobs.Canceled):
            client.run_job(small(tmp_path / "deaf"), first)

    thread = threading.Thread(target=occupy)
    thread.start()
    assert running.wait(20)
    second.at_text = second.cancel
    with pytest.raises(jobs.Canceled):
        client.run_job(small(tmp_path / "chatter"), second)
    assert "Waiting" in second.texts[0]
    first.cancel()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_engine_ends_when_qgis_crashes(tmp_path):
    program = textwrap.dedent(f"""
        import sys, threading
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import scripted_engine, importlib.util
        spec = importlib.util.spec_from_file_location("start", {str(ROOT / "engine" / "start.py")!r})
        start = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(start)
        start.register(scripted_engine.ROOT)
        from auxlens.plugin import client
        from auxlens.engine import jobs
        class Feedback:
            isCanceled = staticmethod(lambda: False)
            setProgress = staticmethod(lambda percent: None)
            setProgressText = staticmethod(lambda text: print(client._engine.pid, flush=True))
        client.run_job(jobs.DemoJob({str(tmp_path / "deaf")!r}), Feedback())
        """).replace("import client\n", f"import client\nclient.Engine.__init__.__defaults__ = ({SCRIPTED!r},)\n")
    qgis = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(qgis.stdout.readline())
        os.kill(pid, 0)
    finally:
        qgis.kill()
        qgis.wait()
        qgis.stdout.close()
    ended = time.monotonic() + 3.0
    while time.monotonic() < ended and _runs(pid):
        time.sleep(0.05)
    assert not _runs(pid)
    assert list((tmp_path / "deaf").iterdir()) == []


def _runs(pid):
    status = Path(f"/proc/{pid}/status")
    try:
        return not re.search(r"^State:\s+Z", status.read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False
