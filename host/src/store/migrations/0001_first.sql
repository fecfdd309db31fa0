-- One dialect for SQLite and PostgreSQL: TEXT and BIGINT only, keys made by the host, no defaults that differ.
-- Times are milliseconds since 1970-01-01T00:00:00Z, digests 64 hexadecimal digits, lists JSON text.

-- Signed approvals as they came in. The envelope is what counts and is verified at every load; the columns beside it
-- only find it again.
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    component TEXT NOT NULL,
    manifest TEXT NOT NULL,
    name TEXT NOT NULL,
    envelope TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX approvals_by_component ON approvals (component, manifest);

-- What admins decided about components beside approving them. A component without a row is active.
CREATE TABLE components (
    component TEXT NOT NULL,
    manifest TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    maker TEXT,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (component, manifest)
);

-- Everything that the forge was asked for.
CREATE TABLE builds (
    id TEXT PRIMARY KEY,
    maker TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    source TEXT NOT NULL,
    outcome TEXT NOT NULL,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    version TEXT,
    component TEXT,
    timings TEXT NOT NULL,
    diagnostics TEXT NOT NULL,
    started_ms BIGINT NOT NULL
);
CREATE INDEX builds_by_maker ON builds (maker, started_ms);
CREATE INDEX builds_by_request ON builds (maker, request);

-- Who tried what. Rows are only ever added. Each host writes a chain of its own, numbered without gaps, so that hosts
-- that share a database never wait for each other.
CREATE TABLE audit (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    decision TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_by_time ON audit (at_ms);
