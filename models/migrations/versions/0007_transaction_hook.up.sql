-- Up to which notification the hook for transactions has been told.

CREATE TABLE transaction_hook_mark (
    id BIGINT DEFAULT '1' NOT NULL,
    delivered BIGINT NOT NULL CONSTRAINT ck_transaction_hook_mark_delivered_is_not_negative CHECK (delivered >= 0),
    CONSTRAINT pk_transaction_hook_mark PRIMARY KEY (id),
    CONSTRAINT ck_transaction_hook_mark_one_row CHECK (id = 1)
);
