"""A whole stack of one's own on free ports and a folder that nobody else uses, to be mistreated."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from settings import ROOT, Settings, inherited_environment
from stack.data_folder import DataFolder
from stack.errors import NotReady
from stack.ports import free_port, is_listening
from stack.postgres import EmbeddedPostgres
from stack.saboteur import survivors

STOP_TIMEOUT_S: Final = 60
POLL_S: Final = 0.5
# An empty value means unset: a trial breaks parts of its own, never those that somebody relies on.
REAL_SERVICES: Final = (
    "HUB_DATABASE_URL",
    "POSTGRES_SERVER_HOST",
    "TEMPORAL_ADDRESS",
    "HUB_ETHEREUM_NODE_URL",
    "RUNNING_IN_PRODUCTION",
)
PORTS: Final = (
    "HUB_POSTGRES_PORT",
    "HUB_TEMPORAL_PORT",
    "HUB_TEMPORAL_UI_PORT",
    "HUB_NODE_PORT",
    "HUB_API_PORT",
)


@contextmanager
def trial_folder(label: str, *, keep: bool) -> Iterator[DataFolder]:
    """A temporary folder that an unprivileged PostgreSQL can reach; deleted unless to `keep`.

    An error keeps it too: its logs say what happened.
    """
    folder = DataFolder(Path(tempfile.mkdtemp(prefix=f"nocust-{label}-")))
    folder.root.chmod(0o755)
    try:
        yield folder
    except BaseException:
        keep = True
        raise
    finally:
        if not keep:
            shutil.rmtree(folder.root, ignore_errors=True)


class TrialStack:
    """`nocust-operator up` in a process of its own, with `environment` over our own."""

    def __init__(self, folder: DataFolder, **environment: str) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self._environment = {
            **inherited_environment(**dict.fromkeys(REAL_SERVICES, "")),
            **{name: str(port) for name, port in self.ports.items()},
            "HUB_DATA_DIR": str(folder.root),
            **environment,
        }
        self.settings = Settings.from_env(self._environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where wallets connect."""
        return f"http://127.0.0.1:{self.ports['HUB_API_PORT']}"

    @property
    def node_url(self) -> str:
        """The embedded node, if the environment names no other."""
        return f"http://127.0.0.1:{self.ports['HUB_NODE_PORT']}"

    def database_url(self) -> str:
        """The database that the stack itself uses; it must have been started once."""
        port = self.ports["HUB_POSTGRES_PORT"]
        return EmbeddedPostgres(self.folder.part("postgres"), port).url()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it up while the body runs; it may not be ready yet. Stopped in order afterwards."""
        self.folder.root.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "cli.py"),
                "up",
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield
        finally:
            if self._process.returncode is None:
                self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)

    @property
    def _log(self) -> Path:
        """What the supervisor says of its parts."""
        return self.folder.root / "up.log"

    async def is_ready(self) -> bool:
        """Whether wallets can be served now. Raises `NotReady` if the stack has given up."""
        if self._process is None or self._process.returncode is not None:
            raise NotReady(f"the stack has ended; see {self._log}")
        return await asyncio.to_thread(_answers, f"{self.url}/health/ready")

    async def until_ready(self, timeout_s: float) -> None:
        """Wait until wallets can be served. Raises `NotReady` with the place of the logs."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not await self.is_ready():
            if asyncio.get_running_loop().time() > deadline:
                raise NotReady(
                    f"the stack is not ready after {timeout_s} s; see {self.folder.logs}"
                )
            await asyncio.sleep(POLL_S)

    def leftovers(self) -> list[str]:
        """List what a stopped stack left running: processes and ports, in words."""
        found = [f"a process outlived the stack: {process}" for process in survivors(self.folder)]
        return found + [
            f"port {port} ({name}) is still served"
            for name, port in self.ports.items()
            if is_listening("127.0.0.1", port)
        ]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
