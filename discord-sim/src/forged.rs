//! What a client made by hand can send: components and modals that nobody was shown. For a bot that must not take a
//! custom id for a permission.

use serde_json::json;

use crate::interactions::Kind;
use crate::invocation::Invocation;
use crate::sim::Sim;
use crate::view::{Actor, CommandError, Reply};

impl Sim {
    /// Presses a button (without values) or chooses in a select that stands below no message, as if it stood below
    /// this reply.
    pub async fn forge_component(
        &self,
        by: Actor,
        below: &Reply,
        custom_id: &str,
        values: Option<&[&str]>,
    ) -> Result<Reply, CommandError> {
        let mut data = json!({ "custom_id": custom_id, "component_type": 2, "id": 1 });
        if let Some(values) = values {
            data["component_type"] = json!(3);
            data["values"] = json!(values);
            data["resolved"] = json!({});
        }
        let token = self.change(|world| Invocation::new(Kind::Component, by, data, below.message).send(world))?;
        self.reply(&token).await
    }

    /// Sends a modal that the bot never showed, with a text for each of these inputs, as if a button below this reply had
    /// opened it.
    pub async fn forge_modal(
        &self,
        by: Actor,
        below: &Reply,
        custom_id: &str,
        values: &[(&str, &str)],
    ) -> Result<Reply, CommandError> {
        let rows: Vec<_> = values
            .iter()
            .map(|(id, value)| {
                json!({ "type": 1, "id": 1, "components": [
                { "type": 4, "id": 2, "custom_id": id, "value": value } ] })
            })
            .collect();
        let data = json!({ "custom_id": custom_id, "components": rows });
        let token = self.change(|world| Invocation::new(Kind::Modal, by, data, below.message).send(world))?;
        self.reply(&token).await
    }
}
