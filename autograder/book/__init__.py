"""The course as a site to read: its chapters with their figures, its terms, the handbook.

`site` puts the pages together and has Sphinx, which `conf.py` configures, make HTML of them.
"""
