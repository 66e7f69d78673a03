//! guildwire.
fn main() {}
