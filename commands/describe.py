"""`nocust-operator describe`: the API's own words about itself, for files and other tools."""

from __future__ import annotations

import click

from api.openapi.explanations import explain


@click.group()
def describe() -> None:
    """Write what the API says about itself."""


@describe.command()
def errors() -> None:
    """Write the page of error codes as Markdown: docs/errors.md."""
    click.echo(explain(), nl=False)
