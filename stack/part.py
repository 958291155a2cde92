"""A part of the stack: something that is prepared, started, and then answers."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from stack.errors import NotReady
from stack.process import ProcessSpec, spawn, stop

POLL_S = 0.05
TAIL_BYTES = 4096


class Part(Protocol):
    """One embedded program and how to know that it works."""

    def prepare(self) -> None:
        """Do what must be done before each start: create data, recover from a kill. Blocks."""

    def spec(self) -> ProcessSpec:
        """How to start it."""

    def is_ready(self) -> bool:
        """Whether it answers now; never raises, never blocks for more than about a second."""


@contextmanager
def running(part: Part, log: Path, timeout_s: float = 60.0) -> Iterator[subprocess.Popen[bytes]]:
    """Run `part` without a supervisor, its output appended to `log`; ready when the body starts.

    Raises `NotReady` with the end of the log if it ends or stays silent. For tests and tools.
    """
    part.prepare()
    spec = part.spec()
    with log.open("ab") as output:
        process = spawn(spec, output)
    try:
        _wait_ready(part, process, log, timeout_s)
        yield process
    finally:
        stop(process, spec)


def _wait_ready(part: Part, process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not part.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "ended" if process.poll() is not None else f"is not ready after {timeout_s} s"
            tail = log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
            raise NotReady(f"{part.spec().name} {state}; its log ends with:\n{tail}")
        time.sleep(POLL_S)
