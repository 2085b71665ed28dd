"""What the book adds to Sphinx: formulas as MathML, and a search that finds parts of Chinese words."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util import logging

from autograder.book.markup import CHINESE
from autograder.sanitizing.formulas import mathml

LONGEST_PART = 8
FAILED = "<code>"
logger = logging.getLogger(__name__)


class SearchEnglishAndChinese(SearchEnglish):
    """English as Sphinx has it; of a run of Chinese characters every part is a word too, as nothing divides words."""

    lang = "english_and_chinese"

    def split(self, input: str) -> list[str]:
        """Words, and parts of Chinese words."""
        return [*super().split(input), *(part for run in CHINESE.findall(input) for part in _parts(run))]


def _parts(run: str) -> set[str]:
    places = range(len(run))
    return {run[start : start + length] for start in places for length in range(1, LONGEST_PART + 1)} - {run}


def _visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_formula(node, f"${node.astext()}$"))
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula">{_formula(node, f"$${node.astext()}$$")}</div>\n')
    raise nodes.SkipNode


def _formula(node: nodes.Element, tex: str) -> str:
    made = mathml(tex)
    if made.startswith(FAILED):
        logger.warning("the formula %s cannot be set", tex, location=node)
    return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_search_language(SearchEnglishAndChinese)
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
