"""Rules that need a trigger: a closed eon is immutable, whoever writes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, event

from models.base import Base

CLOSED_EON: Final = """
CREATE FUNCTION refuse_entries_of_a_closed_eon() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM added JOIN eon ON eon.number = added.eon WHERE eon.closed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the eon is closed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;
"""
GUARDED: Final = ("transfer", "active_state", "matching")
STATEMENTS: Final = (
    CLOSED_EON,
    *(
        f"CREATE TRIGGER closed_eon_is_immutable AFTER INSERT ON {table} "
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT "
        "EXECUTE FUNCTION refuse_entries_of_a_closed_eon();"
        for table in GUARDED
    ),
    "ALTER TABLE balance_tree_level ALTER COLUMN hashes SET STORAGE EXTERNAL;",
    "ALTER TABLE balance_tree_level ALTER COLUMN bounds SET STORAGE EXTERNAL;",
)

for _statement in STATEMENTS:
    event.listen(Base.metadata, "after_create", DDL(_statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
