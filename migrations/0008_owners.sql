-- Who connected the account, a Discord user; NULL for those of the operator. And in which guild that was, which is linked
-- once the account has been verified.
ALTER TABLE accounts ADD COLUMN owner_id BIGINT;
ALTER TABLE accounts ADD COLUMN connected_in BIGINT;

-- When it was shown that the account can be read. NULL while its owner has still to let guildwire in.
ALTER TABLE accounts ADD COLUMN verified_at BIGINT;
UPDATE accounts SET verified_at = created_at;

-- The credential that takes the place of the other once it has been verified, and since when it is there.
ALTER TABLE accounts ADD COLUMN next_credential_kind TEXT;
ALTER TABLE accounts ADD COLUMN next_credential BYTEA;
ALTER TABLE accounts ADD COLUMN next_since BIGINT;

-- What stands in the settings file, and is not changed in another way.
ALTER TABLE accounts ADD COLUMN is_declared BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN is_declared BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bindings ADD COLUMN is_declared BIGINT NOT NULL DEFAULT 0;

-- Whether a check is one of the next credential.
ALTER TABLE account_checks ADD COLUMN of_next BIGINT NOT NULL DEFAULT 0;

-- Who made an invite; NULL for the operator.
ALTER TABLE invites ADD COLUMN created_by BIGINT;

-- Who did what, when and from where. Rows outlive what they tell of, so nothing here refers to another table.
-- `actor` is `person`, `operator`, `settings` or `guildwire`; a person has a `user_id`, and a guild from which it was done.
CREATE TABLE audit (
    id BIGINT NOT NULL PRIMARY KEY,
    done_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    user_id BIGINT,
    from_guild BIGINT,
    action TEXT NOT NULL,
    account TEXT,
    guild_id BIGINT,
    details TEXT NOT NULL
);
CREATE INDEX audit_by_age ON audit (done_at, id);
CREATE INDEX audit_of_account ON audit (account, done_at, id);

-- Guilds that the bot was removed from. What is kept of them goes after a grace period, unless it comes back before.
CREATE TABLE departed_guilds (
    guild_id BIGINT NOT NULL PRIMARY KEY,
    departed_at BIGINT NOT NULL
);

-- Accounts and users of the operator's own nats-server, which `guildwire operator` makes. `seed` is sealed.
CREATE TABLE nats_accounts (
    name TEXT NOT NULL PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE,
    seed BYTEA NOT NULL,
    -- The tier that was given, and its limits at that time: a change of the settings is no change of the account.
    tier TEXT NOT NULL,
    max_file BIGINT NOT NULL,
    max_mem BIGINT NOT NULL,
    max_streams BIGINT NOT NULL,
    max_consumers BIGINT NOT NULL,
    max_connections BIGINT NOT NULL,
    stream TEXT NOT NULL,
    root TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it was shown to work; NULL where making it was interrupted.
    verified_at BIGINT,
    suspended_at BIGINT
);
CREATE TABLE nats_users (
    public_key TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES nats_accounts (name) ON DELETE CASCADE,
    role TEXT NOT NULL,
    -- Whose events a game server's user may publish; NULL for any server's.
    server TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX nats_users_of_account ON nats_users (account);
