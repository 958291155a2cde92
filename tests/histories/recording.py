"""Recording histories of every workflow type, and the fingerprints of what made them.

`python -m tests.histories.recording` writes them anew, all of them or those of the workflow types
and scenarios that are named. Do so only when no execution of the old
code can be running any more, or after putting the change behind `workflow.patched`.
"""

import ast
import asyncio
import hashlib
import importlib
import json
import pkgutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

import workflows
from stack.temporal import script_path
from tests.workflows import scenarios
from tests.workflows.scripted import Script, at_work, calendar, register_attributes

FOLDER = Path(__file__).parent
FINGERPRINTS = FOLDER / "fingerprints.json"


def fingerprint(source: str) -> str:
    """A digest of what a module does: comments, docstrings and layout do not count."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            text = body[0].value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                body[0] = ast.Expr(ast.Constant(None))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def fingerprints() -> dict[str, str]:
    """The fingerprint of every module whose order of commands running duties depend on."""
    found = {}
    for module in pkgutil.iter_modules(workflows.__path__, "workflows."):
        source = importlib.import_module(module.name).__file__
        found[module.name] = fingerprint(Path(source or "").read_text())
    return found


def histories() -> list[WorkflowHistory]:
    """Every committed history, under the name of its scenario."""
    paths = sorted(FOLDER.glob("*/*.json"))
    return [WorkflowHistory.from_json(path.stem, path.read_text()) for path in paths]


async def record_scenario(workflow: str, scenario: scenarios.Scenario) -> None:
    """Live one life of a duty and keep its history."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(script_path("temporal-test-server"))
    )
    async with environment:
        await register_attributes(environment.client)
        # Short eons: a long wait is recorded as well by a few questions as by a thousand.
        times = calendar(blocks_per_eon=432, confirmations=3, checkpoint_threshold_blocks=6)
        script = Script(environment, times)
        async with at_work(environment.client, script):
            handle = await scenario(script)
            history = await handle.fetch_history()
    path = FOLDER / workflow / f"{scenario.__name__}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(_without_machine(history.to_json_dict())) + "\n")


def _without_machine(part: Any) -> Any:
    """The history without stack traces and the name of the process that recorded it."""
    if isinstance(part, dict):
        kept = {name: value for name, value in part.items() if name != "stackTrace"}
        return {
            name: "recorder" if name == "identity" else _without_machine(value)
            for name, value in kept.items()
        }
    if isinstance(part, list):
        return [_without_machine(item) for item in part]
    return part


async def record(wanted: Collection[str]) -> None:
    """Record scenarios, one server each, and the fingerprints.

    `wanted` are names of workflow types or of scenarios; without any, all of them.
    """
    for workflow, lives in scenarios.ALL.items():
        for scenario in lives:
            if wanted and not {workflow, scenario.__name__} & set(wanted):
                continue
            await record_scenario(workflow, scenario)
            sys.stdout.write(f"{workflow}: {scenario.__name__}\n")
            sys.stdout.flush()
    FINGERPRINTS.write_text(json.dumps(fingerprints(), indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
