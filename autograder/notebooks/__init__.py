"""Notebook source + reference → student notebook and nbgrader source; submission → student code."""
