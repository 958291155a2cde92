"""What people are told that a duty takes is what it takes."""

from temporalio import workflow

from duties.interventions import ALL, BETWEEN_DUTIES, SIGNALLED, SIGNALS, TAKEN
from workflows import registry


def test_the_table_of_interventions_is_what_the_workflows_declare() -> None:
    declared = {}
    for kind in registry.ALL:
        definition = workflow._Definition.must_from_class(kind)
        updates = {name for name in definition.updates if name}
        signals = {name for name in definition.signals if name} - BETWEEN_DUTIES
        declared[definition.name] = (updates, signals)
    table = {kind: (set(updates), set(SIGNALLED.get(kind, ()))) for kind, updates in TAKEN.items()}
    assert declared == table


def test_every_update_validates_who_acts_and_why() -> None:
    for kind in registry.ALL:
        definition = workflow._Definition.must_from_class(kind)
        assert all(update.validator is not None for update in definition.updates.values())


def test_no_signal_is_called_like_an_update() -> None:
    assert not SIGNALS & {action for actions in TAKEN.values() for action in actions}
    assert set(ALL) == SIGNALS | {action for actions in TAKEN.values() for action in actions}
