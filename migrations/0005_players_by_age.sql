-- So that players who were not heard of for long are found without reading all of them.
CREATE INDEX players_by_age ON players (heard_at);
