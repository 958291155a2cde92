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
    Plan("terms", names.TERMS_WORKFLOW, timedelta(hours=24), "Fetch the terms of service"),
)
