"""Our own processes as parts of the stack: the API servers and the worker."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from settings import ROOT
from stack.process import ProcessSpec
from stack.temporal import script_path

WORKER_GRACE_S = 30.0
ANSWER_BYTES = 300


class ApiServer:
    """One single-process API server; all of them share the port."""

    def __init__(self, number: int, environment: Mapping[str, str], health_url: str) -> None:
        self.name = f"api-{number}"
        self._environment, self._health_url = environment, health_url
        self.complaint = ""
        """What the server last said it lacks, for the person who waits."""

    def prepare(self) -> None:
        """Nothing: the API keeps no data of its own."""

    def spec(self) -> ProcessSpec:
        """`nocust-operator api`, in the foreground."""
        return ProcessSpec(
            name=self.name,
            command=(str(script_path("nocust-operator")), "api"),
            environment=self._environment,
            folder=ROOT,
        )

    def is_ready(self) -> bool:
        """Whether the operator answers that it is ready to serve wallets."""
        try:
            with urllib.request.urlopen(self._health_url, timeout=2):
                return True
        except urllib.error.HTTPError as error:
            self.complaint = error.read(ANSWER_BYTES).decode(errors="replace")
            return False
        except (OSError, ValueError):
            return False


class Worker:
    """The Temporal worker in all of its roles."""

    name = "worker"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def prepare(self) -> None:
        """Nothing: the worker keeps no data of its own."""

    def spec(self) -> ProcessSpec:
        """`worker.py --role all`, in the foreground."""
        return ProcessSpec(
            name=self.name,
            command=(sys.executable, str(ROOT / "worker.py"), "--role", "all"),
            environment=self._environment,
            folder=ROOT,
            grace_s=WORKER_GRACE_S,
        )

    def is_ready(self) -> bool:
        """True once started: what it does shows in the API's readiness."""
        return True
