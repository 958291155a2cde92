"""The operator's worker, again and again: each life is a fork of one process.

Starting Python and its libraries takes a worker seconds of the machine's time, which a play with a
hundred lives does not have. What is forked has neither connections nor threads: every life composes
the worker from the settings as the command does. `python -m tests.faults.nursery FILE` appends a
line with the process and its exit code to FILE for each life that has ended.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import worker
from stack.process import before_exec


def main(lives: Path) -> None:
    """Live until a life ends in another way than by SIGKILL."""
    code = -signal.SIGKILL
    while code == -signal.SIGKILL:
        nursery = os.getpid()
        process = os.fork()
        if process == 0:
            before_exec(signal.SIGKILL, nursery)()
            worker.main(["--role", "all"])
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        with lives.open("a") as written:
            written.write(f"{process} {code}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
