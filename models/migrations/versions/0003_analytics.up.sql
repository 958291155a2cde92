-- What analytics would otherwise count again and again.

CREATE TABLE transfer_count (
    eon BIGINT NOT NULL,
    day DATE NOT NULL,
    count BIGINT NOT NULL CONSTRAINT ck_transfer_count_count_is_not_negative CHECK (count >= 0),
    CONSTRAINT pk_transfer_count PRIMARY KEY (eon, day),
    CONSTRAINT fk_transfer_count_eon FOREIGN KEY(eon) REFERENCES eon (number)
);
CREATE INDEX ix_transfer_eon ON transfer USING brin (eon);
