-- Versions of tools that fail, as a forge's key has signed: plain names reach an older one. A row counts by its envelope,
-- and as long as no admin has restored the version; a restored one stays, so that no host takes it back again by itself.
CREATE TABLE rollbacks (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- SHA-256 of the component.
    component TEXT NOT NULL,
    envelope TEXT NOT NULL,
    -- The host that has decided.
    host TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    restored_by TEXT,
    restored_ms BIGINT,
    PRIMARY KEY (name, version, component)
);
