"""What a part prints: kept in a file of bounded size, its end at hand when the part fails."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_BYTES = 20_000_000
FILES_KEPT = 3
TAIL_LINES = 20
LINE_BYTES = 16_384


class PartLog:
    """The log of the part `name` in `folder`; `echo` sees each line too."""

    def __init__(self, name: str, folder: Path, echo: Callable[[str, str], None]) -> None:
        self.path = folder / f"{name}.log"
        self._name, self._echo = name, echo
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._file = RotatingFileHandler(
            self.path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, delay=True
        )

    def tail(self) -> str:
        """The last lines that the part printed."""
        return "\n".join(self._tail)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Take lines from `stream` to its end; a longer line is cut into pieces."""
        rest = b""
        while chunk := await stream.read(LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self.write(line.decode(errors="replace").rstrip())
        if rest:
            self.write(rest.decode(errors="replace"))

    def write(self, line: str) -> None:
        """Keep one line."""
        self._tail.append(line)
        self._file.emit(logging.makeLogRecord({"msg": line}))
        self._echo(self._name, line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
