//! A second opinion: the real twilight 0.18, with `zlib-stream`, logs in, registers, answers, completes, opens a modal,
//! resumes, sends with a nonce, and waits out a 429.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::House;
use discord_sim::{ChannelKind, Route, Scope, Sim, Trouble};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use twilight_gateway::{ConfigBuilder, Event, EventTypeFlags, Intents, Shard, ShardId, StreamExt};
use twilight_http::Client;
use twilight_model::application::command::{CommandOptionChoice, CommandOptionChoiceValue};
use twilight_model::application::interaction::application_command::CommandOptionValue;
use twilight_model::application::interaction::{Interaction, InteractionData, InteractionType};
use twilight_model::channel::message::component::{ActionRow, Component, TextInput, TextInputStyle};
use twilight_model::http::interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType};
use twilight_model::id::Id;

const WITHIN: Duration = Duration::from_secs(15);

fn http(sim: &Sim) -> Client {
    let address = sim.url().strip_prefix("http://").unwrap().to_owned();
    Client::builder().token(sim.token()).proxy(address, true).build()
}

fn response(kind: InteractionResponseType, data: InteractionResponseData) -> InteractionResponse {
    InteractionResponse { kind, data: Some(data) }
}

/// What the bot under test says to an interaction.
fn answer(interaction: &Interaction) -> InteractionResponse {
    let message = |content: String| {
        let data = InteractionResponseData { content: Some(content), ..InteractionResponseData::default() };
        response(InteractionResponseType::ChannelMessageWithSource, data)
    };
    match interaction.data.as_ref().unwrap() {
        InteractionData::ApplicationCommand(command)
            if interaction.kind == InteractionType::ApplicationCommandAutocomplete =>
        {
            let CommandOptionValue::Focused(typed, _) = &command.options[0].value else { panic!("something is typed") };
            let choice = CommandOptionChoice {
                name: format!("{typed}!"),
                name_localizations: None,
                value: CommandOptionChoiceValue::String(typed.clone()),
            };
            let data = InteractionResponseData { choices: Some(vec![choice]), ..InteractionResponseData::default() };
            response(InteractionResponseType::ApplicationCommandAutocompleteResult, data)
        }
        InteractionData::ApplicationCommand(command) if command.name == "ask" => {
            #[expect(deprecated, reason = "twilight wants the label here")]
            let input = TextInput {
                custom_id: "name".to_owned(),
                id: None,
                label: Some("Name".to_owned()),
                max_length: None,
                min_length: None,
                placeholder: None,
                required: None,
                style: TextInputStyle::Short,
                value: None,
            };
            let row = Component::ActionRow(ActionRow { components: vec![Component::TextInput(input)], id: None });
            let data = InteractionResponseData {
                custom_id: Some("asked".to_owned()),
                title: Some("Who?".to_owned()),
                components: Some(vec![row]),
                ..InteractionResponseData::default()
            };
            response(InteractionResponseType::Modal, data)
        }
        InteractionData::ApplicationCommand(command) => {
            let CommandOptionValue::String(text) = &command.options[0].value else { panic!("a text was given") };
            message(text.clone())
        }
        InteractionData::ModalSubmit(modal) => message(format!("{:?}", modal.components)),
        other => panic!("{other:?}"),
    }
}

/// Reads the gateway until it is told to stop, and says which channels were made.
async fn bot(mut shard: Shard, http: Arc<Client>, made: UnboundedSender<Option<String>>) {
    while let Some(event) = shard.next_event(EventTypeFlags::all()).await {
        match event {
            Ok(Event::InteractionCreate(interaction)) => {
                let client = http.interaction(interaction.application_id);
                client.create_response(interaction.id, &interaction.token, &answer(&interaction)).await.unwrap();
            }
            Ok(Event::ChannelCreate(channel)) => made.send(channel.0.name).unwrap(),
            // A connection that falls is what some of the test is about; twilight makes another.
            _ => {}
        }
    }
}

