//! A community of players on two servers, and the life it leads: pure rules, by a seed.

pub(crate) mod cast;
pub(crate) mod happening;
pub(crate) mod script;
pub(crate) mod town;
