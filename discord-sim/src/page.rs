//! The page at `/`: what people see of the simulated Discord, in a browser. Its files are part of the program and load
//! nothing from elsewhere.

use axum::Router;
use axum::http::header::{self, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::sim::Sim;

/// Only what this very server hands out runs, is shown or is talked to. Only pages of this machine may frame this one:
/// a demo puts it beside its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors http://127.0.0.1:* http://localhost:*";

/// The files under `/page/`, with their types.
macro_rules! files {
    ($($kind:literal: $($name:literal)*;)*) => {
        [$($((concat!("/page/", $name), $kind, include_str!(concat!("page/", $name)))),*),*]
    };
}

pub(crate) fn router() -> Router<Sim> {
    let files = files! {
        "text/css":
            "frame.css" "places.css" "people.css" "fitting.css" "messages.css" "markdown.css" "embeds.css"
            "controls.css" "composer.css";
        "text/javascript":
            "main.js" "dom.js" "api.js" "live.js" "state.js" "route.js" "format.js" "snowflake.js"
            "icons.js" "avatar.js" "guilds.js" "channels.js" "members.js" "account.js"
            "timeline.js" "message.js" "embed.js" "attachment.js" "components.js" "menu.js" "modal.js" "fields.js"
            "markdown.js" "inline.js" "render.js" "mention.js"
            "composer.js" "command.js" "chip.js" "choices.js" "actions.js";
    };
    let mut router = Router::new().route("/", get(async || file("text/html", include_str!("page/index.html"))));
    for (path, kind, text) in files {
        router = router.route(path, get(async move || file(kind, text)));
    }
    router
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        // Another build may serve the same port a minute later.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (headers, text)
}
