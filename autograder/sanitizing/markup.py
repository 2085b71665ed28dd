"""What of a student's HTML may stand on a page that others open: our own list of tags, no address but plain ones."""

import html
import re

import nh3
from pygments.token import STANDARD_TYPES

from autograder.sanitizing.images import is_data_image

BLOCKS = {"blockquote", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p"}
TABLES = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
INLINE = {"a", "b", "br", "code", "del", "em", "i", "img", "ins", "kbd", "mark", "q", "s", "samp", "small", "span"}
TAGS = BLOCKS | TABLES | INLINE | {"pre", "strong", "sub", "summary", "sup", "u", "ul", "var"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "style"},
}
# Of classes only those that colour code and mark formulas: pages have classes that their scripts look for.
FORMULA = "formula"
CLASSES = {"div": {"highlight"}, "span": {FORMULA, *(name for name in STANDARD_TYPES.values() if name)}}
ADDRESS = re.compile(r"(?:https?://|mailto:|#)[^\s\x00-\x1f\x7f]*", re.IGNORECASE)
# What TeX can do beside setting formulas: links, styles, more of itself.
TEX_BEYOND_FORMULAS = re.compile(
    r"\\(href|url|style|class|cssId|require|bbox|mmlToken|includegraphics|html[A-Za-z]+|data)(?![A-Za-z])"
)


def safe_html(markup: str) -> str:
    """HTML of which nothing runs, and which fetches nothing, wherever it is shown."""
    cleaned = nh3.clean(
        markup,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        attribute_filter=_attribute,
        filter_style_properties={"text-align"},
        url_schemes={"http", "https", "mailto", "data"},
        strip_comments=True,
        link_rel="noopener noreferrer",
    )
    return plain_tex(cleaned)


def plain_tex(text: str) -> str:
    """Text in which MathJax finds nothing but formulas."""
    return TEX_BEYOND_FORMULAS.sub(r"\\mathrm{\1}", text)


def is_plain_tex(markup: str) -> bool:
    return TEX_BEYOND_FORMULAS.search(html.unescape(markup)) is None


def is_plain_address(address: str) -> bool:
    """Whether a link leads to a page, a mail or a place on the same page."""
    return ADDRESS.fullmatch(html.unescape(address)) is not None


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if is_plain_address(value) else None
    if name == "src":
        return value if is_data_image(value) else None
    return value
