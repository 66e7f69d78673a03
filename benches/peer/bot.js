// A Discord bot for one account and one channel as it is usually written: discord.js, a durable consumer, an embed for
// each event, a slash command. An event is acknowledged once Discord has taken its message, so that one that was not
// taken comes again. It keeps nothing itself.

import { once } from "node:events";

import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Client, EmbedBuilder, Events, GatewayIntentBits, MessageFlags, SlashCommandBuilder, escapeMarkdown } from "discord.js";

const { DISCORD_URL, DISCORD_TOKEN, DISCORD_CHANNEL, NATS_URL, NATS_USER } = process.env;

const sentences = {
  connected: (server, player) => `📥 **${player}** joined **${server}**`,
  disconnected: (server, player) => `📤 **${player}** left **${server}**`,
  started: (server) => `🟢 Server **${server}** is up`,
  stopped: (server) => `🔴 Server **${server}** has stopped`,
};

let lastEvent = "nothing yet";

function toEmbed(message) {
  // v0.{game}.servers.{server}.events.{event} or v0.{game}.servers.{server}.players.{player}.events.{event}
  const words = message.subject.split(".");
  const [server, event] = [escapeMarkdown(words[3]), words.at(-1)];
  const player = escapeMarkdown(message.json()?.player?.name ?? "somebody");
  lastEvent = sentences[event]?.(server, player) ?? `${event} on ${server}`;
  return new EmbedBuilder()
    .setDescription(lastEvent)
    .setColor(0x57f287)
    .setTimestamp(new Date(message.timestamp));
}

const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: `${DISCORD_URL}/api` } });
client.on(Events.Error, console.error);
client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isChatInputCommand() && interaction.commandName === "status") {
    await interaction.reply({ content: `Last heard: ${lastEvent}`, flags: MessageFlags.Ephemeral });
  }
});
const ready = once(client, Events.ClientReady);
await client.login(DISCORD_TOKEN);
await ready;
const status = new SlashCommandBuilder().setName("status").setDescription("Shows what was last heard of the servers");
await client.application.commands.set([status]);
const channel = await client.channels.fetch(DISCORD_CHANNEL);

const nats = await connect({ servers: NATS_URL, user: NATS_USER });
const manager = await jetstreamManager(nats);
await manager.consumers.add("EVENTS", {
  durable_name: "peer",
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.New,
  filter_subjects: ["v0.*.servers.*.events.>", "v0.*.servers.*.players.*.events.>"],
});
const consumer = await jetstream(nats).consumers.get("EVENTS", "peer");
const messages = await consumer.consume();
console.log("ready");
for await (const message of messages) {
  try {
    await channel.send({ embeds: [toEmbed(message)] });
    message.ack();
  } catch (error) {
    console.error(`not shown, and left to come again: ${error.message}`);
  }
}
await client.destroy();
