-- Runs of agents that work in task mode, and the journal of what they asked and were answered.

-- One run for each record. `claim` is the turn that may write: a host that has lost the record can't. Seeds make random
-- numbers, `clock_ns` is the time that the run sees, `readings` what it read after its last step (JSON).
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    component TEXT NOT NULL,
    digest TEXT NOT NULL,
    topic TEXT NOT NULL,
    part BIGINT NOT NULL,
    record_offset BIGINT NOT NULL,
    record_key TEXT,
    traceparent TEXT NOT NULL,
    status TEXT NOT NULL,
    pinned TEXT,
    epoch BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    turns BIGINT NOT NULL,
    claim TEXT NOT NULL,
    seed TEXT NOT NULL,
    clock_ns BIGINT NOT NULL,
    readings TEXT NOT NULL,
    problem_code TEXT,
    problem TEXT,
    outputs TEXT,
    started_ms BIGINT NOT NULL,
    finished_ms BIGINT
);
CREATE INDEX runs_by_place ON runs (agent, topic, part, record_offset);
CREATE INDEX runs_by_status ON runs (status, finished_ms);
CREATE INDEX runs_by_start ON runs (started_ms);

-- What a run asked, in order. A row without an answer is under way. `readings` is what the run read before it asked
-- (clocks, state), JSON. Of an answer that may be another one later, `passing` is 1.
CREATE TABLE run_steps (
    run TEXT NOT NULL,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request TEXT NOT NULL,
    readings TEXT NOT NULL,
    asks BIGINT NOT NULL,
    asked_ms BIGINT NOT NULL,
    answer TEXT,
    passing BIGINT NOT NULL,
    answered_ms BIGINT,
    PRIMARY KEY (run, seq)
);
