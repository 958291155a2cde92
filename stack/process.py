"""One child process that never outlives us.

On Linux the kernel sends a child its death signal when the thread that forked it ends, however it
ends; spawn therefore from the main thread. Elsewhere a killed parent's children have to be stopped
by the next start.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from settings import inherited_environment

_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The unprivileged account that a process runs as, when we are root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class ProcessSpec:
    """How to start a program and how to end it.

    `environment` is added to ours. `stop_signal` asks it to end; after `grace_s` seconds it is
    killed. `death_signal` is what it gets when its parent dies without saying so.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 10.0

    def environ(self) -> dict[str, str]:
        """The complete environment of the process."""
        return inherited_environment(**self.environment)


def before_exec(death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    """What the forked child does before `exec`: tie its life to `parent`'s.

    It runs after the change of account, which would clear the tie.
    """

    def tie() -> None:
        if _libc is None:
            return
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def spawn(spec: ProcessSpec, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, so that a terminal's Ctrl-C reaches only us."""
    account = spec.account
    return subprocess.Popen(
        spec.command,
        env=spec.environ(),
        cwd=spec.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=before_exec(spec.death_signal, os.getpid()),
    )


def stop(process: subprocess.Popen[bytes], spec: ProcessSpec) -> None:
    """Ask the process to end and kill its group when the grace is over."""
    if process.poll() is not None:
        return
    process.send_signal(spec.stop_signal)
    try:
        process.wait(spec.grace_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
