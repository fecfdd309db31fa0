-- What is installed on the hosts that share this database: each takes from here what it lacks, and verifies it as if it
-- came from anywhere. `entry` is the digest by which the registry knows the files together.
CREATE TABLE bundles (
    entry TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- JSON; empty where the component was removed.
    files TEXT NOT NULL,
    -- 1 where the component was removed, else 0.
    removed BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);
