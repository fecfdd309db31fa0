-- What the try-out of a build came to, JSON.
ALTER TABLE builds ADD COLUMN examined TEXT;

-- Who has something made now, and holds this row while it is looked whether there is room for it.
CREATE TABLE tool_makers (
    maker TEXT PRIMARY KEY,
    turns BIGINT NOT NULL
);

-- Tools that are being made, or were made so lately that not every host has them yet. They count against their maker's
-- limits until then; what is installed is counted by its signature.
CREATE TABLE tool_claims (
    id TEXT PRIMARY KEY,
    maker TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    until_ms BIGINT NOT NULL
);
CREATE INDEX tool_claims_by_maker ON tool_claims (maker);

-- The last day (days since 1970, UTC) on which somebody called a forged tool. The row with the empty name is the day from
-- which on this is noted.
CREATE TABLE tool_uses (
    name TEXT PRIMARY KEY,
    day BIGINT NOT NULL
);

-- What the forge of a host has to say on the topic, until it was sent there.
CREATE TABLE forge_news (
    id TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    news TEXT NOT NULL
);
CREATE INDEX forge_news_by_instance ON forge_news (instance, id);
