-- What a person sets for the account that sends counts before the settings; NULL: the settings.

ALTER TABLE sending_account
    ADD COLUMN in_flight BIGINT CONSTRAINT ck_sending_account_in_flight_is_not_negative CHECK (in_flight >= 0),
    ADD COLUMN ceiling NUMERIC(78, 0) CONSTRAINT ck_sending_account_ceiling_is_uint256 CHECK (ceiling >= 0 AND ceiling <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
    ADD COLUMN critical_ceiling NUMERIC(78, 0) CONSTRAINT ck_sending_account_critical_ceiling_is_uint256 CHECK (critical_ceiling >= 0 AND critical_ceiling <= 115792089237316195423570985008687907853269984665640564039457584007913129639935),
    ADD CONSTRAINT ck_sending_account_the_critical_ceiling_is_the_higher CHECK (ceiling <= critical_ceiling),
    ADD CONSTRAINT ck_sending_account_the_lane_has_room CHECK (in_flight BETWEEN 5 AND 1000),
    ADD CONSTRAINT ck_sending_account_the_ceiling_allows_sending CHECK (ceiling BETWEEN 1000000000 AND 1000000000000000),
    ADD CONSTRAINT ck_sending_account_the_critical_ceiling_allows_sending CHECK (critical_ceiling BETWEEN 1000000000 AND 1000000000000000);
