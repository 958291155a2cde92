"""The worker's process: it ends when it is told to, whatever it waits for."""

import signal
import time
from pathlib import Path

from stack.part import running
from stack.parts import Worker
from stack.ports import free_port

START_TIMEOUT_S = 60
END_TIMEOUT_S = 10


def test_a_worker_that_waits_for_temporal_ends_at_once_when_told_to(
    database_url: str, tmp_path: Path
) -> None:
    environment = {
        "HUB_DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "HUB_ETHEREUM_NODE_URL": f"http://127.0.0.1:{free_port()}",
        "HUB_LQD_CONTRACT_ADDRESS": "11" * 20,
    }
    log = tmp_path / "worker.log"
    with running(Worker(environment), log) as process:
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"waiting for Temporal" not in log.read_bytes():
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_TIMEOUT_S) == 0
