// The npm package `midjourney`, unmodified, against `limner sim`: its own options say where Discord is.
//
// Reads what the simulator announced as JSON from standard input; prints a line for each command of the client that did
// what it should, and ends with 0 when all did.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import WebSocket from 'ws';
import { announcement, control, saw } from './guest.mjs';

const { Midjourney } = createRequire(import.meta.url)('midjourney');
const where = await announcement();
const base = new URL(where.api).origin;
const [account] = where.accounts;
const talk = console.log;
console.log = () => {}; // the client is talkative

const client = new Midjourney({
  SalaiToken: account.token,
  ServerId: where.guild_id,
  ChannelId: account.channel_id,
  DiscordBaseUrl: base,
  WsBaseUrl: `${where.gateway}?encoding=json&v=9`,
  ApiInterval: 50,
  WebSocket,
});
console.log = talk;
await quietly(() => client.init());
saw('init: command index, gateway, /settings', `remix ${client.config.Remix ? 'on' : 'off'}`);

async function quietly(act) {
  console.log = () => {};
  try {
    return await act();
  } finally {
    console.log = talk;
  }
}

// What drew and how it ended: the final message has a picture that can be fetched, after some progress.
async function drawn(name, draw) {
  const percents = [];
  const message = await quietly(() => draw((uri, progress) => percents.push(progress)));
  assert.equal(message.progress, 'done', name);
  const answer = await fetch(message.uri);
  assert.equal(answer.headers.get('content-type'), 'image/png', name);
  const { length } = Buffer.from(await answer.arrayBuffer());
  assert.ok(length > 100, name);
  saw(name, [...percents, 'done'].join(' '));
  return message;
}

function at(message, more) {
  return { msgId: message.id, hash: message.hash, flags: message.flags, content: message.content, ...more };
}

const grid = await drawn('Imagine', (loading) => client.Imagine('a red fox in snow', loading));
const single = await drawn('Upscale U1', (loading) => client.Upscale(at(grid, { index: 1, loading })));
await drawn('Variation V2', (loading) => client.Variation(at(grid, { index: 2, loading })));
await drawn('Reroll', (loading) => client.Reroll(at(grid, { loading })));
for (const level of ['high', 'low', '2x', '1.5x']) {
  await drawn(`ZoomOut ${level}`, (loading) => client.ZoomOut(at(single, { level, loading })));
}
for (const { label, custom } of single.options.filter((option) => /pan_|upsample/.test(option.custom))) {
  await drawn(`Custom ${label}`, (loading) => client.Custom({ ...at(single), customId: custom, loading }));
}
const zoom = single.options.find((option) => option.label === 'Custom Zoom');
const wider = 'a red fox in snow --zoom 2';
await drawn('Custom zoom, by its form', (loading) => client.Custom({ ...at(single), customId: zoom.custom, content: wider, loading }));

const picture = await fetch(grid.uri);
const described = await quietly(async () => client.DescribeByBlob(await picture.blob()));
assert.equal(described.descriptions.length, 4);
saw('Describe a blob', described.descriptions[0]);
const again = await quietly(() => client.Describe(single.uri));
assert.equal(again.options.filter((option) => option.custom.includes('PicReader')).length, 4);
saw('Describe a link', `${again.options.length} buttons`);
const short = await quietly(() => client.Shorten('please draw a very small red fox in the deep white snow'));
assert.ok(short.prompts.length > 1);
saw('Shorten', short.prompts[0]);

const info = await quietly(() => client.Info());
assert.ok(info.subscription && info.jobMode && info.fastTimeRemaining);
saw('Info', `${info.subscription}, ${info.jobMode}, ${info.fastTimeRemaining}`);
await quietly(() => client.Relax());
await quietly(() => client.Fast());
saw('Relax, Fast', '');

const remix = await quietly(() => client.SwitchRemix());
assert.match(remix, /on/i);
saw('SwitchRemix', remix);
client.config.Remix = true;
await drawn('Variation V3, by the form of remix', (loading) =>
  client.Variation(at(grid, { index: 3, content: 'a red fox in spring', loading })));
await quietly(() => client.Reset());
const settings = await quietly(() => client.Settings());
assert.equal(settings.options.find((option) => option.label === 'Remix mode').style, 2);
saw('Reset', `${settings.options.length} settings`);

const warned = new Promise((resolve) => { console.warn = resolve; });
await control(base, 'faults', { fault: 'banned_prompt' });
client.Imagine('nothing of that kind'); // never settled: of a yellow embed the client only warns
saw('a banned prompt is warned of', await warned);
await assert.rejects(quietly(() => client.Imagine('a fox --nonsense 4')), /parameter/i);
saw('an invalid parameter is an error', '');
client.Close();
process.exit(0);
