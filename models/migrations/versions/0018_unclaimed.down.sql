DROP TABLE unclaimed_claim;
