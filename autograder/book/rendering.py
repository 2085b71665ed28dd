"""Has Sphinx make HTML of pages in MyST Markdown."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from autograder.book.errors import BookError

CONFIGURATION = Path(__file__).parent
PAGES, HTML, READ = "pages", "html", "read"
WARNINGS_SHOWN = 5


def render(pages: Mapping[str, bytes], out: Path, title: str, jobs: int) -> Path:
    """Makes a site; of pages that are as they were the last time only what others say of them is made again.

    Args:
        pages: every source by its path, ``index.md`` among them.
        out: the folder for sources, site, and what Sphinx keeps for the next time.
        title: of the site.
        jobs: processes at a time.
    Returns:
        The folder of the site.
    Raises:
        BookError: Sphinx warns of something.
    """
    site = out / HTML
    if _paths(out / PAGES) != set(pages):
        # Nothing of a page that is gone may stay.
        _forget(out)
    for path, content in pages.items():
        _put(out / PAGES / path, content)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", str(jobs)]
    command += ["-c", str(CONFIGURATION), "-d", str(out / READ), "-D", f"project={title}", "-D", f"html_title={title}"]
    done = subprocess.run(
        [*command, str(out / PAGES), str(site)],
        env={**os.environ, "NO_COLOR": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        # Sphinx warns of a page when it reads it; kept, it would be silent the next time.
        _forget(out)
        raise BookError(_warnings(done.stderr, out / PAGES))
    return site


def _paths(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _forget(out: Path) -> None:
    for folder in (PAGES, HTML, READ):
        shutil.rmtree(out / folder, ignore_errors=True)


def _put(path: Path, content: bytes) -> None:
    """Writes a file unless it is the same already: Sphinx goes by the time of change."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _warnings(said: str, pages: Path) -> str:
    lines = [line for line in said.replace(f"{pages}/", "").splitlines() if "WARNING" in line or "ERROR" in line]
    more = [f"and {len(lines) - WARNINGS_SHOWN} more"] if len(lines) > WARNINGS_SHOWN else []
    return "The book's pages have faults:\n" + "\n".join([*(lines[:WARNINGS_SHOWN] or [said.strip()]), *more])
