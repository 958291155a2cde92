"""Errors that a person at a terminal is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError
from temporalio.service import RPCError

from ledger.refusals import Refusal
from protocol.errors import ProtocolError
from setting_types import SettingsError


@contextmanager
def as_click_errors() -> Iterator[None]:
    """Turn what a command may meet into a message and exit code 1."""
    try:
        yield
    except (SettingsError, ProtocolError, Refusal) as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException("the database does not answer") from error
    except (RPCError, RuntimeError) as error:
        raise click.ClickException(f"Temporal: {error}") from error
