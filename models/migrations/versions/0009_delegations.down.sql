DROP TABLE delegated_withdrawal;
