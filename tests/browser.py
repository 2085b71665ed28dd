"""A Jupyter server of the tests' own and Debian's Chromium to look at it with."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import BIN
from postgresql import free_port

CHROMIUM = Path("/usr/bin/chromium")
# As root there is no sandbox to have; the others keep it quiet and off the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def page() -> Iterator[Any]:
    """A page of a headless browser; skips where there is none."""
    if not CHROMIUM.is_file():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            opened = browser.new_page(viewport={"width": 1200, "height": 800})
            opened.set_default_timeout(90_000)
            yield opened
        finally:
            browser.close()


@contextmanager
def jupyter(kind: str, root: Path, home: Path) -> Iterator[str]:
    """The address of ``jupyter server`` or ``jupyter lab`` over ``root``, with its own files under ``home``."""
    port = free_port()
    command = [str(BIN / "jupyter"), kind, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--PasswordIdentityProvider.hashed_password="]
    command += [f"--ServerApp.root_dir={root}"]
    # nbgrader switches its own extension on; nothing of the person who runs the tests counts.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "AUTOGRADER"))}
    environment |= {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment |= {"PATH": f"{BIN}{os.pathsep}{environment['PATH']}", "IPYTHONDIR": str(home / "ipython")}
    exchange = home / "exchange"
    exchange.mkdir(parents=True)
    exchange.chmod(0o777)
    environment["AUTOGRADER_EXCHANGE"] = str(exchange)
    with (home / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(f"http://127.0.0.1:{port}/api", server, home / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.4)
    raise AssertionError(log.read_text(encoding="utf-8"))
