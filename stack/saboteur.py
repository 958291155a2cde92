"""Kills parts of a running stack at random moments, as power cuts and the kernel do."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.data_folder import DataFolder
from stack.errors import NotReady

BACK_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill: which part, and how many seconds after the beginning."""

    part: str
    at_s: float


def draw_strikes(
    parts: Sequence[str], *, each: int, span_s: float, dice: random.Random
) -> list[Strike]:
    """Draw `each` moments within `span_s` seconds for every part, in order of time."""
    strikes = [Strike(part, dice.uniform(0, span_s)) for part in parts for _ in range(each)]
    return sorted(strikes, key=lambda strike: strike.at_s)


async def carry_out(
    strikes: Sequence[Strike], folder: DataFolder, report: Callable[[str], None]
) -> int:
    """Kill with SIGKILL at each strike's moment; return how many processes were killed.

    A part that is down at its moment, having been hit a moment ago, is hit when it is back.
    """
    began, killed = time.monotonic(), 0
    for strike in strikes:
        await asyncio.sleep(max(0.0, strike.at_s - (time.monotonic() - began)))
        pid = await kill(folder, strike.part)
        killed += 1
        report(f"{strike.at_s:6.1f} s  kill -9 {strike.part} (process {pid})")
    return killed


async def kill(folder: DataFolder, part: str) -> int:
    """Kill a part with SIGKILL, when it is back if it is down; returns its process number.

    Raises `NotReady` if it does not come back.
    """
    deadline = time.monotonic() + BACK_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            pid = int((folder.pids / part).read_text())
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            await asyncio.sleep(0.1)
        else:
            return pid
    raise NotReady(f"{part} is down and does not come back; see {folder.logs}")


def survivors(folder: DataFolder) -> list[str]:
    """List processes, as `pid command`, that still work on a stack's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            # It ended while we looked, or it is somebody else's: neither is ours to list.
            continue
        ours = str(folder.root) in command or f"HUB_DATA_DIR={folder.root}" in environment
        if ours and int(process.name) != os.getpid():
            found.append(f"{process.name} {command}".strip())
    return found
