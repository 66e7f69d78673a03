//! Messages in channels: to post, edit and delete them, and to look at those that stand there.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Rest, RestError, bucket, no_answer, number, scope};
use crate::discord::answer::{Answer, seconds};
use crate::discord::limiter::Slot;
use crate::discord::words;
use crate::domain::ids::ChannelId;

const JSON: &str = "application/json";

/// How many messages [`Rest::messages_after`] answers with; Discord gives no more.
pub const PAGE: usize = 100;

/// A message that stands in a channel, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub struct Posted {
    /// Its id.
    #[serde(deserialize_with = "id_from_text")]
    pub id: u64,
    #[serde(default)]
    embeds: Vec<PostedEmbed>,
}

#[derive(Debug, Clone, Deserialize)]
struct PostedEmbed {
    footer: Option<PostedFooter>,
}

#[derive(Debug, Clone, Deserialize)]
struct PostedFooter {
    #[serde(default)]
    text: String,
}

impl Posted {
    /// Whether its last embed's footer ends with `mark`.
    #[must_use]
    pub fn carries(&self, mark: &str) -> bool {
        let footer = self.embeds.last().and_then(|embed| embed.footer.as_ref());
        footer.is_some_and(|footer| footer.text.ends_with(mark))
    }
}

impl Rest {
    /// Posts a message's body as it stands, with the text of the file that goes with it.
    pub async fn create_message(
        &self,
        channel: ChannelId,
        body: &str,
        file: Option<String>,
    ) -> Result<Answer, RestError> {
        let request = self
            .client
            .post(format!("{}/channels/{channel}/messages", self.base))
            .header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret()));
        let request = match file {
            None => request.header(CONTENT_TYPE, JSON).body(body.to_owned()),
            Some(file) => {
                let body = Part::text(body.to_owned()).mime_str(JSON).map_err(|error| no_answer(&error))?;
                let file = Part::text(file).file_name(words::FILE);
                request.multipart(Form::new().part("payload_json", body).part("files[0]", file))
            }
        };
        self.answered(request, self.slot().await).await
    }

    /// The channel's messages after `after`, an id, at most [`PAGE`]: of those that follow it, the first.
    pub async fn messages_after(&self, channel: ChannelId, after: u64) -> Result<Vec<Posted>, RestError> {
        let path = format!("/channels/{channel}/messages?limit={PAGE}&after={after}");
        self.request(Method::GET, &path, None, true).await
    }

    /// Puts another body in the place of a message's, in that slot: what the new one does not name stays.
    pub async fn edit_message(
        &self,
        channel: ChannelId,
        message: u64,
        body: &str,
        slot: Slot,
    ) -> Result<Answer, RestError> {
        let request = self.to_message(Method::PATCH, channel, message);
        self.answered(request.header(CONTENT_TYPE, JSON).body(body.to_owned()), Some(slot)).await
    }

    /// Deletes a message, in that slot.
    pub async fn delete_message(&self, channel: ChannelId, message: u64, slot: Slot) -> Result<Answer, RestError> {
        self.answered(self.to_message(Method::DELETE, channel, message), Some(slot)).await
    }

    fn to_message(&self, method: Method, channel: ChannelId, message: u64) -> RequestBuilder {
        self.client
            .request(method, format!("{}/channels/{channel}/messages/{message}", self.base))
            .header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret()))
    }

    /// Holds the slot until the answer is there.
    async fn answered(&self, request: RequestBuilder, _slot: Option<Slot>) -> Result<Answer, RestError> {
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.count(status, &headers);
        let body = response.bytes().await.map_err(|error| no_answer(&error))?;
        Ok(Answer {
            status,
            body: body.to_vec(),
            bucket: bucket(&headers),
            retry_after: number(&headers, RETRY_AFTER.as_str()).and_then(seconds),
            scope: scope(&headers),
        })
    }
}

fn id_from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
