ALTER TABLE intervention_record ADD COLUMN value TEXT;
ALTER TABLE intervention_record ADD COLUMN update_id TEXT;
ALTER TABLE intervention_record ADD CONSTRAINT uq_intervention_record_subject_update_id UNIQUE (subject, update_id);
ALTER TABLE intervention_record ADD CONSTRAINT ck_intervention_record_is_signed CHECK (btrim(actor) <> '' AND btrim(reason) <> '');

CREATE TABLE intake_pause (
    entry TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_intake_pause PRIMARY KEY (entry),
    CONSTRAINT ck_intake_pause_entry_is_known CHECK (entry IN ('admissions', 'transfers', 'orders'))
);

-- A closed intake is three pauses now.
INSERT INTO intake_pause (entry, actor, reason)
SELECT entry, 'migration', 'the intake was closed' FROM chain_view, unnest(ARRAY['admissions', 'transfers', 'orders']) AS entry
WHERE intake = 'closed';
UPDATE chain_view SET intake = 'open' WHERE intake = 'closed';
ALTER TABLE chain_view DROP CONSTRAINT ck_chain_view_intake_is_known;
ALTER TABLE chain_view ADD CONSTRAINT ck_chain_view_intake_is_known CHECK (intake IN ('open', 'halted', 'late'));
