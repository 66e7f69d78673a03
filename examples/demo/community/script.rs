//! The community's life: what happens next, by a seed, for ever.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use super::cast::{FAREWELLS, OFFENCES, RESOURCES, SERVERS, TALK};
use super::happening::Happening;
use super::town::{Place, PlayerId, ServerId, State, Town};

/// Something happens on a server.
pub(crate) type Step = (ServerId, Happening);

/// Every so many turns the next thing happens to a whole server: a wipe or a crash, by turns.
const BETWEEN_UPHEAVALS: u64 = 40;
/// For how many turns a crashed server is not noticed by its owner.
const TURNS_OF_SILENCE: u64 = 5;
/// For how many turns a ban holds: the cast is small.
const TURNS_OF_A_BAN: u64 = 30;
/// A server feels alive with so many players, and full with so many.
const LIVELY: usize = 4;
const FULL: usize = 7;

/// Decides what happens. Nothing here acts.
#[derive(Debug)]
pub(crate) struct Script {
    random: StdRng,
    turn: u64,
    /// What is under way: a wipe takes several turns.
    plot: VecDeque<Step>,
    said: VecDeque<&'static str>,
    banned: VecDeque<(u64, PlayerId)>,
    upheavals: u64,
    crashed: [u64; SERVERS.len()],
}

impl Script {
    /// The same seed and the same town make the same life.
    pub(crate) fn new(seed: u64) -> Script {
        Script {
            random: StdRng::seed_from_u64(seed),
            turn: 0,
            plot: VecDeque::new(),
            said: VecDeque::new(),
            banned: VecDeque::new(),
            upheavals: 0,
            crashed: [0; SERVERS.len()],
        }
    }

    /// The servers come up and the first players join: what a channel shows first.
    pub(crate) fn opening(&mut self, town: &Town) -> Vec<Step> {
        let mut steps = vec![(0, Happening::Started), (1, Happening::Started)];
        let mut players = town.at(Place::Home);
        players.shuffle(&mut self.random);
        players.truncate(2 * LIVELY - 2);
        steps.extend(players.into_iter().map(|player| (player % SERVERS.len(), Happening::Joined { player })));
        steps
    }

    /// The next thing that happens, if this turn is not a quiet one.
    pub(crate) fn next(&mut self, town: &mut Town) -> Option<Step> {
        self.turn += 1;
        if let Some((until, player)) = self.banned.front().copied()
            && until <= self.turn
        {
            self.banned.pop_front();
            town.forgive(player);
        }
        if self.turn.is_multiple_of(BETWEEN_UPHEAVALS) {
            self.upheaval(town);
        }
        // Whoever watches may have stopped the server that this was meant for.
        while let Some((server, happening)) = self.plot.pop_front() {
            if happening == Happening::Started || town.state(server) != State::Stopped {
                return Some((server, happening));
            }
        }
        let server = self.random.random_range(0..SERVERS.len());
        match town.state(server) {
            State::Running => {
                self.crashed[server] = 0;
                self.ordinary(town, server)
            }
            State::Crashed => {
                self.crashed[server] += 1;
                (self.crashed[server] > TURNS_OF_SILENCE).then_some((server, Happening::Started))
            }
            State::Stopping | State::Stopped => None,
        }
    }

    /// A wipe of one server, or a crash of the other.
    fn upheaval(&mut self, town: &Town) {
        self.upheavals += 1;
        if self.upheavals.is_multiple_of(2) {
            if town.state(0) == State::Running {
                self.plot.push_back((0, Happening::Crashed));
            }
        } else if town.state(1) == State::Running {
            self.plot.extend(wipe(town, 1));
        }
    }

    fn ordinary(&mut self, town: &Town, server: ServerId) -> Option<Step> {
        let (alive, dead) = (town.at(Place::On(server)), town.at(Place::DeadOn(server)));
        if let Some(player) = dead.first() {
            return Some((server, Happening::Respawned { player: *player }));
        }
        let happening = match self.random.random_range(0..100) {
            _ if alive.len() < LIVELY => self.joins(town)?,
            0..20 => self.kills(&alive)?,
            20..32 if alive.len() < FULL => self.joins(town)?,
            32..46 => self.leaves(&alive)?,
            46..54 => self.gathers(&alive)?,
            54..59 => self.reports(&alive)?,
            59..62 => self.bans(&alive)?,
            _ => self.says(&alive)?,
        };
        Some((server, happening))
    }

    /// Somebody who is at home joins, if there is anybody.
    pub(crate) fn joins(&mut self, town: &Town) -> Option<Happening> {
        let player = self.one_of(&town.at(Place::Home))?;
        Some(Happening::Joined { player })
    }

    /// One of these leaves.
    pub(crate) fn leaves(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let reason = FAREWELLS.choose(&mut self.random).copied()?;
        Some(Happening::Left { player: self.one_of(players)?, reason })
    }

    /// One of these says something that was not said for a while.
    pub(crate) fn says(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let fresh: Vec<&'static str> = TALK.into_iter().filter(|text| !self.said.contains(text)).collect();
        let text = fresh.choose(&mut self.random).copied()?;
        self.said.push_back(text);
        if self.said.len() > TALK.len() / 2 {
            self.said.pop_front();
        }
        Some(Happening::Said { player: self.one_of(players)?, text })
    }

    /// One of these is banned.
    pub(crate) fn bans(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let reason = OFFENCES.choose(&mut self.random).copied()?;
        let player = self.one_of(players)?;
        self.banned.push_back((self.turn + TURNS_OF_A_BAN, player));
        Some(Happening::Banned { player, reason })
    }

    fn kills(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let (victim, by) = self.two_of(players)?;
        Some(Happening::Killed { victim, by, metres: self.random.random_range(2..260) })
    }

    fn reports(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let (player, target) = self.two_of(players)?;
        Some(Happening::Reported { player, target, why: "sees through walls" })
    }

    fn gathers(&mut self, players: &[PlayerId]) -> Option<Happening> {
        let item = RESOURCES.choose(&mut self.random).copied()?;
        let amount = self.random.random_range(20..900);
        Some(Happening::Gathered { player: self.one_of(players)?, item, amount })
    }

    fn one_of(&mut self, players: &[PlayerId]) -> Option<PlayerId> {
        players.choose(&mut self.random).copied()
    }

    fn two_of(&mut self, players: &[PlayerId]) -> Option<(PlayerId, PlayerId)> {
        let first = self.one_of(players)?;
        let others: Vec<PlayerId> = players.iter().copied().filter(|player| *player != first).collect();
        Some((first, self.one_of(&others)?))
    }
}

/// What a wipe takes: everybody is put out, the world is made anew, the server comes back.
pub(crate) fn wipe(town: &Town, server: ServerId) -> Vec<Step> {
    let leaving = town.on(server).into_iter();
    let out = leaving.map(|player| Happening::Left { player, reason: "Kicked: the server restarts for a wipe" });
    let all = [Happening::Stopping].into_iter().chain(out);
    all.chain([Happening::Wiped, Happening::Started]).map(|happening| (server, happening)).collect()
}
