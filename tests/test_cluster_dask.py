"""Grading on a real Dask cluster: a scheduler and workers as processes of this machine, which share no folder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import BIN, ROOT
from test_cluster import KILLS, NAME, hand_in, is_there, wait_until

from autograder.cluster.certificates import make_certificates
from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment

pytest.importorskip("distributed", reason="Dask is not installed: the extra `cluster`")


class Cluster:
    """A scheduler and workers with TLS, each in an empty folder of its own."""

    def __init__(self, course: Course, folder: Path) -> None:
        certificate, _ = make_certificates(course.root / course.cluster.certificates)
        # The workers do not know the course's folder, so they have a copy.
        self._folder, self._certificates = folder, folder / "certificates"
        shutil.copytree(certificate.parent, self._certificates)
        self.address = f"tls://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start(
            "scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", port, "--no-dashboard"
        )
        self.workers: list[subprocess.Popen] = []

    def add_worker(self, **environment: str) -> subprocess.Popen:
        options = ("--nthreads", "1", "--memory-limit", "0", "--protocol", "tls", "--no-nanny", "--no-dashboard")
        self.workers.append(self._start("worker", self.address, *options, **environment))
        return self.workers[-1]

    def end(self) -> None:
        # The scheduler last: a worker whose scheduler goes at the same moment may wait for it for ever.
        for processes in (self.workers, [self.scheduler]):
            for process in processes:
                process.terminate()
            for process in processes:
                _wait_or_kill(process)

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen:
        own = self._folder / f"{what}-{len(list(self._folder.iterdir()))}"
        own.mkdir(parents=True)
        tls = ("--tls-ca-file", "cert.pem", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
        files = [part if part.startswith("--") else str(self._certificates / part) for part in tls]
        with (own / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + what, *options, *files],
                cwd=own,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8") for path in sorted(self._folder.glob("*/log")))


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture(scope="module")
def released(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course, released, with a class of four that has handed in."""
    root = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assignment = load_assignment(course, NAME)
    for made in make_class(assignment, source_notebook(course, assignment))[:4]:
        hand_in(course, made.student, made.text)
    subprocess.run([str(BIN / "nbgrader"), "generate_assignment", NAME], cwd=root, check=True, capture_output=True)
    return course


@pytest.fixture
def course(released: Course, tmp_path: Path) -> Course:
    shutil.copytree(released.root, tmp_path / "course")
    return load_course(tmp_path / "course")


@pytest.fixture
def cluster(course: Course, tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    with ExitStack() as stack:
        made = Cluster(course, tmp_path / "cluster")
        stack.callback(made.end)
        yield made


def grade(course: Course, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "autograder"), "grade", NAME, *options]
    return subprocess.run(command, cwd=course.root, text=True, capture_output=True, check=False, timeout=300)


def scores(course: Course) -> dict[str, float | None]:
    lines = (course.private_dir / "results" / f"{NAME}.jsonl").read_text("utf-8").splitlines()
    records = map(json.loads, lines)
    return {record["student"]: record["result"] and record["result"]["score"] for record in records}


def test_a_cluster_gives_the_scores_that_jobs_give(course: Course, cluster: Cluster):
    alone = grade(course, "--jobs", "1")
    assert alone.returncode == 0, alone.stderr
    expected = scores(course)
    workers = [cluster.add_worker(), cluster.add_worker()]
    done = grade(course, "--force", "--cluster", cluster.address)
    assert done.returncode == 0, done.stderr + cluster.logs()
    assert done.stdout.startswith("4 judged, 0 unchanged") and scores(course) == expected
    assert "2 workers with 2 threads" in done.stderr and "Traceback" not in done.stderr
    seats = [
        int(pid) for one in workers for pid in Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
    ]
    for worker in workers:
        worker.terminate()
        worker.wait()
    wait_until(lambda: not any(map(is_there, seats)))
    assert "still alive" not in cluster.logs()


def test_a_poison_costs_itself_alone(course: Course, cluster: Cluster):
    hand_in(course, "aaron", KILLS.format(whom="os.getppid()"), ".py")
    for _ in range(3):
        cluster.add_worker()
    done = grade(course, "--cluster", cluster.address, "--trust-submissions")
    assert done.returncode == 1, done.stderr
    assert "4 judged" in done.stdout and "not judged  aaron  2 workers were lost" in done.stdout
    assert sum(worker.poll() is not None for worker in cluster.workers) == 2


def test_a_worker_of_another_source_is_left_out_and_the_others_go_on(course: Course, cluster: Cluster, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "autograder", other / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "autograder" / "more.py").write_text("", encoding="utf-8")
    cluster.add_worker(PYTHONPATH=str(other))
    cluster.add_worker()
    done = grade(course, "--cluster", cluster.address)
    assert done.returncode == 0, done.stderr
    assert "is left out, for its autograder's source is" in done.stderr and done.stdout.startswith("4 judged")


def test_a_lost_scheduler_is_one_sentence_and_the_next_run_goes_on(course: Course, cluster: Cluster):
    cluster.add_worker()
    command = [str(BIN / "autograder"), "grade", NAME, "--cluster", cluster.address]
    grading = subprocess.Popen(command, cwd=course.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    results = course.private_dir / "results" / NAME
    while grading.poll() is None and not list(results.glob("*.json")):
        time.sleep(0.01)
    cluster.scheduler.send_signal(signal.SIGKILL)
    _, said = grading.communicate(timeout=120)
    assert grading.returncode == 1 and "does not answer any more. What was judged is kept" in said
    assert "Traceback" not in said
    kept = len(list(results.glob("*.json")))
    assert grade(course, "--jobs", "1").stdout.startswith(f"{4 - kept} judged, {kept} unchanged")


def test_the_cluster_that_the_course_names_is_started_and_ended(course: Course):
    with (course.root / "course.toml").open("a", encoding="utf-8") as file:
        file.write('\n[cluster]\nclass = "local"\nworkers = 2\narguments = { dashboard_address = ":0" }\n')
    make_certificates(course.root / "private" / "cluster")
    done = grade(course, "--cluster", "start")
    assert done.returncode == 0 and done.stdout.startswith("4 judged"), done.stderr
    assert "Dashboard: http" in done.stderr and "still alive" not in done.stderr


def test_where_nobody_answers_the_address_is_named(course: Course):
    done = grade(course, "--cluster", f"tcp://127.0.0.1:{free_port()}")
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("No scheduler answers at tcp://127.0.0.1:")
