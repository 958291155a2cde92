-- Order among waiting transactions, and what mined ones cost.

ALTER TABLE transaction_intent
    ADD COLUMN asked_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN mined_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN gas_cost NUMERIC(78, 0) CONSTRAINT ck_transaction_intent_gas_cost_is_uint256 CHECK (gas_cost >= 0 AND gas_cost <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
    ADD CONSTRAINT ck_transaction_intent_cost_comes_with_the_block CHECK ((mined_at IS NULL) = (gas_cost IS NULL));
CREATE INDEX ix_transaction_intent_mined_at ON transaction_intent (account, mined_at) WHERE mined_at IS NOT NULL;
