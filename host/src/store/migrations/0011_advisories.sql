-- What admins warned of, as they signed it, for all hosts that share this database. Only the envelope counts, and each host
-- verifies it with the trust roots that it has; a row that is removed changes nothing on a host that has seen it.
CREATE TABLE advisories (
    id TEXT NOT NULL,
    serial BIGINT NOT NULL,
    envelope TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (id, serial)
);

-- Which host builds a tool again that an advisory touches, so that not all of them do.
CREATE TABLE rebuilds (
    component TEXT NOT NULL,
    advisory TEXT NOT NULL,
    serial BIGINT NOT NULL,
    host TEXT NOT NULL,
    claimed_ms BIGINT NOT NULL,
    PRIMARY KEY (component, advisory, serial)
);
