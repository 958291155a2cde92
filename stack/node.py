"""An embedded EVM node: anvil with its state in a file."""

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from contracts.development import DEVELOPMENT_CHAIN_ID, DEVELOPMENT_MNEMONIC
from settings import ROOT
from stack.errors import MissingBinary
from stack.ports import LOOPBACK
from stack.process import ProcessSpec

COPIES = 2


class AnvilNode:
    """A development node on 127.0.0.1:`port` (a `Part` of the stack).

    `block_time_s` mines an empty block that often; None mines only when asked (`evm_mine`), for
    tests. It keeps no historical states: contract state is read at the head only. The state is
    dumped once a second or once a block, so after a kill the chain may come back a few blocks
    shorter: to the operator an ordinary reorganisation.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        block_time_s: int | None,
        mnemonic: str = DEVELOPMENT_MNEMONIC,
        chain_id: int = DEVELOPMENT_CHAIN_ID,
    ) -> None:
        self.folder, self.port, self.block_time_s = folder, port, block_time_s
        self.chain_id = chain_id
        self._mnemonic = mnemonic
        self._state = folder / "state.json"
        self._copied = 0

    @property
    def url(self) -> str:
        """The JSON-RPC end point."""
        return f"http://{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Return to the last good copy of the state if a kill cut the file short."""
        self.folder.mkdir(parents=True, exist_ok=True)
        copies = [self._state, *(self._copy(n) for n in range(COPIES))]
        good = next((path for path in copies if _is_whole(path)), None)
        if good is None:
            self._state.unlink(missing_ok=True)
        elif good != self._state:
            shutil.copyfile(good, self._state)

    def tend(self) -> None:
        """Keep copies of the state while it runs; call about once a second.

        anvil writes its file in place, so the one copy that a kill interrupts is worthless.
        """
        try:
            changed = self._state.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed == self._copied or not _looks_whole(self._state):
            return
        unfinished = self._copy(COPIES)
        shutil.copyfile(self._state, unfinished)
        if self._state.stat().st_mtime_ns != changed or not _looks_whole(unfinished):
            return
        for number in reversed(range(COPIES - 1)):
            if self._copy(number).exists():
                self._copy(number).replace(self._copy(number + 1))
        unfinished.replace(self._copy(0))
        self._copied = changed

    def saved_at(self) -> float:
        """When the state was last written, in seconds since the epoch; 0 before the first time."""
        try:
            return self._state.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def spec(self) -> ProcessSpec:
        """anvil, silent: what it prints at start are the private keys of its accounts."""
        mining = (
            ("--no-mining",)
            if self.block_time_s is None
            else ("--block-time", str(self.block_time_s))
        )
        return ProcessSpec(
            name="node",
            command=(
                str(_program()),
                "--quiet",
                "--host",
                LOOPBACK,
                "--port",
                str(self.port),
                "--chain-id",
                str(self.chain_id),
                "--mnemonic",
                self._mnemonic,
                "--state",
                str(self._state),
                "--state-interval",
                str(self.block_time_s or 1),
                "--prune-history",
                "--cache-path",
                str(self.folder / "cache"),
                *mining,
            ),
            folder=self.folder,
        )

    def is_ready(self) -> bool:
        """Whether it answers with its chain id."""
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        request = urllib.request.Request(
            self.url, json.dumps(call).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:
                return int(json.load(answer)["result"], 16) == self.chain_id
        except (OSError, ValueError, KeyError):
            return False

    def _copy(self, number: int) -> Path:
        return self.folder / f"state.{number}.json"


def _program() -> Path:
    path = ROOT / "node_modules" / ".bin" / "anvil"
    if not path.exists():
        raise MissingBinary("anvil is not installed (npm ci); or set HUB_ETHEREUM_NODE_URL")
    return path.resolve()


def _is_whole(state: Path) -> bool:
    try:
        json.loads(state.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _looks_whole(state: Path) -> bool:
    """A cheap test for a file that may be large: it was written to its end."""
    with state.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 16))
        return file.read().rstrip().endswith(b"}")
