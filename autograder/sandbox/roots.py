"""Give a process a root of its own: the paths that it may read have a name there, and no others."""

import ctypes
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from autograder.sandbox.namespaces import enter_user_namespace, libc_call, refuse_threads

# <linux/sched.h>, <linux/mount.h> and <linux/fcntl.h>
CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 1 << 1, 1 << 2, 1 << 3
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
MOUNT_SETATTR = 442  # a system call with this number on every architecture, since Linux 5.12

# Where the new root is put together: a folder that every system has. What stands in it is out of sight meanwhile.
BASE = "/tmp"


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace"))


def enter_own_root(paths: Iterable[str]) -> None:
    """From now on there are for this process only ``paths``, with what stands below them, and the folders on the way.

    Paths that do not exist, or that this process may not reach, are passed over. Nothing can be written there except
    to devices. Where this raises, the process sees what it saw before, from ``/``.

    Raises:
        OSError: the kernel refuses, or this process has threads that would stay outside.
    """
    refuse_threads()
    _own_mounts()
    places, links = _layout(paths)
    with ExitStack() as stack:
        # Held before the mount: some may stand in BASE.
        sources = {}
        for place in places:
            sources[place] = os.open(place, os.O_PATH | os.O_CLOEXEC)
            stack.callback(os.close, sources[place])
        _mount("tmpfs", BASE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,mode=755")
        try:
            _fill(sources, links)
            _make_read_only()
            os.chdir(BASE)
            libc_call("pivot_root", b".", b".")
        except BaseException:
            os.chdir("/")
            libc_call("umount2", os.fsencode(BASE), MNT_DETACH)
            raise
    libc_call("umount2", b".", MNT_DETACH)  # the old root, which the new one left in the current folder
    os.chdir("/")


def _own_mounts() -> None:
    """A list of mounts that is this process's alone."""
    try:
        libc_call("unshare", CLONE_NEWNS)
    except OSError:  # neither root nor in a user namespace yet
        enter_user_namespace(CLONE_NEWNS)
    _mount("none", "/", None, MS_REC | MS_PRIVATE, None)


def _layout(paths: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Where ``paths`` really stand, without those below another, and the symbolic links on the way to them."""
    found: set[str] = set()
    links: dict[str, str] = {}
    for path in paths:
        if os.path.exists(path):
            place, passed = _walk(path)
            found.add(place)
            links |= passed
    places: list[str] = []
    for place in sorted(found, key=len):
        if not _covered(place, places):
            places.append(place)
    return places, {link: target for link, target in links.items() if not _covered(link, places)}


def _walk(path: str) -> tuple[str, dict[str, str]]:
    """Where an existing path leads, and the symbolic links that it passes, each with its target."""
    here, links = "/", dict[str, str]()
    ahead = path.split("/")[::-1]
    while ahead:
        part = ahead.pop()
        place = os.path.normpath(os.path.join(here, part))
        if not os.path.islink(place):
            here = place
            continue
        target = links[place] = os.readlink(place)
        here = "/" if os.path.isabs(target) else here
        ahead += target.split("/")[::-1]
    return here, links


def _covered(place: str, folders: Iterable[str]) -> bool:
    return any(place == folder or place.startswith(folder.rstrip("/") + "/") for folder in folders)


def _fill(sources: Mapping[str, int], links: Mapping[str, str]) -> None:
    for place, source in sources.items():
        target = BASE + place
        if stat.S_ISDIR(os.fstat(source).st_mode):
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.mknod(target)
        _mount(f"/proc/self/fd/{source}", target, None, MS_BIND | MS_REC, None)
    for place, leads_to in links.items():
        os.makedirs(os.path.dirname(BASE + place), exist_ok=True)
        os.symlink(leads_to, BASE + place)


def _make_read_only() -> None:
    wanted = _Attributes(set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    libc_call("syscall", MOUNT_SETATTR, AT_FDCWD, os.fsencode(BASE), AT_RECURSIVE, ctypes.byref(wanted), size)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    libc_call("mount", *texts[:3], ctypes.c_ulong(flags), texts[3])
