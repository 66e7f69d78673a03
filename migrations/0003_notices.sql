-- A row of the outbox tells of an event; is a sample of one, which somebody asked for; or is a notice about the account
-- itself, which has no server and keeps what it says in `details`.
ALTER TABLE outbox ADD COLUMN form TEXT NOT NULL DEFAULT 'event';

-- A channel has one sample at a time: it is asked for to see what becomes of it.
CREATE UNIQUE INDEX outbox_due_sample ON outbox (channel_id) WHERE form = 'sample' AND message_id IS NULL;

-- What was shown last in a channel is asked for by people.
CREATE INDEX messages_of_channel ON messages (channel_id, id) WHERE settled_at IS NOT NULL;

-- Guilds that were told that an account's events don't come through, and where: they are told when they do again.
CREATE TABLE told_outages (
    guild_id BIGINT NOT NULL,
    account TEXT NOT NULL,
    channel_id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (guild_id, account),
    FOREIGN KEY (guild_id, account) REFERENCES links (guild_id, account) ON DELETE CASCADE
);
CREATE INDEX told_outages_of_account ON told_outages (account);
