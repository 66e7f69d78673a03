//! Ports for servers that must keep theirs across a restart, or must be told it beforehand.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Above this, kernels take ports for outgoing connections: a server that is down for a moment
/// would find its own port given to a client.
const FIRST_EPHEMERAL: u64 = 32_768;
const FIRST: u64 = 10_000;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port below 32768 on which nothing listens, never given twice in this process.
///
/// Another process may still take it before it is used; who starts a server tries again then.
#[must_use]
pub fn free_port() -> u16 {
    loop {
        // The standard library seeds each `RandomState` anew: enough to keep parallel test
        // processes apart, without a dependency.
        let random = RandomState::new().hash_one(std::process::id());
        let port = u16::try_from(FIRST + random % (FIRST_EPHEMERAL - FIRST)).expect("the range ends below 32768");
        let fresh = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if fresh && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_stay_below_those_of_outgoing_connections() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| u64::from(*port) < FIRST_EPHEMERAL));
    }
}
