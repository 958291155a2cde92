DROP INDEX ix_withdrawal_request_open;
ALTER TABLE withdrawal_request
    DROP CONSTRAINT ck_withdrawal_request_a_queued_slash_was_decided,
    DROP COLUMN slash_id;
DROP TABLE slash;
