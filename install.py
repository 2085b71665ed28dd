"""Creates .venv and installs the course in it, with uv, or with pip where uv cannot. `make install` runs it.

Needs nothing but Python. Where uv is not at hand pip installs it first, which takes seconds and saves a minute. uv is
told what pip is configured to do, so both ask the same index.
"""

import ast
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHON = ROOT / ".venv" / "bin" / "python"
LOCK = ROOT / "requirements.lock"
PIP = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-warn-script-location"]
SILENCE = 10.0
# pip's options, what uv calls them in the environment, and what stands between several values there.
OPTIONS = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", ""),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", ""),
    "client-cert": ("SSL_CLIENT_CERT", ""),
    "proxy": ("ALL_PROXY", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
}
# Where pip reads an option; the later one counts.
SECTIONS = ("global", "install", ":env:")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may run this file
        sys.exit(f"This is Python {sys.version.split()[0]}; needed is 3.11 or later: make PYTHON=python3.11 install")
    venv = [sys.executable, "-m", "venv", str(PYTHON.parent.parent)]
    if not PYTHON.is_file() and not run("create .venv", venv):
        sys.exit(f"{sys.executable} could not create .venv: its message stands above.")
    installer = Installer()
    # torch goes first: it is the largest download, and the rest must agree with it.
    torch = locked("torch")
    installer.install(torch, [torch, "-c", str(LOCK)])
    installer.install("everything else", ["-r", str(LOCK)])
    installer.install("the course", ["--no-deps", "--no-build-isolation", "-e", str(ROOT)])


class Installer:
    """Installs with uv until it fails once, and with pip from then on."""

    def __init__(self) -> None:
        self._uv = find_uv() or get_uv()
        listed = subprocess.run(
            [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        ).stdout
        self._environment = {**uv_environment(listed), **os.environ}

    def install(self, what: str, arguments: Sequence[str]) -> None:
        if self._uv:
            # Processes behind the wall write nothing, so what is not compiled now they would compile at each start.
            options = ["--quiet", "--compile-bytecode", "--python", str(PYTHON)]
            command = [*self._uv, "pip", "install", *options, *arguments]
            if run(f"install {what} with uv", command, self._environment):
                return
            say("uv could not install it; pip goes on.")
            self._uv = []
        if not run(f"install {what} with pip", [*PIP, *arguments]):
            sys.exit(f"pip could not install {what}: its message stands above.")


def find_uv() -> list[str]:
    """The command that starts uv: the program, or a module of this Python or of .venv; nothing where there is none."""
    if program := shutil.which("uv"):
        return [program]
    for python in (sys.executable, str(PYTHON)):
        if subprocess.run([python, "-m", "uv", "--version"], capture_output=True, check=False).returncode == 0:
            return [python, "-m", "uv"]
    return []


def get_uv() -> list[str]:
    """Installs uv in .venv, unless it would have to be compiled, and returns the command that starts it."""
    uv = locked("uv")
    if run(f"install {uv} with pip", [*PIP, "--only-binary", "uv", uv]):
        return find_uv()
    say("pip could not install uv; it installs everything itself.")
    return []


def locked(package: str) -> str:
    """The package with its version in the lock."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{package}=="))


def uv_environment(listed: str) -> dict[str, str]:
    """What `pip config list` says, as uv reads it from the environment."""
    known: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in known and value:
            known[section][option] = ast.literal_eval(value)
    options = {option: value for section in SECTIONS for option, value in known[section].items()}
    # pip takes the best version of all places; uv would look no further than the first that has any.
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for option, (variable, between) in OPTIONS.items():
        if option in options:
            value = options[option]
            environment[variable] = between.join(value.split()) if between else value
    return environment


def run(what: str, command: Sequence[str], environment: dict[str, str] | None = None) -> bool:
    """Runs a command, says what it does and that it still does, and whether it succeeded."""
    began = time.monotonic()
    say(what)
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        while True:
            try:
                return process.wait(SILENCE) == 0
            except subprocess.TimeoutExpired:
                say(f"{what}: {time.monotonic() - began:.0f} s")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


if __name__ == "__main__":
    main()
