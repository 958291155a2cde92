"""What workflows may ask for is what activities offer: same names, queues and types."""

import inspect
import typing
from typing import Any, cast

from temporalio import activity
from temporalio.client import Client

from activities.context import Context
from activities.registry import activities_of
from duties import search_attributes, tasks
from duties.task import Task
from stack.temporal import MOST_INTEGERS

TASKS = {task.name: task for task in vars(tasks).values() if isinstance(task, Task)}


class Unused:
    """Stands where an activity's parts would be; nothing is called here."""

    def __getattr__(self, name: str) -> Any:
        return Unused()


def offered() -> dict[str, tuple[set[str], Any]]:
    """Queues and function of every activity, by name."""
    by_queue = activities_of(cast(Context, Unused()), cast(Client, Unused()))
    found: dict[str, tuple[set[str], Any]] = {}
    for queue, functions in by_queue.items():
        for function in functions:
            name = activity._Definition.must_from_callable(function).name or ""
            found.setdefault(name, (set(), function))[0].add(queue)
    return found


def test_every_task_is_offered_on_its_queue_and_nothing_else_is() -> None:
    assert {name: queues for name, (queues, _) in offered().items()} == {
        name: {task.queue, task.urgent_queue} - {""} for name, task in TASKS.items()
    }


def test_every_activity_takes_and_gives_what_its_task_says() -> None:
    for name, (_, function) in offered().items():
        hints = typing.get_type_hints(function)
        gives = hints.pop("return")
        takes = list(hints.values())
        assert takes == ([] if TASKS[name].argument is type(None) else [TASKS[name].argument]), name
        assert gives is TASKS[name].result, name
        assert len(inspect.signature(function).parameters) == len(takes), name


def test_long_tasks_heartbeat_and_every_task_is_bounded() -> None:
    for task in TASKS.values():
        assert task.time_limit.total_seconds() <= 3_600, task.name
        if task.time_limit.total_seconds() > 600:
            assert task.heartbeat is not None, task.name


def test_search_attributes_fit_a_development_server() -> None:
    kinds = [key.indexed_value_type.name for key in search_attributes.ALL]
    assert kinds.count("INT") <= MOST_INTEGERS
    assert kinds.count("BOOL") <= 2
    assert len({key.name for key in search_attributes.ALL}) == len(kinds)
