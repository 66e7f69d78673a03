//! `multipart/form-data` bodies: `payload_json` and files
//! (<https://discord.com/developers/docs/reference#uploading-files>).

use serde_json::Value;

/// One uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// `n` of a part called `files[n]`, by which `attachments` speaks of it.
    pub(crate) index: Option<u64>,
    pub(crate) name: String,
    /// The part's own content type, if it has one.
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// The boundary in a content type, if it is multipart.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let boundary = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"').to_owned())
}

/// The JSON part and the files; nothing if the body is not well formed.
pub(crate) fn parse(body: &[u8], boundary: &str) -> Option<(Value, Vec<File>)> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter has no line before it.
    let mut rest = body.strip_prefix(&delimiter[2..])?;
    let (mut payload, mut files) = (Value::Null, Vec::new());
    while !rest.starts_with(b"--") {
        let end = find(rest, &delimiter)?;
        let part = rest[..end].strip_prefix(b"\r\n")?;
        let head = find(part, b"\r\n\r\n")?;
        let (headers, content) = (String::from_utf8_lossy(&part[..head]).into_owned(), &part[head + 4..]);
        let part_name = parameter(&headers, "name")?;
        if part_name == "payload_json" {
            payload = serde_json::from_slice(content).ok()?;
        } else if let Some(name) = parameter(&headers, "filename") {
            let index = part_name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']'));
            let index = index.and_then(|index| index.parse().ok());
            files.push(File { index, name, content_type: content_type(&headers), bytes: content.to_vec() });
        }
        rest = &rest[end + delimiter.len()..];
    }
    Some((payload, files))
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

/// `name="value"` of a part's `Content-Disposition`; what stands between the quotes may hold anything but a quote.
fn parameter(headers: &str, name: &str) -> Option<String> {
    let mut rest = header(headers, "content-disposition")?;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        if before.rsplit(';').next().is_some_and(|of| of.trim().eq_ignore_ascii_case(name)) {
            return Some(value.to_owned());
        }
        rest = after;
    }
    None
}

fn content_type(headers: &str) -> Option<String> {
    header(headers, "content-type").map(ToOwned::to_owned)
}

fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(of, _)| of.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}
