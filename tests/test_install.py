"""What `make install` asks uv and pip for."""

import importlib.util
from types import ModuleType

import pytest
from conftest import ROOT

CONFIGURED = """\
:env:.find-links='/env/wheels'
global.cert='/etc/ca.crt'
global.constraint='/etc/limits.txt'
global.extra-index-url='file:///one/simple\\nfile:///two/simple'
global.find-links='/global/wheels'
global.index-url='file:///all/simple'
install.no-index='true'
download.index-url='file:///other/simple'
"""


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_uv_is_told_what_pip_is_configured_to_do(install):
    assert install.uv_environment(CONFIGURED) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "file:///all/simple",
        "UV_INDEX": "file:///one/simple file:///two/simple",
        "UV_FIND_LINKS": "/env/wheels",
        "UV_NO_INDEX": "true",
        "UV_CONSTRAINT": "/etc/limits.txt",
        "SSL_CERT_FILE": "/etc/ca.crt",
    }


def test_an_unconfigured_pip_leaves_uv_its_own_index(install):
    assert install.uv_environment("") == {"UV_INDEX_STRATEGY": "unsafe-best-match"}


@pytest.fixture
def commands(install, monkeypatch) -> list[list[str]]:
    """The commands that were run; uv can install torch, and nothing else."""
    ran: list[list[str]] = []

    def run(what, command, environment=None):
        ran.append(list(command))
        return command[0] != "uv" or "torch==2" in command

    monkeypatch.setattr(install, "run", run)
    return ran


def test_pip_goes_on_where_uv_fails(install, commands, monkeypatch, capsys):
    monkeypatch.setattr(install, "find_uv", lambda: ["uv"])
    installer = install.Installer()
    for what in ("torch==2", "six", "attrs"):
        installer.install(what, [what])
    assert [(command[0] == "uv", command[-1]) for command in commands] == [
        (True, "torch==2"),
        (True, "six"),
        (False, "six"),
        (False, "attrs"),
    ]
    assert "uv could not install it; pip goes on." in capsys.readouterr().out


def test_pip_brings_uv_where_it_is_not_at_hand(install, commands, monkeypatch):
    found = iter([[], ["uv"]])
    monkeypatch.setattr(install, "find_uv", lambda: next(found))
    install.Installer().install("torch==2", ["torch==2"])
    assert [command[0] for command in commands] == [str(install.PYTHON), "uv"]
    assert commands[0][-2:] == ["uv", install.locked("uv")] and "==" in commands[0][-1]


def test_pip_installs_everything_where_uv_is_not_to_be_had(install, monkeypatch, capsys):
    ran: list[str] = []
    monkeypatch.setattr(install, "find_uv", list)
    monkeypatch.setattr(install, "run", lambda what, command, environment=None: ran.append(command[-1]) or len(ran) > 1)
    install.Installer().install("six", ["six"])
    assert ran == [install.locked("uv"), "six"]
    assert "pip could not install uv; it installs everything itself." in capsys.readouterr().out


def test_where_neither_can_the_command_fails_with_a_sentence(install, monkeypatch):
    monkeypatch.setattr(install, "find_uv", list)
    monkeypatch.setattr(install, "run", lambda what, command, environment=None: False)
    with pytest.raises(SystemExit, match="pip could not install six: its message stands above"):
        install.Installer().install("six", ["six"])
