"""What is done by the calendar: checks that are independent of each other and may be skipped."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from duties import names

CATCH_UP: Final = timedelta(minutes=10)
"""A run that is due while Temporal is away is made up for if that took no longer."""


@dataclass(frozen=True)
class Plan:
    """A schedule: `id` names it and its runs, `workflow` is the type that it starts."""

    id: str
    workflow: str
    every: timedelta
    summary: str


ALL: Final = (
    Plan("fuel", names.FUEL_WORKFLOW, timedelta(minutes=10), "Look at the operator's ether"),
    Plan(
        "reconcile",
        names.RECONCILE_WORKFLOW,
        timedelta(minutes=5),
        "Start the duties that are missing",
    ),
    Plan(
        "sanity",
        names.SANITY_WORKFLOW,
        timedelta(hours=1),
        "Hold the ledger against the contract and itself",
    ),
    Plan("retention", names.RETENTION_WORKFLOW, timedelta(hours=24), "Delete what is not needed"),
    Plan("terms", names.TERMS_WORKFLOW, timedelta(hours=24), "Fetch the terms of service"),
)