#[tokio::test]
async fn twilight_logs_in_answers_completes_asks_and_resumes() {
    let house = House::new().await;
    let http = Arc::new(http(&house.sim));
    let application = http.current_user_application().await.unwrap().model().await.unwrap().id;
    let text = json!({ "type": 3, "name": "text", "description": "d", "required": true, "autocomplete": true });
    let commands = json!([
        { "type": 1, "name": "echo", "description": "d", "options": [text], "version": "1" },
        { "type": 1, "name": "ask", "description": "d", "options": [], "version": "1" },
    ]);
    let commands: Vec<_> = serde_json::from_value(commands).unwrap();
    let registered =
        http.interaction(application).set_global_commands(&commands).await.unwrap().models().await.unwrap();
    assert_eq!(registered.len(), 2);

    let gateway = format!("{}/gateway", house.sim.url().replace("http", "ws"));
    let config = ConfigBuilder::new(house.sim.token(), Intents::GUILDS).proxy_url(gateway).build();
    let (made, mut heard) = unbounded_channel();
    let running = tokio::spawn(bot(Shard::with_config(ShardId::ONE, config), http.clone(), made));
    house.sim.wait_for_gateway(WITHIN).await.unwrap();

    let owner = house.owner();
    let said = house.sim.command(owner, "echo", &[("text", json!("hello"))]).await.unwrap();
    assert_eq!(said.content, "hello");
    let offered = house.sim.autocomplete(owner, "echo", &[], "text", "hel").await.unwrap();
    assert_eq!((offered[0].name.as_str(), &offered[0].value), ("hel!", &json!("hel")));
    let modal = house.sim.command(owner, "ask", &[]).await.unwrap();
    let thanks = house.sim.submit(owner, &modal, &[("name", "Ferris")]).await.unwrap();
    assert!(thanks.content.contains("Ferris"), "{}", thanks.content);

    house.sim.go_away().await;
    for name in ["one", "two"] {
        house.sim.add_channel(house.guild, name, ChannelKind::Text);
    }
    house.sim.come_back().await;
    for missed in ["one", "two"] {
        let told = timeout(WITHIN, heard.recv()).await.unwrap().flatten();
        assert_eq!(told.as_deref(), Some(missed), "the resume replays what was missed, in order");
    }
    house.sim.wait_until(WITHIN, "a resumed session", |sim| sim.statistics().resumes == 1).await.unwrap();
    house.sim.reconnect_gateway();
    house.sim.wait_until(WITHIN, "a resumed session", |sim| sim.statistics().resumes == 2).await.unwrap();
    let said = house.sim.command(owner, "echo", &[("text", json!("again"))]).await.unwrap();
    assert_eq!((said.content.as_str(), house.sim.statistics().identifies), ("again", 1));
    running.abort();
}

#[tokio::test]
async fn twilight_sends_with_a_nonce_and_waits_out_a_429() {
    let house = House::new().await;
    let (http, channel) = (http(&house.sim), Id::new(house.channel));
    let body = json!({ "content": "once", "nonce": "n", "enforce_nonce": true }).to_string();
    let first = http.create_message(channel).payload_json(body.as_bytes()).await.unwrap().model().await.unwrap();
    let again = http.create_message(channel).payload_json(body.as_bytes()).await.unwrap().model().await.unwrap();
    assert_eq!((first.id, house.sim.messages(house.channel).len()), (again.id, 1));
    // A global one it does not wait out: 0.18 tries again at once, however often.
    for scope in [Scope::User, Scope::Shared] {
        house.sim.trouble(Route::MessageCreate, Trouble::RateLimited { scope, retry_after: 1.0 }, Some(1));
        let asked = Instant::now();
        http.create_message(channel).content("later").await.unwrap();
        assert!(asked.elapsed() >= Duration::from_secs(1), "{scope:?}: after {:?}", asked.elapsed());
    }
    let statistics = house.sim.statistics();
    assert_eq!((statistics.creates_accepted, statistics.nonce_replays, statistics.rate_limited_total()), (3, 1, 2));
}
