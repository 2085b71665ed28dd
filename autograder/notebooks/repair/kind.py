"""What a file is that is handed in as a notebook and is none."""

import ast
import io
import zipfile

MAGIC = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
)
OFFICE = (("word/", "a Word document"), ("xl/", "an Excel table"), ("ppt/", "a PowerPoint file"))


def other_kind(raw: bytes) -> str | None:
    """What the first bytes say that a file is, if that cannot be a notebook."""
    kind = next((kind for magic, kind in MAGIC if raw.startswith(magic)), None)
    return _office(raw) or kind if kind == "a zip archive" else kind


def _office(raw: bytes) -> str | None:
    try:
        names = zipfile.ZipFile(io.BytesIO(raw)).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return next((kind for folder, kind in OFFICE if any(name.startswith(folder) for name in names)), None)


def is_page(text: str) -> bool:
    """Whether a text is an HTML page, such as a notebook's export or a login page that was saved."""
    start = text.lstrip()[:200].lower()
    return start.startswith(("<!doctype html", "<html", "<?xml", "<head", "<body"))


def is_python(text: str) -> bool:
    """Whether a text is a Python program: it parses, and does more than name things."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
    return any(isinstance(statement, kinds) for statement in body)
