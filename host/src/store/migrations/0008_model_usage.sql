-- What each principal, with what it made, used of language models on a day (days since 1970, UTC), and what questions
-- under way may take. Budgets are held against it.
CREATE TABLE model_days (
    day BIGINT NOT NULL,
    principal TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    PRIMARY KEY (day, principal)
);

-- What answered questions took, by hour (hours since 1970), asker and model: for people to look at.
CREATE TABLE model_hours (
    hour BIGINT NOT NULL,
    principal TEXT NOT NULL,
    model TEXT NOT NULL,
    calls BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    PRIMARY KEY (hour, principal, model)
);
