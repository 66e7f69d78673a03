-- How a binding's events are told: `each` at once, `grouped` or `quiet` after a hold. Of a row's bindings, the most
-- prominent style counts.
ALTER TABLE bindings ADD COLUMN style TEXT NOT NULL DEFAULT 'each';
ALTER TABLE outbox ADD COLUMN style TEXT NOT NULL DEFAULT 'each';

-- Whether the binding's channel is a thread: the gateway does not tell of archived ones, so that one which it does not
-- know may still be there. NULL where that was not noted.
ALTER TABLE bindings ADD COLUMN is_thread BIGINT;

-- When a row was put into its lane, by the bot's clock, and until when its hold lasts.
ALTER TABLE outbox ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
UPDATE outbox SET recorded_at = stored_at;

-- Whether something in a lane is due is asked for at every event that comes to it, however much is held there.
CREATE INDEX outbox_held ON outbox (channel_id, due_at) WHERE message_id IS NULL;

-- The text that is attached to a message, until it is settled; and how it is worded: `full`, or, sealed anew after
-- Discord did not accept that, `plain` or `withheld`.
ALTER TABLE messages ADD COLUMN attachment TEXT;
ALTER TABLE messages ADD COLUMN wording TEXT NOT NULL DEFAULT 'full';

-- What Discord did not accept is rare, and listed for people among all that a channel was shown.
CREATE INDEX messages_set_aside ON messages (channel_id, id) WHERE state = 'parked';

-- When a stopped lane is tried again, and how often it was in vain. NULL while only a change in Discord can help.
ALTER TABLE stopped_lanes ADD COLUMN probes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stopped_lanes ADD COLUMN next_probe_at BIGINT;

-- When somebody of the guild was told that the channel refuses the bot.
ALTER TABLE stopped_lanes ADD COLUMN told_at BIGINT;

-- What a lane waited too long with, or had too much of: deleted, counted, and told when the channel takes messages again.
CREATE TABLE given_up (
    channel_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    events BIGINT NOT NULL,
    first_stored BIGINT NOT NULL,
    last_stored BIGINT NOT NULL,
    PRIMARY KEY (channel_id, kind)
);

-- What a message tells of that, as JSON: counted again where the message itself is given up.
ALTER TABLE messages ADD COLUMN given_up TEXT;

-- Why a lane is stopped: `refused` by Discord, `lacking` permissions or `gone`, as the gateway shows it. Those that
-- earlier versions stopped are tried again once, as every start did then.
ALTER TABLE stopped_lanes ADD COLUMN cause TEXT NOT NULL DEFAULT 'refused';
UPDATE stopped_lanes SET next_probe_at = stopped_at;

-- Whether Discord has refused every attempt at a sealed message, so that it can't stand in the channel.
ALTER TABLE messages ADD COLUMN in_vain BIGINT NOT NULL DEFAULT 0;
