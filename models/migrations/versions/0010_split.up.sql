-- A chain that parts from what was confirmed: both branches are kept until a person decides.

ALTER TABLE chain_view
    ADD COLUMN split_at BIGINT CONSTRAINT ck_chain_view_split_at_is_not_negative CHECK (split_at >= 0),
    ADD COLUMN split_hash BYTEA CONSTRAINT ck_chain_view_split_hash_has_32_bytes CHECK (octet_length(split_hash) = 32),
    ADD CONSTRAINT ck_chain_view_a_split_names_both CHECK ((split_at IS NULL) = (split_hash IS NULL)),
    DROP CONSTRAINT ck_chain_view_intake_is_known,
    ADD CONSTRAINT ck_chain_view_intake_is_known CHECK (intake IN ('open', 'halted', 'late', 'split'));
ALTER TABLE chain_event DROP CONSTRAINT ck_chain_event_applied_is_canonical;
CREATE INDEX ix_chain_event_undone ON chain_event (block, log_index) WHERE applied AND orphaned;
