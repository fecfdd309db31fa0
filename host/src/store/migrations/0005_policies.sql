-- Who may do what and whose signatures count, as admins have signed it for all hosts that share this database. Only the
-- envelope counts, and each host verifies it with the trust roots that it has.
CREATE TABLE policies (
    serial BIGINT PRIMARY KEY,
    envelope TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
