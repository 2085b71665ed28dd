"""Brings what an LMS hands out, folders and zips, to where nbgrader looks for submissions."""
