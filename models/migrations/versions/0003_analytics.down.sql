DROP INDEX ix_transfer_eon;
DROP TABLE transfer_count;
