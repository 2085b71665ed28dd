"""Formulas as MathML, which browsers draw without any script and without a network."""

import html
import re
from functools import lru_cache

import nh3
from latex2mathml.converter import convert
from markupsafe import escape

from autograder.sanitizing.markup import FORMULA, plain_tex

SPAN = re.compile(rf'<span class="{FORMULA}">([^<]*)</span>')
MATHML = {
    *("math", "menclose", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom"),
    *("mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext"),
    *("mtr", "munder", "munderover", "none"),
}
ATTRIBUTES = {
    "*": {"accent", "columnalign", "columnspan", "fence", "form", "linethickness", "lspace", "mathcolor"}
    | {
        "mathvariant",
        "maxsize",
        "minsize",
        "movablelimits",
        "rspace",
        "separator",
        "stretchy",
        "displaystyle",
        "width",
    },
    "math": {"display"},
}
# Environments that the converter knows under another name.
ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|align|eqnarray\*?|split)\}")
# A definition may be of itself, so that the converter would never end.
DEFINES = re.compile(r"\\(?:def|let|(?:re)?new|DeclareMathOperator)")
LARGEST = 2_000
WIDTH = re.compile(r"-?\d?\.?\d{1,3}em")
# A sign that follows one of these belongs to the number behind it, and stands close to it.
SIGN = re.compile(r"(<mo[^>]*>(?:[=(,\[{←→∈·×]|&lt;|&gt;)</mo>)<mo>([−+])</mo>")
AROUND = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}")


def with_formulas(markup: str) -> str:
    """Safe HTML whose marked formulas are MathML; one that cannot be converted stays as it was typed."""
    return SPAN.sub(lambda span: mathml(html.unescape(span[1])), markup)


@lru_cache(maxsize=4096)
def mathml(marked: str) -> str:
    """A formula between ``$`` or ``$$``, or an environment of its own, as MathML."""
    is_block = marked.startswith(("$$", "\\begin"))
    tex = ALIGNED.sub(r"\\\1{align*}", AROUND.sub("", plain_tex(marked.strip("$"))))
    if len(tex) > LARGEST or DEFINES.search(tex):
        return f"<code>{escape(marked)}</code>"
    try:
        made = convert(tex, display="block" if is_block else "inline")
    except Exception:  # one of many kinds, by what is wrong with the formula
        return f"<code>{escape(marked)}</code>"
    cleaned = nh3.clean(made, tags=MATHML, attributes=ATTRIBUTES, attribute_filter=_attribute)
    return _wide(SIGN.sub(r'\1<mo form="prefix">\2</mo>', cleaned), is_block)


def _attribute(tag: str, name: str, value: str) -> str | None:
    return None if name == "width" and not WIDTH.fullmatch(value) else value


def _wide(made: str, is_block: bool) -> str:
    """A formula of its own line may be wider than a phone, and then moves by itself."""
    return f'<span class="wide">{made}</span>' if is_block else made
