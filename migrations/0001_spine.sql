-- One text for SQLite and PostgreSQL: BIGINT, TEXT and BYTEA only.
-- Moments are nanoseconds since the Unix epoch; truth values are 0 or 1; Discord's ids are snowflakes.

-- One row: which installation this database is. Its id names the durable consumers.
CREATE TABLE installation (
    id TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- A NATS account and its sealed credential. `revision` changes with the account and with its bindings, so that a
-- running bot sees by one number that something is new.
CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    stream TEXT,
    root TEXT NOT NULL,
    wide_filter BIGINT NOT NULL,
    credential_kind TEXT NOT NULL,
    credential BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One-time codes, kept as their SHA-256.
CREATE TABLE invites (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX invites_of_account ON invites (account);

-- A guild may show an account's events.
CREATE TABLE links (
    guild_id BIGINT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    linked_by BIGINT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, account)
);
CREATE INDEX links_of_account ON links (account);

-- These kinds, of this account (and server, or all), to this channel. `covered_from` is the moment, in nats-server's
-- time, from which the consumer covers the binding; a binding hears nothing stored at or before it.
CREATE TABLE bindings (
    id BIGINT NOT NULL PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    server_id TEXT,
    kinds TEXT NOT NULL,
    mention_role BIGINT,
    created_by BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    covered_from BIGINT,
    FOREIGN KEY (guild_id, account) REFERENCES links (guild_id, account) ON DELETE CASCADE
);
CREATE INDEX bindings_of_account ON bindings (account);
CREATE INDEX bindings_of_guild ON bindings (guild_id);
CREATE UNIQUE INDEX bindings_are_not_equal ON bindings (channel_id, account, COALESCE(server_id, ''), kinds);

-- How far an account's stream is recorded. This, not the durable consumer's own cursor, is the truth.
CREATE TABLE positions (
    account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (name) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    last_sequence BIGINT NOT NULL,
    last_time BIGINT NOT NULL
);

-- What was last heard of each game server.
CREATE TABLE servers (
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    server_id TEXT NOT NULL,
    last_event_at BIGINT NOT NULL,
    lifecycle TEXT,
    lifecycle_at BIGINT,
    PRIMARY KEY (account, server_id)
);

-- The last name heard of each player: most events carry an id only.
CREATE TABLE players (
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    player_id TEXT NOT NULL,
    name TEXT NOT NULL,
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (account, player_id)
);

-- Messages on the streams that are no events; never their payload.
CREATE TABLE rejects (
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    stored_at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    size BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (account, stored_at, sequence)
);
CREATE INDEX rejects_by_age ON rejects (stored_at);

-- One Discord message's worth of events, its bytes and nonce fixed before the first attempt to send it.
CREATE TABLE messages (
    id BIGINT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    mark TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    attempts BIGINT NOT NULL,
    sealed_at BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    settled_at BIGINT,
    discord_id BIGINT
);
CREATE INDEX messages_open ON messages (channel_id, id) WHERE state = 'sealed';
CREATE INDEX messages_settled ON messages (settled_at) WHERE settled_at IS NOT NULL;

-- Events on their way to a channel, one row for each channel, in the order of `id`.
CREATE TABLE outbox (
    id BIGINT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    server_id TEXT NOT NULL,
    player_id TEXT,
    player_name TEXT,
    stored_at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    details TEXT NOT NULL,
    mention_roles TEXT NOT NULL,
    message_id BIGINT REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX outbox_due ON outbox (channel_id, id) WHERE message_id IS NULL;
CREATE INDEX outbox_of_message ON outbox (message_id) WHERE message_id IS NOT NULL;

-- Channels that refuse the bot; a row ends with a restart or the channel's next binding.
CREATE TABLE stopped_lanes (
    channel_id BIGINT NOT NULL PRIMARY KEY,
    stopped_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
