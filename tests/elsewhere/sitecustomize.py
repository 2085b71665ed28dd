"""Makes a Python on Linux lack what Windows lacks; on PYTHONPATH it does so in every process that is started.

First what is not ours is imported, which knows by itself how to do without. What is then imported of the program finds
no module and no member of a module that only Unix has, and is told that this is Windows. Text files that are opened
without saying in which encoding, and packages that only instructors install, stop it.
"""

import importlib
import mmap
import os
import signal
import socket
import sys
import warnings

FOREIGN = (
    "IPython.core.interactiveshell IPython.display hypothesis.internal.conjecture.engine ipykernel.ipkernel jinja2 "
    "ipykernel.kernelapp jupytext matplotlib.pyplot msgspec nbformat.v4 pytest rich.progress sklearn.datasets "
    "torch._subclasses.fake_tensor torch.testing typer.main"
)
UNIX_MODULES = (
    "_posixshmem crypt fcntl grp nis ossaudiodev posix ptyprocess pty pwd readline resource spwd syslog termios tty"
)
INSTRUCTORS = "dask distributed latex2mathml nbclient nbconvert nbgrader nh3 PIL psycopg pyseccomp sqlalchemy"
UNIX_OF_SIGNAL = (
    "SIGALRM SIGCHLD SIGCONT SIGHUP SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGVTALRM SIGXCPU "
    "SIGXFSZ ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL alarm getitimer pause pthread_kill pthread_sigmask setitimer "
    "siginterrupt sigpending sigtimedwait sigwait sigwaitinfo"
)
UNIX_OF_OS = (
    "O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH O_SYNC WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG "
    "WTERMSIG chown chroot ctermid fchdir fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid "
    "getpriority getresuid getsid getuid initgroups killpg lchown memfd_create mkfifo mknod nice openpty pathconf pidfd_open "
    "pipe2 posix_fallocate posix_spawn pread pwrite register_at_fork sched_getaffinity sched_setaffinity sched_yield "
    "sendfile setgid setgroups setpgid setpriority setsid setuid statvfs sync sysconf tcgetpgrp ttyname uname wait wait3 "
    "wait4 waitid"
)
UNIX_OF_MMAP = "MAP_ANONYMOUS MAP_PRIVATE MAP_SHARED PROT_EXEC PROT_READ PROT_WRITE"


class Missing:
    """Finds, before anybody else does, that a module is not there."""

    names = frozenset(f"{UNIX_MODULES} {INSTRUCTORS}".split())

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


for name in FOREIGN.split():
    importlib.import_module(name)
for module in [*sys.modules]:
    if module.partition(".")[0] in Missing.names - {"posix"}:
        del sys.modules[module]
sys.meta_path.insert(0, Missing())
for module, names in ((signal, UNIX_OF_SIGNAL), (os, UNIX_OF_OS), (mmap, UNIX_OF_MMAP), (socket, "AF_UNIX")):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
warnings.filterwarnings("error", category=EncodingWarning, module=r"autograder(\.|\Z)")
sys.platform = "win32"
