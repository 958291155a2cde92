DROP INDEX ix_transaction_intent_mined_at;
ALTER TABLE transaction_intent
    DROP CONSTRAINT ck_transaction_intent_cost_comes_with_the_block,
    DROP COLUMN gas_cost,
    DROP COLUMN mined_at,
    DROP COLUMN asked_at;
