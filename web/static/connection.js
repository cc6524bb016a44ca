/**
 * The WebSocket: opened, watched and opened again for as long as the page wants it. Knows frames as maps, and of
 * their meaning only `welcome` (the line is good), `pong` and the close code 4401 (the key is not).
 */
import { decode, encode } from "./vendor/msgpack.js";

const PROTOCOL = "limner.v1.msgpack";
const BACKOFF_S_FIRST = 0.5;
const BACKOFF_S_MAX = 15;
const QUIET_S_MAX = 25; // then a ping
const ANSWER_S_MAX = 10; // then the line is dead, whatever the socket says
const OFFLINE_ANSWER_S_MAX = 1; // the browser says there is no network; a server on this machine answers all the same
const CLOSE_UNAUTHENTICATED = 4401;

/** Seconds before try `tries` (from 0): exponential, capped, with full jitter so that a crowd comes back spread out. */
export function backoff_s(tries, dice = Math.random) {
  const ceiling = Math.min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2 ** Math.min(tries, 10));
  return BACKOFF_S_FIRST / 2 + dice() * ceiling;
}

export class Connection {
  /** `told`: {frame(frame), lost(), refused()}. */
  constructor(url, told) {
    this.url = url;
    this.told = told;
    this.wanted = false;
    this.socket = null;
    this.tries = 0;
    this.retry = null;
    this.watch = null;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.probe(OFFLINE_ANSWER_S_MAX));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  open() {
    this.wanted = true;
    if (!this.socket) this.dial();
  }

  close() {
    this.wanted = false;
    clearTimeout(this.retry);
    this.leave();
  }

  /** True if the frame was handed to an open socket. */
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(encode(frame, { ignoreUndefined: true }));
    return true;
  }

  dial() {
    clearTimeout(this.retry);
    const socket = new WebSocket(this.url, [PROTOCOL]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.listen();
    socket.onmessage = (message) => this.hear(decode(new Uint8Array(message.data)));
    socket.onclose = (closed) => this.drop(closed.code);
    this.socket = socket;
    this.watch = setTimeout(() => this.drop(), ANSWER_S_MAX * 1000);
  }

  hear(frame) {
    this.listen();
    if (frame.type === "welcome") this.tries = 0;
    if (frame.type !== "pong") this.told.frame(frame);
  }

  /** Something was heard: a long silence from here on is asked about, and then taken for a death. */
  listen() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.probe(ANSWER_S_MAX), QUIET_S_MAX * 1000);
  }

  probe(answer_s_max) {
    clearTimeout(this.watch);
    this.send({ type: "ping" });
    this.watch = setTimeout(() => this.drop(), answer_s_max * 1000);
  }

  /** The line is gone. A half-open socket may take minutes to say so itself, so it is not waited for. */
  drop(code) {
    if (!this.socket) return;
    this.leave();
    if (code === CLOSE_UNAUTHENTICATED) {
      this.wanted = false;
      this.told.refused();
      return;
    }
    this.told.lost();
    if (this.wanted) this.retry = setTimeout(() => this.dial(), backoff_s(this.tries++) * 1000);
  }

  /** The network or the reader came back: no reason to wait out the backoff. */
  hurry() {
    if (this.wanted && !this.socket) this.dial();
  }

  leave() {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
