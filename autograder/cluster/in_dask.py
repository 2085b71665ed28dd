"""What runs in a Dask worker before it judges. It imports no torch: only the processes that judge need that."""

from collections.abc import Mapping
from typing import Any

from distributed import WorkerPlugin, get_worker

from autograder.cluster import worker as here


def prepare(asked: Mapping[str, str], digest: str, pack: bytes) -> str:
    """Why this worker cannot judge; see `autograder.cluster.worker.prepare`."""
    dask_worker = get_worker()
    if hasattr(dask_worker.data, "evict"):
        return "it writes results to its disk when memory is short; start it with --memory-limit 0"
    dask_worker.loop.add_callback(dask_worker.plugin_add, plugin=Ends(), name="autograder")
    return here.prepare(asked, digest, pack)


class Ends(WorkerPlugin):  # type: ignore[misc]  # it has no types
    """Ends the processes that judge before their worker ends, so that it has nothing to wait for."""

    def teardown(self, worker: Any) -> None:
        here.leave_all()
