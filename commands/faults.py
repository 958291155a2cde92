"""Errors that a person at a terminal is told in one line."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError
from temporalio.service import RPCError

from api.office import DutyRefuses, NobodyWorks, NoSuchDuty, TemporalAway
from ledger.interventions import UpdateIdTaken
from ledger.refusals import Refusal
from protocol.errors import ProtocolError
from setting_types import SettingsError
from stack.errors import StackError

RUNTIME_ENDS_S = 0.2
"""The SDK's own threads let go of their last objects in this time."""


@contextmanager
def as_click_errors() -> Iterator[None]:
    """Turn what a command may meet into a message and exit code 1."""
    try:
        yield
    except click.ClickException as error:
        _release(error)
        raise
    except (SettingsError, ProtocolError, Refusal, UpdateIdTaken, StackError) as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException("the database does not answer") from error
    except (TemporalAway, NoSuchDuty, DutyRefuses, NobodyWorks) as error:
        _release(error)
        raise click.ClickException(str(error)) from None
    except (RPCError, RuntimeError) as error:
        _release(error)
        raise click.ClickException(f"Temporal: {error}") from None


def _release(error: BaseException) -> None:
    """Drop what the frames of an error hold: a client alive at exit aborts the interpreter."""
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    gc.collect()
    time.sleep(RUNTIME_ENDS_S)
