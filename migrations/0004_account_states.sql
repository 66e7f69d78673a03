-- How reading each subscribed account goes, written by the running guildwire for those who ask from another process.
-- `state` is JSON. What stands here while none runs is how things stood when the last one wrote.
CREATE TABLE account_states (
    account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (name) ON DELETE CASCADE,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    lag BIGINT NOT NULL
);

-- One row: when these states were looked at last.
CREATE TABLE account_states_seen (
    seen_at BIGINT NOT NULL PRIMARY KEY
);

-- Checks that the running guildwire is asked for. `report` is JSON, and missing until the check is done.
CREATE TABLE account_checks (
    id BIGINT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL,
    report TEXT
);
