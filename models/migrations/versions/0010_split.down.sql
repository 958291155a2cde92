DROP INDEX ix_chain_event_undone;
ALTER TABLE chain_event
    ADD CONSTRAINT ck_chain_event_applied_is_canonical CHECK (NOT (applied AND orphaned));
ALTER TABLE chain_view
    DROP CONSTRAINT ck_chain_view_intake_is_known,
    ADD CONSTRAINT ck_chain_view_intake_is_known CHECK (intake IN ('open', 'halted', 'late')),
    DROP CONSTRAINT ck_chain_view_a_split_names_both,
    DROP COLUMN split_hash,
    DROP COLUMN split_at;
