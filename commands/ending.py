"""The end of a process that has spoken to Temporal."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

SDK = "temporalio.bridge.temporal_sdk_bridge"


def ending_at_once(main: Callable[[], Any]) -> NoReturn:
    """Run `main` and end the process with its exit code, as `sys.exit` would.

    Threads of Temporal's SDK may be on their way back from Python when the last answer has come; an
    interpreter that is taken down under them aborts, and what had succeeded looks failed. So where
    the SDK was loaded the interpreter is not taken down: what is registered for the exit runs, the
    outputs are flushed, and that is all.
    """
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    if SDK not in sys.modules:
        sys.exit(code)  # type: ignore[arg-type]
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    logging.shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads it any more.
            continue
    os._exit(code or 0)
