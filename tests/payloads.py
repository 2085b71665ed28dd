"""What a hostile student may put into a notebook so that it runs where somebody opens it; each sets `window.pwned`."""

import base64
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

RUNS = "window.pwned=1"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUNS}"><script>{RUNS}</script></svg>'
FRAME = base64.b64encode(f"<script>parent.{RUNS}</script>".encode()).decode()

MARKDOWN = {
    "script": f"<script>{RUNS}</script>",
    "script within text": f"text <script>{RUNS}</script> text",
    "script split by an empty line": f"<script>\n\n{RUNS}\n\n</script>",
    "broken image": f'<img src=x onerror="{RUNS}">',
    "broken image in upper case": f"<IMG SRC=x OnErRoR={RUNS}>",
    "slash for a space": f"<img/src=x/onerror={RUNS}>",
    "javascript link": f"[click](javascript:{RUNS})",
    "javascript link with a tab": f'<a href="java&#9;script:{RUNS}">click</a>',
    "javascript link in entities": f"[click](&#106;avascript:{RUNS})",
    "javascript link by reference": f"[click][r]\n\n[r]: javascript:{RUNS}",
    "javascript autolink": f"<javascript:{RUNS}>",
    "data link": f"[click](data:text/html;base64,{FRAME})",
    "svg": SVG,
    "svg link": f'<svg><a xlink:href="javascript:{RUNS}"><text y="20">click</text></a></svg>',
    "math link": f'<math><mtext><a href="javascript:{RUNS}">click</a></mtext></math>',
    "math that hides a tag": f"<math><mtext><table><mglyph><style><!--</style><img src=x onerror={RUNS}>",
    "noscript that hides a tag": f'<noscript><p title="</noscript><img src=x onerror={RUNS}>">',
    "comment that ends early": f"<!--><img src=x onerror={RUNS}>-->",
    "data frame": f'<iframe src="data:text/html;base64,{FRAME}"></iframe>',
    "frame with a document": f'<iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>',
    "object": f'<object data="data:text/html;base64,{FRAME}"></object>',
    "embed": f'<embed src="data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}">',
    "formula with a link": f"$\\href{{javascript:{RUNS}}}{{click}}$",
    "formula with a link in entities": f"&#36;\\hr&#101;f{{javascript:{RUNS}}}{{click}}&#36;",
    "formula with a script": f"$\\text{{<script>{RUNS}</script>}}$ and $$\\unknown{{<img src=x onerror={RUNS}>}}$$",
    "formula that ends early": f"$</span><img src=x onerror={RUNS}>$",
    "entities": f"&lt;img src=x onerror={RUNS}&gt;",
    "link title": f"[x](https://example.invalid '\"><img src=x onerror={RUNS}>')",
    "image text": f'![" onerror="{RUNS}](x)',
    "heading": f'# <img src=x onerror={RUNS}> " onmouseover="{RUNS}',
    "code": f'```html"><img src=x onerror={RUNS}>\n<script>{RUNS}</script>\n```',
    "mermaid": f"```mermaid\n</pre><img src=x onerror={RUNS}>\n```",
    "style": f"<style>*{{animation:a 1s}}@keyframes a{{}}</style><div onanimationstart={RUNS}>x</div>",
    "focus": f"<input autofocus onfocus={RUNS}>",
    "unfolding": f"<details open ontoggle={RUNS}><summary>x</summary></details>",
    "base": f'<base href="javascript:{RUNS}//"><a href="#">click</a>',
    "forwarding": f'<meta http-equiv="refresh" content="0;url=javascript:{RUNS}">',
    "form": f'<form action="javascript:{RUNS}"><button>click</button></form>',
    "video": f"<video><source onerror={RUNS}></video>",
    "our own form, forged": f"<div><p>x</p>\r\r<img src=x onerror={RUNS}></div>",
    "table": f"| a |\n|---|\n| <img src=x onerror={RUNS}> |",
}


def _shown(kind: str, content: Any, **metadata: Any) -> Any:
    return new_output("display_data", {kind: content}, metadata=metadata)


