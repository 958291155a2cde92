"""The activity that checks everything once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from temporalio import activity

from activities.context import Context
from activities.running import beating
from activities.sanity.contract import check_parameters, check_submissions
from activities.sanity.findings import Findings
from activities.sanity.money import check_conservation, check_funds, check_requests
from duties import tasks
from duties.checks import SanityReport

MOST_SHOWN: Final = 50
CHECKS: Final[tuple[Callable[[Context, Findings], None], ...]] = (
    check_parameters,
    check_submissions,
    check_requests,
    check_funds,
    check_conservation,
)


class Sanity:
    """Carries out `check_sanity`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.CHECK_SANITY.name)
    async def check_sanity(self) -> SanityReport:
        """Check contract, requests, money and books; whatever does not hold becomes an alarm."""
        findings = Findings()
        for check in CHECKS:
            await beating(lambda check=check: check(self._context, findings))  # type: ignore[misc]
        await beating(lambda: self._report(findings))
        shown = [f"{one.subject} ({one.about}): {one.message}" for one in sorted(findings.found)]
        return SanityReport(tuple(shown[:MOST_SHOWN]), tuple(findings.unchecked))

    def _report(self, findings: Findings) -> None:
        with self._context.sessions.begin() as session:
            findings.report(session)
