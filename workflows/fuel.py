"""Looking at the ether that pays for everything the operator owes."""

from temporalio import workflow

from duties import names, tasks
from duties.checks import FuelReport
from workflows.asking import ask
from workflows.showing import show


@workflow.defn(name=names.FUEL_WORKFLOW)
class FuelCheckWorkflow:
    """Runs by schedule; warns while the account is short of ether."""

    @workflow.run
    async def run(self) -> FuelReport:
        """Look once; a silent node is waited for."""
        report = await ask(tasks.CHECK_FUEL, None)
        show(
            "fuel",
            report.state,
            f"- balance: `{report.balance}` wei",
            f"- warned below: `{report.threshold}` wei",
            f"- a checkpoint and ten answers cost: `{report.reserve}` wei",
        )
        return report
