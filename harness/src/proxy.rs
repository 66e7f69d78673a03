//! A TCP proxy that can hold bytes back, cut connections and refuse new ones.
//!
//! Put between the bot and a server, it stops the world at a byte: "the event is committed, its
//! acknowledgement is on the way". Nothing here waits for time to pass; a test waits for what it
//! asked to happen.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::free_port;

/// A proxy in front of one address. Its connections end when this is dropped.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    control: watch::Sender<Control>,
    accepting: JoinHandle<()>,
}

/// What connections are told; each of them watches it.
#[derive(Clone, Debug)]
struct Control {
    target: SocketAddr,
    refusing: bool,
    /// Connections end when this is no longer what it was when they began.
    cuts: u64,
    /// Bytes that are kept go on when this is no longer what it was when they came.
    releases: u64,
    to_target: Gate,
    from_target: Gate,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    ToTarget,
    FromTarget,
}

/// Looks at a chunk of bytes.
type Decision = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

#[derive(Clone)]
enum Gate {
    Open,
    /// Shuts itself before the first chunk of bytes for which the function says so.
    OpenUntil(Decision),
    /// `holding` once bytes have come that would have passed.
    Shut {
        holding: bool,
    },
}

impl Control {
    fn gate(&self, direction: Direction) -> &Gate {
        match direction {
            Direction::ToTarget => &self.to_target,
            Direction::FromTarget => &self.from_target,
        }
    }

    fn gate_mut(&mut self, direction: Direction) -> &mut Gate {
        match direction {
            Direction::ToTarget => &mut self.to_target,
            Direction::FromTarget => &mut self.from_target,
        }
    }
}

impl Gate {
    fn is_holding(&self) -> bool {
        matches!(self, Gate::Shut { holding: true })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Gate::Open => "Open",
            Gate::OpenUntil(_) => "OpenUntil",
            Gate::Shut { holding: false } => "Shut",
            Gate::Shut { holding: true } => "Holding",
        })
    }
}

