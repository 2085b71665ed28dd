"""Templates of this package, and what everything shown in a notebook carries."""

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from autograder.version import VERSION

# The metadata of an output: whoever grades it later sees which version a student had.
MADE_BY = {"autograder": {"version": VERSION}}


@lru_cache
def template(name: str) -> Template:
    """A template in which every value is escaped."""
    loader = PackageLoader("autograder.feedback")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters["code"] = code_spans
    return environment.get_template(name)


def code_spans(sentence: str) -> Markup:
    """A sentence as HTML in which what stands between backticks is code."""
    parts = (str(escape(part)) for part in sentence.split("`"))
    return Markup("".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)))
