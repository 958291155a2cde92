-- First answers to requests that carry a key.

CREATE TABLE idempotent_answer (
    key TEXT NOT NULL,
    request BYTEA NOT NULL CONSTRAINT ck_idempotent_answer_request_has_32_bytes CHECK (octet_length(request) = 32),
    status BIGINT CONSTRAINT ck_idempotent_answer_status_is_not_negative CHECK (status >= 0),
    body TEXT,
    time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotent_answer PRIMARY KEY (key),
    CONSTRAINT ck_idempotent_answer_key_is_short CHECK (char_length(key) BETWEEN 1 AND 255),
    CONSTRAINT ck_idempotent_answer_an_answer_is_whole CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX ix_idempotent_answer_time ON idempotent_answer (time);