impl TcpProxy {
    /// Listens on a free port of 127.0.0.1 and passes everything on to `target` and back.
    pub async fn start(target: SocketAddr) -> Result<TcpProxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).await.context("listening as a proxy")?;
        let address = listener.local_addr().context("asking for the proxy's own address")?;
        let (control, watched) = watch::channel(Control {
            target,
            refusing: false,
            cuts: 0,
            releases: 0,
            to_target: Gate::Open,
            from_target: Gate::Open,
        });
        let accepting = tokio::spawn(accept(listener, control.clone(), watched));
        Ok(TcpProxy { address, control, accepting })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL: `url_for("nats")` is `nats://127.0.0.1:…`.
    #[must_use]
    pub fn url_for(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Back to normal: what is held goes on, new connections are taken.
    pub fn pass(&self) {
        self.release();
        self.refuse(false);
    }

    /// From now on keeps what the target sends.
    pub fn hold_from_target(&self) {
        self.shut(Direction::FromTarget);
    }

    /// From now on keeps what clients send.
    pub fn hold_to_target(&self) {
        self.shut(Direction::ToTarget);
    }

    /// Keeps what the target sends, beginning with the first chunk for which `says_so` is true.
    ///
    /// A chunk is what one read returns: on the loopback mostly what one write sent, but several
    /// small messages may share one, and a large one may be split.
    pub fn hold_from_target_when(&self, says_so: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        self.set_gate(Direction::FromTarget, Gate::OpenUntil(Arc::new(says_so)));
    }

    /// The same for what clients send. All connections are held then, not only the one.
    pub fn hold_to_target_when(&self, says_so: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        self.set_gate(Direction::ToTarget, Gate::OpenUntil(Arc::new(says_so)));
    }

    /// [`TcpProxy::hold_from_target_when`] a chunk contains these bytes.
    pub fn hold_from_target_at(&self, pattern: &[u8]) {
        let pattern = pattern.to_vec();
        self.hold_from_target_when(move |chunk| contains(chunk, &pattern));
    }

    /// [`TcpProxy::hold_to_target_when`] a chunk contains these bytes, such as `$JS.ACK`.
    pub fn hold_to_target_at(&self, pattern: &[u8]) {
        let pattern = pattern.to_vec();
        self.hold_to_target_when(move |chunk| contains(chunk, &pattern));
    }

    /// Waits until bytes are kept back, in either direction.
    pub async fn wait_until_holding(&self, within: Duration) -> Result<()> {
        let mut control = self.control.subscribe();
        let holding = control.wait_for(|control| control.to_target.is_holding() || control.from_target.is_holding());
        timeout(within, holding)
            .await
            .with_context(|| format!("the proxy held nothing within {within:?}"))?
            .context("the proxy has ended")?;
        Ok(())
    }

    /// Delivers what was kept, in order, and keeps nothing from now on.
    pub fn release(&self) {
        self.control.send_modify(|control| {
            control.releases += 1;
            control.to_target = Gate::Open;
            control.from_target = Gate::Open;
        });
    }

    /// Ends all connections. What was kept is lost; a direction that is held stays held.
    pub fn cut(&self) {
        self.control.send_modify(|control| {
            control.cuts += 1;
            for direction in [Direction::ToTarget, Direction::FromTarget] {
                if let Gate::Shut { holding } = control.gate_mut(direction) {
                    *holding = false;
                }
            }
        });
    }

    /// Whether new connections are closed at once. Those that exist go on.
    pub fn refuse(&self, refusing: bool) {
        self.control.send_modify(|control| control.refusing = refusing);
    }

    /// Where new connections lead from now on.
    pub fn retarget(&self, target: SocketAddr) {
        self.control.send_modify(|control| control.target = target);
    }

    fn set_gate(&self, direction: Direction, gate: Gate) {
        self.control.send_modify(|control| *control.gate_mut(direction) = gate);
    }

    fn shut(&self, direction: Direction) {
        self.control.send_modify(|control| {
            let gate = control.gate_mut(direction);
            if !gate.is_holding() {
                *gate = Gate::Shut { holding: false };
            }
        });
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

/// The task that takes connections, until it is aborted.
async fn accept(listener: TcpListener, control: watch::Sender<Control>, watched: watch::Receiver<Control>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let now = watched.borrow().clone();
        if !now.refusing {
            tokio::spawn(connection(client, now, control.clone(), watched.clone()));
        }
    }
}

/// One connection, until both sides have closed or it is cut.
async fn connection(
    client: TcpStream,
    begun: Control,
    control: watch::Sender<Control>,
    mut watched: watch::Receiver<Control>,
) {
    let cut = async {
        // We hold a sender ourselves, so that waiting cannot fail; a proxy that is dropped cuts.
        let _ = watched.wait_for(|control| control.cuts != begun.cuts).await;
    };
    let both_ways = async {
        let target = TcpStream::connect(begun.target).await?;
        client.set_nodelay(true)?;
        target.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_target, to_target) = target.into_split();
        // Each to its own end: what a client sent before it died is still kept, or delivered.
        let _ = tokio::join!(
            pump(from_client, to_target, Direction::ToTarget, &control),
            pump(from_target, to_client, Direction::FromTarget, &control),
        );
        std::io::Result::Ok(())
    };
    tokio::select! {
        () = cut => {}
        // A broken connection is what the two ends see, and nobody else's concern.
        _ = both_ways => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    control: &watch::Sender<Control>,
) -> std::io::Result<()> {
    let mut watched = control.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        let chunk = &buffer[..length];
        let mut kept_since = None;
        control.send_if_modified(|control| {
            let changed = arrives(control.gate_mut(direction), chunk);
            if matches!(control.gate(direction), Gate::Shut { .. }) {
                kept_since = Some(control.releases);
            }
            changed
        });
        if let Some(releases) = kept_since {
            // The sender is in our own hands, so that waiting cannot fail.
            let _ = watched.wait_for(|control| control.releases != releases).await;
        }
        to.write_all(chunk).await?;
    }
}

/// Bytes stand before the gate: it may shut now, or note that it holds some. True if it changed.
fn arrives(gate: &mut Gate, chunk: &[u8]) -> bool {
    let shuts = match gate {
        Gate::Open | Gate::Shut { holding: true } => false,
        Gate::OpenUntil(says_so) => says_so(chunk),
        Gate::Shut { holding: false } => true,
    };
    if shuts {
        *gate = Gate::Shut { holding: true };
    }
    shuts
}

fn contains(chunk: &[u8], pattern: &[u8]) -> bool {
    chunk.windows(pattern.len()).any(|window| window == pattern)
}
