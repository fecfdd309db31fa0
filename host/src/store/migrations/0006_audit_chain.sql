-- Rows of the audit trail hang on each other: each hash is made of the row and the hash before it. Rows from before this
-- have none.
ALTER TABLE audit ADD COLUMN hash TEXT;

-- What hosts have signed of chains, as signed envelopes. Only the envelope counts; the columns beside it find it again.
CREATE TABLE audit_checkpoints (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    envelope TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- One row for each chain, which whoever adds to the chain holds meanwhile, and how much of it the topic has: the number of
-- the last row, and that of the last checkpoint.
CREATE TABLE audit_chains (
    chain TEXT PRIMARY KEY,
    rows_sent BIGINT NOT NULL,
    checkpoints_sent BIGINT NOT NULL
);
