"""Duties that are running when the code changes must go on: recorded lives are replayed."""

import ast
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from duties import names
from tests.histories import recording, reordered
from tests.workflows import scenarios
from workflows import eon, registry


def named(name: str) -> WorkflowHistory:
    return next(history for history in recording.histories() if history.workflow_id == name)


@pytest.mark.parametrize("history", recording.histories(), ids=lambda one: one.workflow_id)
async def test_every_recorded_life_replays(history: WorkflowHistory) -> None:
    replayer = Replayer(workflows=registry.ALL)
    await replayer.replay_workflow(history)


def test_every_workflow_type_has_at_least_three_recorded_lives() -> None:
    types = {name for key, name in vars(names).items() if key.endswith("_WORKFLOW")}
    recorded = {folder.name: len(list(folder.glob("*.json"))) for folder in lives()}
    assert set(recorded) == types
    assert min(recorded.values()) >= 3
    assert recorded == {name: len(lives) for name, lives in scenarios.ALL.items()}


def lives() -> list[Path]:
    return [path for path in recording.FOLDER.iterdir() if list(path.glob("*.json"))]


def test_the_code_is_the_one_whose_lives_were_recorded() -> None:
    """A difference: put it behind `workflow.patched`, then record anew (see docs/duties.md)."""
    committed = json.loads(recording.FINGERPRINTS.read_text())
    assert recording.fingerprints() == committed


async def test_a_deliberately_reordered_workflow_fails_the_replay() -> None:
    replayer = Replayer(workflows=[reordered.EonWorkflow])
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(named("eon_committed"))


def test_a_deliberately_reordered_workflow_has_another_fingerprint() -> None:
    source = Path(eon.__file__).read_text()
    closing = "        await self._step(tasks.CLOSE_EON, eon - 1)\n"
    entering = "        self._enter(Phase.BUILDING)\n"
    assert closing in source and entering in source
    swapped = source.replace(closing, "").replace(entering, entering + closing, 1)
    ast.parse(swapped)
    assert recording.fingerprint(swapped) != recording.fingerprint(source)


def test_a_comment_or_docstring_leaves_the_fingerprint_alone() -> None:
    plain = "def pay():\n    return 1\n"
    explained = '"""Paying."""\n\n\ndef pay():\n    # the rule\n    return 1\n'
    documented = '"""Paying, as it was."""\n\n\ndef pay():\n    return 1\n'
    assert recording.fingerprint(explained) == recording.fingerprint(documented)
    assert recording.fingerprint(plain) != recording.fingerprint(plain.replace("1", "2"))
