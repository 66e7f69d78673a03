//! The proxy between two plain sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers, too")]

use std::time::Duration;

use guildwire_harness::TcpProxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(50);

struct Pair {
    listener: TcpListener,
    proxy: TcpProxy,
    client: TcpStream,
    target: TcpStream,
}

async fn connected() -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = TcpProxy::start(listener.local_addr().unwrap()).await.unwrap();
    let client = TcpStream::connect(proxy.addr()).await.unwrap();
    let (target, _) = listener.accept().await.unwrap();
    Pair { listener, proxy, client, target }
}

async fn read(stream: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    timeout(BOUND, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn nothing_comes(stream: &mut TcpStream) {
    assert!(timeout(MOMENT, stream.read_u8()).await.is_err());
}

#[tokio::test]
async fn bytes_pass_both_ways_and_so_does_the_end() {
    let Pair { proxy: _proxy, mut client, mut target, .. } = connected().await;
    client.write_all(b"question").await.unwrap();
    assert_eq!(read(&mut target, 8).await, "question");
    target.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut client, 6).await, "answer");
    drop(client);
    assert_eq!(target.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_held_comes_after_the_release() {
    let Pair { proxy, mut client, mut target, .. } = connected().await;
    proxy.hold_from_target();
    target.write_all(b"answer").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    nothing_comes(&mut client).await;
    client.write_all(b"other way").await.unwrap();
    assert_eq!(read(&mut target, 9).await, "other way");
    proxy.release();
    assert_eq!(read(&mut client, 6).await, "answer");
}

#[tokio::test]
async fn a_release_delivers_even_when_the_next_hold_follows_at_once() {
    let Pair { proxy, mut client, mut target, .. } = connected().await;
    proxy.hold_to_target();
    client.write_all(b"first").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    proxy.release();
    proxy.hold_to_target();
    assert_eq!(read(&mut target, 5).await, "first");
    client.write_all(b"second").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    nothing_comes(&mut target).await;
}

#[tokio::test]
async fn a_pattern_shuts_the_gate_before_its_own_chunk() {
    let Pair { proxy, mut client, mut target, .. } = connected().await;
    proxy.hold_to_target_at(b"$JS.ACK");
    client.write_all(b"PUB a 0\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut target, 11).await, "PUB a 0\r\n\r\n");
    client.write_all(b"PUB $JS.ACK.1 0\r\n\r\n").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    nothing_comes(&mut target).await;
    proxy.pass();
    assert_eq!(read(&mut target, 19).await, "PUB $JS.ACK.1 0\r\n\r\n");
}

#[tokio::test]
async fn what_a_client_sent_before_it_died_is_kept() {
    let Pair { proxy, mut client, mut target, .. } = connected().await;
    proxy.hold_to_target();
    client.write_all(b"last words").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    drop(client);
    target.write_all(b"to nobody").await.unwrap();
    proxy.release();
    assert_eq!(read(&mut target, 10).await, "last words");
}

#[tokio::test]
async fn a_cut_ends_both_sides_and_loses_what_was_held() {
    let Pair { proxy, mut client, mut target, .. } = connected().await;
    proxy.hold_to_target();
    client.write_all(b"lost").await.unwrap();
    proxy.wait_until_holding(BOUND).await.unwrap();
    proxy.cut();
    assert!(matches!(timeout(BOUND, client.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)));
    assert!(matches!(timeout(BOUND, target.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)));
    assert!(proxy.wait_until_holding(MOMENT).await.is_err());
}

#[tokio::test]
async fn new_connections_are_refused_and_then_led_elsewhere() {
    let Pair { listener, proxy, .. } = connected().await;
    proxy.refuse(true);
    let mut refused = TcpStream::connect(proxy.addr()).await.unwrap();
    assert!(matches!(timeout(BOUND, refused.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)));

    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    proxy.retarget(other.local_addr().unwrap());
    proxy.pass();
    drop(listener);
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    let (mut target, _) = timeout(BOUND, other.accept()).await.unwrap().unwrap();
    client.write_all(b"here").await.unwrap();
    assert_eq!(read(&mut target, 4).await, "here");
}
