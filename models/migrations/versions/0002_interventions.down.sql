ALTER TABLE chain_view DROP CONSTRAINT ck_chain_view_intake_is_known;
ALTER TABLE chain_view ADD CONSTRAINT ck_chain_view_intake_is_known CHECK (intake IN ('open', 'halted', 'late', 'closed'));
DROP TABLE intake_pause;
ALTER TABLE intervention_record DROP CONSTRAINT ck_intervention_record_is_signed;
ALTER TABLE intervention_record DROP CONSTRAINT uq_intervention_record_subject_update_id;
ALTER TABLE intervention_record DROP COLUMN update_id;
ALTER TABLE intervention_record DROP COLUMN value;
