//! How Discord says no: a status and a JSON body with a code, and the nested shape of 50035
//! (<https://discord.com/developers/docs/reference#error-messages>).

use serde_json::{Map, Value, json};

/// A request that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, body: json!({ "message": message, "code": code }) }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub(crate) fn unknown_channel() -> Self {
        Self::new(404, 10003, "Unknown Channel")
    }

    pub(crate) fn unknown_guild() -> Self {
        Self::new(404, 10004, "Unknown Guild")
    }

    pub(crate) fn unknown_message() -> Self {
        Self::new(404, 10008, "Unknown Message")
    }

    pub(crate) fn unknown_interaction() -> Self {
        Self::new(404, 10062, "Unknown interaction")
    }

    pub(crate) fn missing_access() -> Self {
        Self::new(403, 50001, "Missing Access")
    }

    pub(crate) fn missing_permissions() -> Self {
        Self::new(403, 50013, "Missing Permissions")
    }

    pub(crate) fn unknown_member() -> Self {
        Self::new(404, 10007, "Unknown Member")
    }

    pub(crate) fn unknown_role() -> Self {
        Self::new(404, 10011, "Unknown Role")
    }

    pub(crate) fn unknown_user() -> Self {
        Self::new(404, 10013, "Unknown User")
    }

    pub(crate) fn wrong_channel_type() -> Self {
        Self::new(400, 50024, "Cannot execute action on this channel type")
    }

    pub(crate) fn direct_channel() -> Self {
        Self::new(400, 50003, "Cannot execute action on a DM channel")
    }

    /// 50035 for a single fault.
    pub(crate) fn invalid(path: &str, code: &str, message: &str) -> Self {
        Faults::body(&Faults::nested([(path, code, message)]))
    }

    /// 50035 for a body that should be a list.
    pub(crate) fn no_list() -> Self {
        Self::invalid("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    }

    pub(crate) fn empty_message() -> Self {
        Self::new(400, 50006, "Cannot send an empty message")
    }

    /// What the statistics keep: the code, the message and the paths of a 50035.
    pub(crate) fn reason(&self) -> String {
        let mut reason = format!("{} {}", self.body["code"], self.body["message"].as_str().unwrap_or_default());
        if let Some(errors) = self.body.get("errors") {
            reason.push(' ');
            reason.push_str(&errors.to_string());
        }
        reason
    }
}

/// Collects what is wrong with a body, so that one answer names everything, as Discord does.
#[derive(Default, Debug)]
pub(crate) struct Faults(Vec<(String, &'static str, String)>);

impl Faults {
    /// Notes one fault; `path` is dotted, as in `embeds.0.title`.
    pub(crate) fn add(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.0.push((path.into(), code, message.into()));
    }

    pub(crate) fn too_long(&mut self, path: impl Into<String>, most: usize) {
        self.add(path, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
    }

    pub(crate) fn bad_length(&mut self, path: impl Into<String>, least: usize, most: usize) {
        self.add(path, "BASE_TYPE_BAD_LENGTH", format!("Must be between {least} and {most} in length."));
    }

    pub(crate) fn required(&mut self, path: impl Into<String>) {
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Refuses with 50035 if anything was noted.
    pub(crate) fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Self::body(&Self::nested(self.0.iter().map(|(path, code, message)| (&**path, *code, &**message)))))
    }

    /// The shape of `errors`: a step of the path for each level, the faults in `_errors`.
    fn nested<'a>(faults: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Value {
        let mut errors = Value::Object(Map::new());
        for (path, code, message) in faults {
            let steps = path.split('.').filter(|step| !step.is_empty()).chain(["_errors"]);
            let place = steps.fold(&mut errors, |place, step| match place {
                Value::Object(map) => {
                    map.entry(step).or_insert_with(|| if step == "_errors" { json!([]) } else { json!({}) })
                }
                // A path that leads through a list of faults ends in it.
                other => other,
            });
            if let Some(list) = place.as_array_mut() {
                list.push(json!({ "code": code, "message": message }));
            }
        }
        errors
    }

    fn body(errors: &Value) -> Refusal {
        Refusal { status: 400, body: json!({ "message": "Invalid Form Body", "code": 50035, "errors": errors }) }
    }
}
