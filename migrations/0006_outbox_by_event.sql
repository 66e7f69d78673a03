-- So that `guildwire watch` finds what became of an account's latest events without reading all that is kept.
CREATE INDEX outbox_of_event ON outbox (account, stored_at);
