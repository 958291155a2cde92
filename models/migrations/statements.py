"""Run the SQL file that lies beside a migration."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection


def run_statements(connection: Connection, module_file: str, direction: str) -> None:
    """Run `<module>.up.sql` or `<module>.down.sql` in the migration's transaction."""
    path = Path(module_file).with_suffix(f".{direction}.sql")
    # Without parameters the driver leaves the percent signs of the statements alone.
    connection.execution_options(no_parameters=True).exec_driver_sql(path.read_text())
