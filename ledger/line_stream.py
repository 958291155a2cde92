"""Generated lines as the file that COPY reads: nothing is held but the next few."""

from __future__ import annotations

from collections.abc import Iterator


class LineStream:
    """Reads from an iterator of lines, each ending with a newline."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._rest = ""

    def read(self, size: int = -1) -> str:
        """Return up to `size` characters, all that is left when negative; empty at the end."""
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            line = next(self._lines, "")
            if not line:
                break
            parts.append(line)
            length += len(line)
        joined = "".join(parts)
        if size < 0:
            self._rest = ""
            return joined
        self._rest = joined[size:]
        return joined[:size]
