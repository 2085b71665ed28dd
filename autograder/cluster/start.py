"""Connects to a cluster that runs, or starts the one that the course names."""

import importlib
import inspect
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from autograder.classroom.grade import Judges, Manner
from autograder.cluster.addresses import is_encrypted, is_open
from autograder.cluster.certificates import CERTIFICATE, KEY
from autograder.cluster.deal import Dealer, Say
from autograder.cluster.errors import ClusterError
from autograder.cluster.pack import packed
from autograder.course import COURSE_FILE, Course

# What `--cluster` is given for the cluster that the course names.
START = "start"
LOCAL = "local"
SECONDS_TO_CONNECT = 10


@contextmanager
def cluster_judges(course: Course, name: str, manner: Manner, where: str, say: Say) -> Iterator[Judges]:
    """Whoever judges an assignment on a cluster.

    Args:
        course, name: the assignment.
        manner: how it is judged.
        where: the scheduler's address, or `START`.
        say: takes a sentence for the person who grades.
    Raises:
        ClusterError: the cluster cannot be used, or is lost while it judges.
    """
    try:
        from distributed import Client

        from autograder.cluster.dask import DaskCarrier, silence
    except ImportError:
        raise ClusterError(
            "--cluster needs Dask, which is not installed here: `pip install 'deep-learning-by-hand[cluster]'`."
        ) from None
    silence()
    security = _security(course)
    if where != START:
        refuse_open(course, where, security is not None)
    with ExitStack() as stack, warnings.catch_warnings():
        # Whether versions agree is looked at for each worker.
        warnings.simplefilter("ignore")
        target = stack.enter_context(_started(course, security)) if where == START else where
        options = {} if security is None or where == START else {"security": security}
        try:
            client = stack.enter_context(Client(target, timeout=SECONDS_TO_CONNECT, set_as_default=False, **options))
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(f"No scheduler answers at {where} ({error or type(error).__name__}).") from None
        if is_open(client.scheduler.address):
            raise ClusterError(_open(course, client.scheduler.address))
        if client.dashboard_link:
            say(f"Dashboard: {client.dashboard_link}")
        carrier = DaskCarrier(client, packed(course, name, manner))
        stack.callback(carrier.close)
        yield Dealer(course, name, carrier, say)


def refuse_open(course: Course, address: str, has_certificates: bool) -> None:
    """Raises `ClusterError` for an address to which hidden checks would go unencrypted, or without a certificate."""
    if "://" not in address:
        raise ClusterError(f"--cluster is {address}; allowed is tls://HOST:PORT, tcp://127.0.0.1:PORT or {START}.")
    if is_open(address):
        raise ClusterError(_open(course, address))
    if is_encrypted(address) and not has_certificates and not address.startswith("gateway:"):
        raise ClusterError(
            f"{address} is encrypted, and {certificates_folder(course)} does not hold {CERTIFICATE} and {KEY}: put "
            f"there those that its scheduler was started with, or name their folder in {COURSE_FILE} "
            "(cluster.certificates)."
        )


def certificates_folder(course: Course) -> Path:
    """Where the certificate of the course's cluster stands."""
    return course.root / course.cluster.certificates


def _open(course: Course, address: str) -> str:
    return (
        f"{address} is another machine, and what is sent there is not encrypted: run `autograder cluster certificates "
        f"{course.cluster.certificates}`, start scheduler and workers with what it makes, and give tls://HOST:PORT."
    )


def _security(course: Course) -> Any:
    """Dask's way to say which certificates count; None where the course has none."""
    from distributed import Security

    folder = certificates_folder(course)
    certificate, key = str(folder / CERTIFICATE), str(folder / KEY)
    if not (Path(certificate).is_file() and Path(key).is_file()):
        return None
    roles = ("client", "scheduler", "worker")
    files = {f"tls_{role}_cert": certificate for role in roles} | {f"tls_{role}_key": key for role in roles}
    return Security(tls_ca_file=certificate, require_encryption=True, **files)


@contextmanager
def _started(course: Course, security: Any) -> Iterator[Any]:
    """The cluster that the course names; it ends after the block."""
    settings = course.cluster
    arguments = dict(settings.arguments)
    if settings.class_ == LOCAL:
        # No limit on memory: Dask would write results to a disk near it. Submissions have their own.
        arguments = {"threads_per_worker": 1, "memory_limit": 0, "n_workers": settings.workers} | arguments
        kind = _class(course, "distributed.LocalCluster")
    else:
        kind = _class(course, settings.class_)
    if security is not None and "security" in inspect.signature(kind).parameters:
        arguments.setdefault("security", security)
    try:
        cluster = kind(**arguments)
    except Exception as error:  # a class of any kind: what it has to say, it says in an exception
        why = f"{type(error).__name__}: {error}"
        raise ClusterError(f"{settings.class_} did not start with cluster.arguments ({why}).") from None
    with cluster:
        if settings.class_ != LOCAL and settings.workers is not None:
            cluster.scale(settings.workers)
        yield cluster


def _class(course: Course, dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ClusterError(
            f"In {course.root / COURSE_FILE}, cluster.class is {dotted}, which cannot be imported here ({error})."
        ) from None
