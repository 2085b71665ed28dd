"""A PostgreSQL server of the tests' own, on a free port of this machine; Debian's package, in a temporary folder."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of a database of a running server, with a password in it; skips where there is no PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # The server refuses to be root, and its user must be able to reach the folder: pytest's own is closed to others.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    folder.chmod(0o755)
    password = folder / "password"
    password.write_text("s3cret-word\n", encoding="utf-8")
    if user:
        for path in (folder, password):
            shutil.chown(path, "postgres")
    port, binaries, data = free_port(), found[-1].parent, folder / "data"

    def run(*command: str) -> None:
        log = folder / "log"
        done = subprocess.run([*user, *command], cwd=folder, text=True, capture_output=True, timeout=180, check=False)
        assert done.returncode == 0, (command, done.stderr, log.read_text() if log.exists() else "")

    try:
        run(str(binaries / "initdb"), "-D", str(data), "-U", "course", "-A", "scram-sha-256", f"--pwfile={password}")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        # With the server's output in a file, or the command would wait for the server to close its pipe.
        run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://course:s3cret-word@127.0.0.1:{port}/postgres"
        finally:
            run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str, name: str) -> str:
    """The URL of a new, empty database on the server."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return url.rsplit("/", 1)[0] + f"/{name}"
