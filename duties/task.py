"""How a workflow asks for an activity: its name, its types and its limits in one place."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio.common import RetryPolicy

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def persistent(*final_errors: str, ceiling_s: float = 30.0) -> RetryPolicy:
    """Retry for ever, doubling from one second; never after an error named in `final_errors`."""
    return RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(seconds=ceiling_s),
        non_retryable_error_types=list(final_errors),
    )


@dataclass(frozen=True)
class Task(Generic[Argument, Result]):
    """One activity as its callers see it: it takes one `argument` (None: nothing).

    `time_limit` bounds one attempt, `heartbeat` the silence within it. `urgent_queue` takes it
    instead of `queue` where the chain halts without it.
    """

    name: str
    argument: type[Argument]
    result: type[Result]
    queue: str
    time_limit: timedelta
    heartbeat: timedelta | None = None
    retry: RetryPolicy = field(default_factory=persistent)
    urgent_queue: str = ""
