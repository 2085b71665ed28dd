"""Refuse the system calls that a student's code has no use for, group by group."""

import errno
import os
import sys
from types import ModuleType
from typing import Any, NamedTuple

OWN_PID = -1
UNKNOWN = -1  # to libseccomp; other negative numbers are calls that this architecture does not have
LOW_32_BITS = 0xFFFFFFFF


class When(NamedTuple):
    """A system call that is refused when one of its arguments, as far as ``mask`` shows it, equals ``value``.

    The kernel reads most arguments as 32 bits; a rule that looked at all 64 could be passed by setting a high one.
    """

    call: str
    argument: int
    value: int
    mask: int = LOW_32_BITS


class Unless(NamedTuple):
    """A system call that is refused unless all 64 bits of one of its arguments are ``value``."""

    call: str
    argument: int
    value: int


class Group(NamedTuple):
    """System calls that are refused together.

    Attributes:
        name: a word for them.
        purpose: what refusing them prevents.
        calls: their names; a rule where it depends on an argument.
        answer: the error that they give.
    """

    name: str
    purpose: str
    calls: tuple[str | When | Unless, ...]
    answer: int = errno.EPERM


CLONE_THREAD = 0x00010000
AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_TYPE = 1, 2, 3, 0xF
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4

GROUPS = (
    Group(
        "network",
        "reaching another machine or a service of this one",
        (
            *("socket", "connect", "bind", "listen", "accept", "accept4"),
            # A connected pair of streams reaches nobody; a datagram socket can be sent anywhere.
            Unless("socketpair", 0, AF_UNIX),
            When("socketpair", 1, SOCK_DGRAM, SOCK_TYPE),
            When("socketpair", 1, SOCK_RAW, SOCK_TYPE),
        ),
    ),
    Group(
        "processes",
        "a second process that writes answers, a program, outliving the judge",
        (
            *("fork", "vfork", "execve", "execveat", "setsid", "setpgid"),
            When("clone", 0, 0, CLONE_THREAD),
            When("prctl", 0, PR_SET_PDEATHSIG),
            When("prctl", 0, PR_SET_DUMPABLE),
        ),
    ),
    Group(
        "threads",
        "hiding clone's flags in memory; the C library then starts threads with clone",
        ("clone3",),
        errno.ENOSYS,
    ),
    Group(
        "signals",
        "stopping or disturbing another process",
        (
            *(Unless(call, 0, OWN_PID) for call in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")),
            *("tkill", "pidfd_send_signal"),
            *(When("fcntl", 1, command) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)),
            *(When("ioctl", 1, request) for request in (FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX)),
            *(Unless(call, 0, 0) for call in ("prlimit64", "sched_setaffinity")),
            *("setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr"),
        ),
    ),
    Group(
        "tracing",
        "reading or changing another process",
        (
            *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd"),
            *("process_madvise", "process_mrelease", "move_pages", "migrate_pages", "perf_event_open"),
        ),
    ),
    Group(
        "files",
        "changing files, their owners, modes and times, which Landlock does not know; watching others use them",
        (
            *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
            *("utime", "utimes", "futimesat", "utimensat", "file_setattr"),
            *("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
            *("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
            *("creat", "truncate", "mknod", "mknodat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"),
            *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
            *(
                "sync",
                "syncfs",
                "inotify_init",
                "inotify_init1",
                "fanotify_init",
                "open_by_handle_at",
                "name_to_handle_at",
            ),
        ),
    ),
    Group(
        "shared memory",
        "memory that no limit counts and that outlives the process",
        (
            *("shmget", "shmat", "shmctl", "msgget", "msgctl", "semget", "semctl", "mq_open", "mq_unlink"),
            "memfd_secret",
        ),
    ),
    Group(
        "identity",
        "becoming someone else",
        (
            *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid"),
            *("setfsuid", "setfsgid", "setgroups", "capset"),
        ),
    ),
    Group(
        "namespaces",
        "getting privileges inside a new namespace",
        ("unshare", "setns", "chroot", "pivot_root"),
    ),
    Group(
        "kernel",
        "changing the machine, and parts of the kernel in which escapes have been found",
        (
            *("mount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick"),
            *("mount_setattr", "open_tree_attr", "swapon", "swapoff", "quotactl", "quotactl_fd", "acct"),
            *("bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd"),
            *("keyctl", "add_key", "request_key", "personality", "modify_ldt", "iopl", "ioperm"),
            *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
            *("syslog", "vhangup", "sethostname", "setdomainname"),
            *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
        ),
    ),
)

# Since Linux 5.1 a new call has one number everywhere: for a libseccomp that is older than the call.
NUMBERS = {
    **{"pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    **{"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433},
    **{"pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442},
    **{"quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448, "fchmodat2": 452, "setxattrat": 463},
    **{"removexattrat": 466, "open_tree_attr": 467, "file_setattr": 469},
}


def _load() -> tuple[ModuleType | None, str]:
    """pyseccomp, or the reason why it is not there."""
    if sys.platform != "linux":
        return None, "needs Linux"
    try:
        import pyseccomp
    except ImportError:
        return None, "pyseccomp is not installed (pip install pyseccomp)"
    except (RuntimeError, OSError):
        return None, "libseccomp is not installed (Debian: apt-get install libseccomp2)"
    return pyseccomp, ""


def _call_of(rule: str | When | Unless) -> str:
    return rule if isinstance(rule, str) else rule.call


def _resolved(library: Any) -> dict[str, int]:
    """The numbers of the calls in `GROUPS` on this machine."""
    calls = [_call_of(rule) for group in GROUPS for rule in group.calls]
    found = {call: library.resolve_syscall(library.Arch.NATIVE, call) for call in calls}
    return {call: NUMBERS.get(call, UNKNOWN) if number == UNKNOWN else number for call, number in found.items()}


# Now, not when it is needed: looking for libseccomp starts a program, which a locked-down process cannot.
_pyseccomp, _missing = _load()
_numbers = {} if _pyseccomp is None else _resolved(_pyseccomp)


def refuse_system_calls() -> None:
    """Refuses the calls in `GROUPS` to every thread of this process, for good.

    Raises:
        OSError: the kernel refuses, or libseccomp or its Python package is missing.
    """
    if _pyseccomp is None:
        raise OSError(_missing)
    try:
        _filter(_pyseccomp).load()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "seccomp") from None


def _filter(library: Any) -> Any:
    filter = library.SyscallFilter(library.ALLOW)
    # Calls as a 32-bit program makes them have other numbers and pass no rule.
    filter.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)
    filter.set_attr(library.Attr.CTL_TSYNC, 1)
    for group in GROUPS:
        for rule in group.calls:
            number = _numbers.get(_call_of(rule), UNKNOWN)
            if number != UNKNOWN:
                filter.add_rule(library.ERRNO(group.answer), number, *_arguments(library, rule))
    return filter


def _arguments(library: Any, rule: str | When | Unless) -> tuple[Any, ...]:
    match rule:
        case When(_, argument, value, mask):
            return (library.Arg(argument, library.MASKED_EQ, mask, value),)
        case Unless(_, argument, value):
            return (library.Arg(argument, library.NE, os.getpid() if value == OWN_PID else value),)
        case _:
            return ()