OUTPUTS = {
    "html": _shown("text/html", f"<script>{RUNS}</script><img src=x onerror={RUNS}>"),
    "javascript": _shown("application/javascript", RUNS),
    "svg": _shown("image/svg+xml", SVG),
    "markdown": _shown("text/markdown", f"<img src=x onerror={RUNS}>"),
    "latex": _shown("text/latex", f"$\\href{{javascript:{RUNS}}}{{click}}$<img src=x onerror={RUNS}>"),
    "pdf": _shown("application/pdf", f'"><img src=x onerror={RUNS}>'),
    "an image that ends early": _shown("image/png", f'"><img src=x onerror={RUNS}>'),
    "an image of another kind": _shown("image/png", base64.b64encode(SVG.encode()).decode()),
    "an image's width": _shown(
        "image/png", "iVBORw0KGgo=", **{"image/png": {"width": f'"><img src=x onerror={RUNS}>'}}
    ),
    "text": _shown("text/plain", f"<script>{RUNS}</script>"),
    "widget": _shown("application/vnd.jupyter.widget-view+json", {"model_id": f"</script><script>{RUNS}</script>"}),
    "an unknown kind": _shown("application/x-unknown", f"<script>{RUNS}</script>"),
    "stream with colours": new_output("stream", name="stdout", text=f"\x1b[31m<img src=x onerror={RUNS}>\x1b[0m"),
    "stream with odd colours": new_output("stream", name="stderr", text=f'\x1b[38;5;1"><img src=x onerror={RUNS}>m'),
    "a link in a terminal": new_output(
        "stream", name="stdout", text=f"\x1b]8;;javascript:{RUNS}\x1b\\click\x1b]8;;\x1b\\"
    ),
    "traceback": new_output(
        "error",
        ename=f"<img src=x onerror={RUNS}>",
        evalue=f"<script>{RUNS}</script>",
        traceback=[f"<img src=x onerror={RUNS}>"],
    ),
    "our own record": _shown("application/vnd.autograder.v1+json", {"name": f"<img src=x onerror={RUNS}>"}),
}
BREAKS_OUT = f'"></script><img src=x onerror={RUNS}><script>{RUNS}</script>'


def hostile_cells() -> list[Any]:
    """Every payload in a cell of its own."""
    cells = [new_markdown_cell(source) for source in MARKDOWN.values()]
    cells += [new_code_cell("1", outputs=[output]) for output in OUTPUTS.values()]
    for kind in ("text/html", "", "text/markdown", "TEXT/HTML"):
        cells.append(new_raw_cell(f"<script>{RUNS}</script>", metadata={"raw_mimetype": kind, "format": kind}))
    cells.append(new_raw_cell(f"<img src=x onerror={RUNS}>"))
    svg = {"a.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()}}
    cells.append(new_markdown_cell("![a](attachment:a.svg)", attachments=svg))
    cells.append(new_markdown_cell("![a](attachment:b)", attachments={"b": {f'x" onerror="{RUNS}': "x"}}))
    cells.append(new_markdown_cell("![a](attachment:not-there.png)"))
    cells.append(new_code_cell("1", metadata={"tags": [BREAKS_OUT], "name": BREAKS_OUT, "magics_language": BREAKS_OUT}))
    cells.append(new_code_cell(f"'</pre><img src=x onerror={RUNS}>'"))
    return cells


def hostile_metadata() -> dict[str, Any]:
    """Of a whole notebook."""
    state = {"state": {"m": {"model_name": BREAKS_OUT}}, "version_major": 2, "version_minor": 0}
    return {
        "title": BREAKS_OUT,
        "authors": [{"name": BREAKS_OUT}],
        "kernelspec": {"name": BREAKS_OUT, "display_name": BREAKS_OUT, "language": "python"},
        "language_info": {"name": "python", "pygments_lexer": BREAKS_OUT, "codemirror_mode": BREAKS_OUT},
        "widgets": {"application/vnd.jupyter.widget-state+json": state},
    }
