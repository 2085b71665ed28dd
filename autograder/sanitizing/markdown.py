"""A student's Markdown, made so that nbgrader's pages and ours can render it without running any of it."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.sanitizing.images import DATA, FORMATS, verified
from autograder.sanitizing.markup import FORMULA, is_plain_address, is_plain_tex, safe_html

ATTACHMENT = "attachment:"
HEADING_ID = re.compile(r'<h[1-6] id="([^"]*)"')
# A tag as nh3 writes it; and what Markdown may take for its own in text, or end a block of HTML at.
TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
ENCODED = re.compile(r"[\\`*_\[\]$~|\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]|\n(?=[ \t]*(?:\n|\Z))")
# Deeper nested than people write; the parser itself ends at some hundreds.
DEEPEST = 60
# Characters without images, and a bound on what the parser's search for the ends of formulas costs: about a second.
LARGEST = 20_000
LARGEST_WITH_IMAGES = 400_000
MOST_WORK = 10**8

Attachments = Mapping[str, Mapping[str, str]]


class _Renderer(IPythonRenderer):
    """nbconvert's, but that marks formulas and shows of attachments only those that were verified."""

    def __init__(self, attachments: Attachments) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=dict(attachments))  # type: ignore[arg-type]

    def block_math(self, body: str) -> str:
        return self._formula(super().block_math(body))

    def inline_math(self, body: str) -> str:
        return self._formula(super().inline_math(body))

    def latex_environment(self, name: str, body: str) -> str:
        return self._formula(super().latex_environment(name, body))

    def _formula(self, tex: str) -> str:
        return f'<span class="{FORMULA}">{tex}</span>'

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix(ATTACHMENT)
        return str(super()._embed_image_or_attachment(src)) if name == src or name in self.attachments else ""


def rendered(source: str, attachments: Attachments | None = None) -> str:
    """Markdown as safe HTML, each formula in TeX within a ``span`` of the class ``formula``."""
    if not _is_readable(source):
        return f"<pre>{escape(source[:LARGEST])}</pre>"
    try:
        return safe_html(MarkdownWithMath(renderer=_Renderer(attachments or {})).render(source))
    except Exception:  # a parser that fails on odd text must not cost anybody a page
        return f"<pre>{escape(source)}</pre>"


def as_markdown(markup: str) -> str:
    """Safe HTML as Markdown that every renderer passes on as it is: one block of HTML, without an empty line."""
    inner = markup.strip()
    parts = (part if is_tag else ENCODED.sub(_entity, part) for is_tag, part in _parts(inner))
    return f"<div>{''.join(parts)}</div>"


def safe_markdown(source: str, attachments: Attachments, taken: frozenset[str]) -> str:
    """Markdown as it was written where that is plain, otherwise what is safe of it. Twice is as good as once.

    Args:
        source: the Markdown.
        attachments: verified ones.
        taken: ids that headings must not have, since scripts of the page look for them.
    """
    if _is_made_here(source) or _is_plain(source, attachments, taken):
        return source
    return as_markdown(rendered(source, attachments))


def _is_made_here(source: str) -> bool:
    inner = source.removeprefix("<div>").removesuffix("</div>")
    return as_markdown(safe_html(inner)) == source


def _is_plain(source: str, attachments: Attachments, taken: frozenset[str]) -> bool:
    """Whether nbconvert renders it to nothing but formatted text, verified images and plain links."""
    if not _is_readable(source):
        return False
    try:
        parsed, _ = MarkdownWithMath(renderer=None).parse(source)  # type: ignore[arg-type]
        shown = MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=dict(attachments))).render(source)  # type: ignore[arg-type]
    except Exception:  # whatever the parser cannot take nbgrader could not show either
        return False
    tokens = list(_tokens(parsed))
    names = {name for found in HEADING_ID.findall(shown) for name in (found, found.casefold())}
    return all(_is_harmless(token, attachments) for token in tokens) and is_plain_tex(shown) and not names & taken


def _parts(markup: str) -> Iterator[tuple[bool, str]]:
    done = 0
    for tag in TAG.finditer(markup):
        yield False, markup[done : tag.start()]
        yield True, tag[0]
        done = tag.end()
    yield False, markup[done:]


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def as_text_block(text: str) -> str:
    """Text that is shown as it is."""
    return as_markdown(f"<pre>{escape(text)}</pre>")


def verified_attachments(attachments: Any) -> dict[str, dict[str, str]]:
    """Of a cell's attachments those that are small images."""
    kept: dict[str, dict[str, str]] = {}
    for name, forms in attachments.items() if isinstance(attachments, dict) else ():
        for kind in FORMATS:
            image = verified(kind, forms.get(kind)) if isinstance(forms, dict) else None
            if image is not None:
                kept[name] = {kind: image}
                break
    return kept


def _is_readable(source: str) -> bool:
    """Whether the parser takes it in a second and without ending the interpreter's stack."""
    if len(source) > LARGEST_WITH_IMAGES or len(DATA.sub("", source)) > LARGEST:
        return False
    nesting = max(map(_nesting, source.splitlines()), default=0)
    return nesting <= DEEPEST and source.count("\\\\") * len(source) <= MOST_WORK


def _nesting(line: str) -> int:
    """How deep a line can nest: quotes and lists by their marks, emphasis and brackets by theirs."""
    return max(line.count(">"), line.count("["), len(line) - len(line.lstrip()))


def _tokens(tokens: Any) -> Iterator[dict[str, Any]]:
    for token in tokens or ():
        if isinstance(token, dict):
            yield token
            yield from _tokens(token.get("children"))


def _is_harmless(token: dict[str, Any], attachments: Attachments) -> bool:
    address = str((token.get("attrs") or {}).get("url", ""))
    match token["type"]:
        case "block_html" | "inline_html":
            return False
        case "link":
            return is_plain_address(address)
        case "image":
            return address.startswith(ATTACHMENT) and address.removeprefix(ATTACHMENT) in attachments
        case "block_code":
            return not str((token.get("attrs") or {}).get("info", "")).startswith("mermaid")
        case _:
            return True
