ALTER TABLE transaction_intent DROP CONSTRAINT ck_transaction_intent_duty_is_known;
ALTER TABLE transaction_intent ADD CONSTRAINT ck_transaction_intent_duty_is_known CHECK (duty IN ('answer', 'critical_slash', 'checkpoint', 'slash', 'token_registration', 'withdrawal_confirmation', 'delegated_withdrawal', 'repair'));
DROP TABLE cover;
