ALTER TABLE sending_account
    DROP CONSTRAINT ck_sending_account_the_critical_ceiling_allows_sending,
    DROP CONSTRAINT ck_sending_account_the_ceiling_allows_sending,
    DROP CONSTRAINT ck_sending_account_the_lane_has_room,
    DROP CONSTRAINT ck_sending_account_the_critical_ceiling_is_the_higher,
    DROP COLUMN critical_ceiling,
    DROP COLUMN ceiling,
    DROP COLUMN in_flight;
