//! A bot on discord.js, steered and read line by line in JSON: what the simulator's own tests look at it with.

import { createInterface } from "node:readline";

import {
    ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, Events, GatewayIntentBits, LabelBuilder, MessageFlags,
    ModalBuilder, SlashCommandBuilder, TextInputBuilder, TextInputStyle,
} from "discord.js";

const { DISCORD_URL, DISCORD_TOKEN } = process.env;

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const commands = [
    new SlashCommandBuilder()
        .setName("echo")
        .setDescription("Says it again")
        .addStringOption((option) =>
            option.setName("text").setDescription("What").setRequired(true).setAutocomplete(true)),
    new SlashCommandBuilder().setName("ask").setDescription("Opens a modal"),
    new SlashCommandBuilder().setName("slow").setDescription("Takes its time"),
];

const client = new Client({
    intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages],
    rest: { api: `${DISCORD_URL}/api` },
});

client.on(Events.ClientReady, async () => {
    await client.application.commands.set(commands);
    const channels = client.guilds.cache.map((guild) => guild.channels.cache.map((channel) => channel.name)).flat();
    tell({ ready: client.user.id, channels });
});
client.on(Events.ShardResume, (shard, replayed) => tell({ resumed: shard, replayed }));
client.on(Events.ChannelUpdate, (before, after) => tell({ renamed: after.name }));
client.rest.on("rateLimited", ({ global, scope }) => tell({ limited: global ? "global" : scope }));

client.on(Events.InteractionCreate, async (interaction) => {
    if (interaction.isAutocomplete()) {
        const typed = interaction.options.getFocused();
        await interaction.respond([{ name: `${typed}!`, value: typed }]);
    } else if (interaction.isModalSubmit()) {
        const button = new ButtonBuilder().setCustomId("sure").setLabel("Sure").setStyle(ButtonStyle.Success);
        await interaction.reply({
            content: `Hello ${interaction.fields.getTextInputValue("name")}`,
            components: [new ActionRowBuilder().addComponents(button)],
            flags: MessageFlags.Ephemeral,
        });
    } else if (interaction.isButton()) {
        await interaction.update({ content: "Sure it is", components: [] });
    } else if (interaction.commandName === "echo") {
        await interaction.reply(interaction.options.getString("text"));
    } else if (interaction.commandName === "ask") {
        const input = new TextInputBuilder().setCustomId("name").setStyle(TextInputStyle.Short);
        const label = new LabelBuilder().setLabel("Your name").setTextInputComponent(input);
        await interaction.showModal(new ModalBuilder().setCustomId("who").setTitle("Who?").addLabelComponents(label));
    } else {
        await interaction.deferReply();
        await interaction.editReply("at last");
        await interaction.followUp({ content: "and more", flags: MessageFlags.Ephemeral });
    }
});

createInterface({ input: process.stdin })
    .on("line", async (line) => {
        const { channel, content, nonce } = JSON.parse(line);
        const message = { content, nonce, enforceNonce: nonce !== undefined };
        const sent = await client.channels.cache.get(channel).send(message);
        tell({ sent: sent.id });
    })
    .on("close", () => process.exit());

await client.login(DISCORD_TOKEN);
