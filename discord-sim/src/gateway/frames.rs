//! How payloads leave: as text, as one zlib stream, or each large one compressed by itself
//! (<https://discord.com/developers/docs/events/gateway#encoding-and-compression>).

use std::io::Write;

use axum::extract::ws::Message as Frame;
use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};

/// From so many bytes on a payload is compressed for who asked for it in IDENTIFY. Discord leaves open which are.
const WORTH_COMPRESSING: usize = 1024;

/// What a connection asked for.
pub(super) enum Frames {
    Text,
    /// `compress=zlib-stream` in the address.
    Stream(Box<Compress>),
    /// `compress: true` in IDENTIFY.
    Payload,
}

impl Frames {
    pub(super) fn new(zlib_stream: bool) -> Self {
        if zlib_stream { Self::Stream(Box::new(Compress::new(Compression::fast(), true))) } else { Self::Text }
    }

    pub(super) fn frame(&mut self, text: &str) -> Frame {
        match self {
            Self::Stream(stream) => Frame::binary(deflate(stream, text.as_bytes())),
            Self::Payload if text.len() >= WORTH_COMPRESSING => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
                // Writing into memory does not fail; if it did, the text would do as well.
                compressed.map_or_else(|_| Frame::text(text), Frame::binary)
            }
            Self::Text | Self::Payload => Frame::text(text),
        }
    }
}

/// One payload of a zlib stream, flushed so that it can be read at once
/// (<https://discord.com/developers/docs/events/gateway#transport-compression>).
fn deflate(compressor: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let mut read = 0;
    loop {
        let before = compressor.total_in();
        // The only error is a misused stream, and this one is only ever fed and flushed.
        let _ = compressor.compress_vec(&bytes[read..], &mut out, FlushCompress::Sync);
        read += usize::try_from(compressor.total_in() - before).unwrap_or_default();
        if read == bytes.len() && out.len() < out.capacity() {
            return out;
        }
        out.reserve(bytes.len() / 2 + 64);
    }
}
