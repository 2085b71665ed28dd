"""A file is written whole or not at all."""

from pathlib import Path

import pytest

from autograder.atomic import in_place_of, write_whole


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path):
    path = tmp_path / "folder" / "a.json"
    for content in (b"one\r\n", b"two\n"):
        write_whole(path, content)
        assert path.read_bytes() == content
        assert [*path.parent.iterdir()] == [path]


def test_a_writer_that_fails_leaves_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text("whole")
    with pytest.raises(RuntimeError), in_place_of(path) as unfinished:
        unfinished.write_text("ha")
        assert path.read_text() == "whole"
        raise RuntimeError
    assert path.read_text() == "whole" and [*tmp_path.iterdir()] == [path]


def test_one_that_may_not_take_the_place_is_not_left_behind(tmp_path: Path):
    folder = tmp_path / "a.json"
    folder.mkdir()
    with pytest.raises(OSError):
        write_whole(folder, b"x")
    assert [*tmp_path.iterdir()] == [folder]


def test_what_is_unfinished_bears_the_name(tmp_path: Path):
    with in_place_of(tmp_path / "ada.json") as unfinished:
        assert unfinished.name.startswith(".ada.") and unfinished.suffix == ".part"
        unfinished.touch()
