"""Reads Moodle's grading worksheet: the one place where Moodle says when a submission came, and whose a number is.

Moodle gives it as a CSV file beside the submissions (Download grading worksheet).
"""

import csv
import io
import re
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path

from autograder.collecting.times import About, parse_clock
from autograder.errors import CourseError

IDENTIFIER, SUBMITTED = "Identifier", "Last modified (submission)"


def read_worksheet(file: Path, zone: tzinfo) -> Mapping[str, About]:
    """What Moodle says about each participant's number; numbers belong to one assignment alone.

    Raises:
        CourseError: the file is no such worksheet, or one in another language.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CourseError(file, "the file", f"unreadable ({error.strerror})", "Moodle's grading worksheet") from None
    except UnicodeDecodeError:
        raise CourseError(file, "the file", "not UTF-8", "Moodle's grading worksheet as it was downloaded") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    columns = set(rows.fieldnames or ())
    for column in (IDENTIFIER, SUBMITTED):
        if column not in columns:
            allowed = "Moodle's grading worksheet, downloaded with Moodle in English"
            raise CourseError(file, "line 1", f"without a column {column}", allowed)
    told = {}
    for row in rows:
        number = re.search(r"\d+\Z", (row[IDENTIFIER] or "").strip())
        if number:
            ids = tuple(word for column in ("ID number", "Email address") if (word := (row.get(column) or "").strip()))
            name = (row.get("Full name") or "").strip()
            told[number[0]] = About((name,) if name else (), ids, parse_clock((row[SUBMITTED] or "").strip(), zone))
    return told
