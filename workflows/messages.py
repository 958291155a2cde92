"""Checks that updates share; a rejected update leaves no trace in the history."""

from temporalio.exceptions import ApplicationError

from duties.interventions import Intervention

MOST_CHARACTERS = 500


def require_signed(intervention: Intervention) -> None:
    """Reject an intervention without an actor and a reason."""
    for what, text in (("an actor", intervention.actor), ("a reason", intervention.reason)):
        if not text.strip() or len(text) > MOST_CHARACTERS:
            raise ApplicationError(f"an intervention needs {what}", type="InvalidIntervention")


def reject(message: str) -> ApplicationError:
    """The error of an update that makes no sense now."""
    return ApplicationError(message, type="InvalidIntervention")
