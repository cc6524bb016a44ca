// A user who presses and types, by Discord's documents alone; and small helpers of the drivers.

import { text } from 'node:stream/consumers';
import WebSocket from 'ws';

const PATIENCE_MS = 20_000;

export async function announcement() {
  return JSON.parse(await text(process.stdin));
}

export function saw(what, detail) {
  console.log(detail ? `${what} (${detail})` : what);
}

export async function control(base, name, body) {
  const answer = await fetch(`${base}/_sim/${name}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
  return answer.json();
}

export class Guest {
  static async enter(where) {
    const guest = new Guest(where);
    await guest.event('READY');
    await guest.event('GUILD_CREATE');
    return guest;
  }

  constructor(where) {
    this.where = where;
    this.account = where.accounts[0];
    this.heard = [];
    this.waiting = [];
    this.nonce = 1000;
    this.socket = new WebSocket(`${where.gateway}?v=10&encoding=json`);
    this.socket.addEventListener('message', ({ data }) => this.take(JSON.parse(data)));
  }

  take(frame) {
    if (frame.op === 10) this.socket.send(JSON.stringify({ op: 2, d: { token: this.account.token, properties: {} } }));
    if (frame.op !== 0) return;
    this.heard.push(frame);
    this.waiting = this.waiting.filter((wait) => !wait());
  }

  /** The first event of this name that fits, of all that were heard or will be; given out once. */
  event(name, fits = () => true) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${name} in time`)), PATIENCE_MS);
      const look = () => {
        const place = this.heard.findIndex((frame) => frame.t === name && fits(frame.d));
        if (place < 0) return false;
        clearTimeout(timer);
        resolve(this.heard.splice(place, 1)[0].d);
        return true;
      };
      if (!look()) this.waiting.push(look);
    });
  }

  async call(method, path, body) {
    const headers = { Authorization: this.account.token, 'Content-Type': 'application/json' };
    const answer = await fetch(this.where.api + path, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  post(path, body) {
    return this.call('POST', path, body);
  }

  async use(application, name, options) {
    const index = await this.call('GET', `/guilds/${this.where.guild_id}/application-command-index`);
    const command = index.application_commands.find((one) => one.application_id === application && one.name === name);
    await this.ask(application, 2, { id: command.id, name, version: command.version, type: 1, options });
  }

  press(message, customId) {
    const data = { component_type: 2, custom_id: customId };
    return this.ask(message.author.id, 3, data, { message_id: message.id, message_flags: message.flags });
  }

  ask(application, type, data, more = {}) {
    const { guild_id, channel_id } = this.where;
    this.nonce += 1;
    const nonce = String(this.nonce);
    return this.post('/interactions', { type, application_id: application, guild_id, channel_id, session_id: 'guest', nonce, data, ...more });
  }

  leave() {
    this.socket.close(4000);
  }
}
