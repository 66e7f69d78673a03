-- Since when a binding is paused; NULL while it is not. A paused binding hears nothing and keeps its account subscribed.
ALTER TABLE bindings ADD COLUMN paused_at BIGINT;

-- Kinds that were chosen after the binding was covered, as JSON: each kind's name with the moment from which it is
-- covered, or null while it is not. `covered_from` is the beginning of all the others.
ALTER TABLE bindings ADD COLUMN later_kinds TEXT NOT NULL DEFAULT '{}';
