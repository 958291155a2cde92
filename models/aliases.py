"""Aliases of tables that many threads use in their statements."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import aliased

from models.base import Base

Model = TypeVar("Model", bound=Base)


def shared_alias(model: type[Model]) -> type[Model]:
    """An alias whose columns are all resolved: to be made at import and kept.

    SQLAlchemy resolves them at their first use and guards that by no lock. Two threads at once can
    leave a column that stands for the table itself: every later statement of the process then
    multiplies its rows by all of that table's.
    """
    alias = aliased(model)
    for attribute in inspect(model).column_attrs:
        getattr(alias, attribute.key).expression  # noqa: B018
    return alias
