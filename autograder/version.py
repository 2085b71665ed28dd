"""The version of the program, which what it makes carries."""

VERSION = "0.1.0"
