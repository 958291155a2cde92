"""The one folder that holds all data of the embedded stack."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import AlreadyRunning


class DataFolder:
    """The folder `root` with a place for each part, locked by the stack that uses it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def part(self, name: str) -> Path:
        """Where the part `name` keeps its data."""
        return self.root / name

    @property
    def logs(self) -> Path:
        """Where the parts' logs are, one file each."""
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        """Where the process number of each running part is, one file each."""
        return self.root / "pids"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the folder; raises `AlreadyRunning` while another stack does.

        The kernel gives the lock back when its owner ends, however it ends.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(
                    f"another stack runs on {self.root}; stop it or set HUB_DATA_DIR"
                ) from error
            self.logs.mkdir(exist_ok=True)
            shutil.rmtree(self.pids, ignore_errors=True)
            self.pids.mkdir()
            yield

    def clear(self) -> None:
        """Delete everything below the folder except the lock, which the caller holds."""
        for entry in self.root.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
