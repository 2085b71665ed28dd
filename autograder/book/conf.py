"""Sphinx's configuration for the book; `rendering` gives the titles."""

extensions = ["myst_parser", "autograder.book.extension"]
language = "en"

# The sources are notebooks' Markdown: formulas between dollars, HTML for hints.
myst_enable_extensions = ["amsmath", "attrs_block", "dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "autograder.book.markup.slug"
html_math_renderer = "mathml"

# Cells with notebook commands are not Python throughout.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = ["file.js"]
html_search_language = "english_and_chinese"
html_use_index = False
html_domain_indices = False
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
