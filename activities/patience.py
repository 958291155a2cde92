"""A node that says when to come back is asked again then, not sooner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from chain.errors import NodeBusy


class Patience(Interceptor):
    """Turns a node's request for patience into the delay of the activity's next attempt."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand before every activity of a worker."""
        return _Waiting(next)


class _Waiting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except NodeBusy as busy:
            if busy.retry_after_s is None:
                raise
            raise ApplicationError(
                str(busy),
                type=type(busy).__name__,
                next_retry_delay=timedelta(seconds=busy.retry_after_s),
                category=ApplicationErrorCategory.BENIGN,
            ) from None
