"""Where in a student's code something happened."""

import linecache
import sysconfig
from pathlib import Path
from types import FrameType, TracebackType

from autograder.sandbox.protocol import Raised

OUR_CODE = str(Path(__file__).resolve().parent.parent)
# On Windows it is called Lib, with nothing of Python's in its path.
STANDARD_LIBRARY = sysconfig.get_path("stdlib")


def describe(error: BaseException) -> Raised:
    """An exception as data, with the student's own line where it happened."""
    bases = tuple(base.__name__ for base in type(error).__mro__)
    place = place_of(error.__traceback__)
    if isinstance(error, ModuleNotFoundError):
        return Raised(type(error).__name__, bases, f"the package `{error.name}` is not installed here", place)
    try:
        message = str(error).strip().splitlines()
    except Exception:
        message = ["its message cannot be read"]
    return Raised(type(error).__name__, bases, message[0][:300] if message else "", place)


def place_of(trace: TracebackType | None) -> str:
    """The student's own line that was running, read from the innermost of the student's frames."""
    found = None
    while trace is not None:
        if is_students(trace.tb_frame.f_code.co_filename):
            found = trace
        trace = trace.tb_next
    if found is None:
        return ""
    number, line = found.tb_lineno, line_of(found.tb_frame, found.tb_lineno)
    return f"line {number}: {line}" if line else f"line {number}"


def line_of(frame: FrameType, number: int) -> str:
    """The text of a line of the code that a frame runs."""
    return linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()


def is_students(filename: str) -> bool:
    # `<string>`: what a check passes in, and methods that `dataclass` makes.
    elsewhere = ("site-packages", "/lib/python", "<frozen ", "<__array_function__ ", "<string>")
    return not filename.startswith((OUR_CODE, STANDARD_LIBRARY)) and not any(part in filename for part in elsewhere)
