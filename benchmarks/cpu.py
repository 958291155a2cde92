"""The CPU time of processes and all their children, so that a bench can say where time goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """Sum up the CPU seconds of process `root` and its children, ended ones included."""
    ticks = sum(_numbers(root)[10:14])
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            numbers = _numbers(int(entry.name))
        except OSError:
            continue
        if numbers[0] == root:
            ticks += sum(numbers[10:12])
    return ticks / _TICK


def _numbers(process: int) -> list[int]:
    """The numbers of a process's `stat`: its parent first, user and system ticks from the 11th."""
    text = Path(f"/proc/{process}/stat").read_text()
    _state, *numbers = text.rpartition(")")[2].split()
    return [int(number) for number in numbers]
