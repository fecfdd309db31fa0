-- What running hosts say of themselves every few seconds. `holds` is JSON: agents with their partitions. A host that
-- stops takes its row away; one that dies leaves it behind, and others remove it after a day.
CREATE TABLE hosts (
    instance TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    every_ms BIGINT NOT NULL,
    holds TEXT NOT NULL
);
