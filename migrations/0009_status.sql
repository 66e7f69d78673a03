-- How each server stands: its state, since when, and because of what. `says_when_it_stops` is whether it ever did: of a
-- server that never says so, an end without a word tells nothing. `said_started_at` is when it said last that it started.
ALTER TABLE servers ADD COLUMN state TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE servers ADD COLUMN state_since BIGINT;
ALTER TABLE servers ADD COLUMN state_cause TEXT;
ALTER TABLE servers ADD COLUMN says_when_it_stops BIGINT NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN said_started_at BIGINT;
ALTER TABLE servers ADD COLUMN wiped_at BIGINT;

-- By which NATS connections the server is known: those of this user and client name, tied `by_itself` or `by_hand`, which
-- without a user means none; when the connection began that was seen last, when it was seen, and the name of the nats-server
-- that it is connected to.
ALTER TABLE servers ADD COLUMN tied_user TEXT;
ALTER TABLE servers ADD COLUMN tied_name TEXT;
ALTER TABLE servers ADD COLUMN tied TEXT;
ALTER TABLE servers ADD COLUMN connected_since BIGINT;
ALTER TABLE servers ADD COLUMN connection_seen_at BIGINT;
ALTER TABLE servers ADD COLUMN connected_to TEXT;

-- For how long the server may be silent, in nanoseconds; NULL where nobody said.
ALTER TABLE servers ADD COLUMN expected_silence BIGINT;
CREATE INDEX servers_with_expectation ON servers (account) WHERE expected_silence IS NOT NULL;

UPDATE servers SET state = CASE lifecycle WHEN 'server.stopping' THEN 'stopping' WHEN 'server.stopped' THEN 'offline'
        ELSE 'online' END,
    state_since = lifecycle_at,
    state_cause = CASE lifecycle WHEN 'server.stopping' THEN 'said_stopping' WHEN 'server.stopped' THEN 'said_stopped'
        WHEN 'server.started' THEN 'started' ELSE 'heard' END,
    says_when_it_stops = CASE WHEN lifecycle IN ('server.stopping', 'server.stopped') THEN 1 ELSE 0 END,
    said_started_at = CASE lifecycle WHEN 'server.started' THEN lifecycle_at ELSE NULL END,
    wiped_at = CASE lifecycle WHEN 'server.wiped' THEN lifecycle_at ELSE NULL END
    WHERE lifecycle IS NOT NULL;
ALTER TABLE servers DROP COLUMN lifecycle;
ALTER TABLE servers DROP COLUMN lifecycle_at;

-- What a guild calls a server, and since when it is hidden there: until it is heard of again.
CREATE TABLE named_servers (
    guild_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    server_id TEXT NOT NULL,
    name TEXT,
    hidden_at BIGINT,
    PRIMARY KEY (guild_id, account, server_id),
    FOREIGN KEY (guild_id, account) REFERENCES links (guild_id, account) ON DELETE CASCADE
);

-- Who is on a server, since when; and until when the end of an earlier stay may still come, because publishers send
-- departures last.
CREATE TABLE online_players (
    account TEXT NOT NULL,
    server_id TEXT NOT NULL,
    player_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    earlier_end_until BIGINT,
    PRIMARY KEY (account, server_id, player_id),
    FOREIGN KEY (account, server_id) REFERENCES servers (account, server_id) ON DELETE CASCADE
);

-- What began with a server going down, or being maintained, and ends when it is back: `story` is JSON. A server has one
-- at a time. `due_at` is when time alone changes it; `version` rises with every change.
CREATE TABLE incidents (
    id BIGINT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    server_id TEXT NOT NULL,
    story TEXT NOT NULL,
    version BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    due_at BIGINT,
    closed_at BIGINT,
    FOREIGN KEY (account, server_id) REFERENCES servers (account, server_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX incidents_open ON incidents (account, server_id) WHERE closed_at IS NULL;
CREATE INDEX incidents_due ON incidents (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX incidents_closed ON incidents (account, server_id, closed_at) WHERE closed_at IS NOT NULL;

-- The channels that an incident is told in: the row of the outbox whose message is edited as the incident unfolds, and
-- whether that message does not show its latest version.
CREATE TABLE incident_messages (
    incident_id BIGINT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    channel_id BIGINT NOT NULL,
    row_id BIGINT NOT NULL,
    is_stale BIGINT NOT NULL,
    PRIMARY KEY (incident_id, channel_id)
);
CREATE INDEX incident_messages_stale ON incident_messages (incident_id) WHERE is_stale = 1;

-- Messages that always show how servers stand. `shows_all` is whether that is all servers of its guild, else those of
-- `board_servers`. `message_id` is the message in Discord, `shown` the body that it shows: NULL from before an edit until its
-- answer is there. `mark` ends the footer of the message that stands there, or is to be posted: from `posting_since` on until
-- its id is noted, it may stand there already. `replaced_id` is a message that goes once another stands, `replaced_at` when that was decided last. One that was removed stays until its message is gone.
CREATE TABLE boards (
    id BIGINT NOT NULL PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    shows_all BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    mark TEXT NOT NULL DEFAULT '',
    posting_since BIGINT,
    message_id BIGINT,
    posted_at BIGINT,
    replaced_id BIGINT,
    replaced_at BIGINT,
    shown TEXT,
    -- Why it can't be kept true; NULL while it can.
    trouble TEXT,
    removed_at BIGINT
);
CREATE INDEX boards_of_guild ON boards (guild_id);
CREATE UNIQUE INDEX boards_in_channel ON boards (channel_id) WHERE removed_at IS NULL;
CREATE TABLE board_servers (
    board_id BIGINT NOT NULL REFERENCES boards (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    server_id TEXT NOT NULL,
    PRIMARY KEY (board_id, account, server_id)
);

-- Where members of a guild may be pinged, and what they asked to be pinged for: `back`, `players` or `wiped`. `armed` is
-- whether what they wait for has still to come about; of a wipe, `wiped_at` is the last one that they know of.
CREATE TABLE ping_channels (
    guild_id BIGINT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    is_thread BIGINT NOT NULL
);
CREATE TABLE pings (
    guild_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    server_id TEXT NOT NULL,
    wish TEXT NOT NULL,
    players BIGINT NOT NULL,
    armed BIGINT NOT NULL,
    wiped_at BIGINT,
    pinged_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, user_id, account, server_id, wish),
    FOREIGN KEY (guild_id, account) REFERENCES links (guild_id, account) ON DELETE CASCADE
);
CREATE INDEX pings_of_server ON pings (account, server_id);
