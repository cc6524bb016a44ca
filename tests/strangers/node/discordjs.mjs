// discord.js, unmodified, against `limner sim`: its options say where Discord is, nothing else.
//
// Reads what the simulator announced as JSON from standard input; prints a line for each thing that it saw, and ends
// with 0 when it saw all of them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, Events, GatewayIntentBits, SlashCommandBuilder } from 'discord.js';
import { Guest, announcement, control, saw } from './guest.mjs';

const where = await announcement();
const base = new URL(where.api).origin;
const intents = [
  GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent,
  GatewayIntentBits.GuildMembers, GatewayIntentBits.GuildMessageReactions,
];
const client = new Client({ intents, rest: { api: `${base}/api`, version: '10', cdn: where.cdn } });
client.on(Events.Error, (error) => { throw error; });
const ready = once(client, Events.ClientReady);
await client.login(where.bot_tokens[0]);
await ready;
const guild = client.guilds.cache.get(where.guild_id);
saw('ready', guild.name);

const guest = await Guest.enter(where);
const channel = await client.channels.fetch(where.channel_id);
let heard = once(client, Events.MessageCreate);
await guest.post(`/channels/${where.channel_id}/messages`, { content: 'good day' });
let [message] = await heard;
assert.equal(message.content, 'good day');
saw('message received', message.author.username);

const answer = await message.reply({ content: 'and to you', files: [{ attachment: Buffer.from('plain'), name: 'plain.txt' }] });
const read = await fetch(answer.attachments.first().url);
assert.equal(await read.text(), 'plain');
saw('message sent, attachment read from the CDN', answer.attachments.first().name);
await answer.edit('and to you too');
await answer.react('👍');
assert.equal((await channel.messages.fetch({ limit: 1 })).first().content, 'and to you too');
saw('edited, reacted, history read', '');

const command = new SlashCommandBuilder().setName('echo').setDescription('Say it again')
  .addStringOption((option) => option.setName('text').setDescription('What').setRequired(true));
await guild.commands.set([command]);
client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isChatInputCommand()) {
    await interaction.deferReply();
    const button = new ButtonBuilder().setCustomId('again').setLabel('Again').setStyle(ButtonStyle.Primary);
    const components = [new ActionRowBuilder().addComponents(button)];
    await interaction.editReply({ content: `echo: ${interaction.options.getString('text')}`, components });
    await interaction.followUp({ content: 'for you alone', flags: 64 });
  } else if (interaction.isButton()) {
    await interaction.update({ content: 'once more', components: [] });
  }
});
await guest.use(client.application.id, 'echo', [{ type: 3, name: 'text', value: 'cuckoo' }]);
const edited = await guest.event('MESSAGE_UPDATE', (data) => data.content === 'echo: cuckoo');
const secret = await guest.event('MESSAGE_CREATE', (data) => data.content === 'for you alone');
assert.equal(secret.flags & 64, 64);
saw('slash command: deferred, edited, ephemeral follow-up', edited.interaction_metadata.name);
await guest.press(edited, 'again');
await guest.event('MESSAGE_UPDATE', (data) => data.content === 'once more');
saw('button pressed, message updated', '');

for (const fault of ['reconnect', 'drop_all', 'invalid_true']) {
  const resumed = once(client, Events.ShardResume);
  heard = once(client, Events.MessageCreate);
  await control(base, 'faults', { fault, account: 'bot-01' });
  await guest.post(`/channels/${where.channel_id}/messages`, { content: `during ${fault}` });
  await resumed;
  [message] = await heard;
  assert.equal(message.content, `during ${fault}`);
  saw(`RESUME after ${fault}, nothing missed`, '');
}

await control(base, 'faults', { fault: 'r429_user', account: 'bot-01' });
const waited = await channel.send('patience');
assert.equal(waited.content, 'patience');
saw('429 waited out', '');

await client.destroy();
guest.leave();
