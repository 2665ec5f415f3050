/**
 * A TCP proxy before a Redis that counts the commands which go through it and can do to each connection what networks
 * do: cut it before a command, cut it after the command was carried out and before its reply, hold everything, close one
 * way only, or be slow. Bytes that are held come in their order later: dropping some would be no network's fault.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** `cut`: it never reaches Redis. `lose`: Redis does it, the reply never comes. */
export type Fate = 'pass' | 'cut' | 'lose';

interface Pair {
  client: Socket;
  server: Socket;
  /** Chunks in order, towards the server and towards the client. */
  lines: [Promise<void>, Promise<void>];
}

export class RedisProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #target: { host: string; port: number };
  #held: Promise<void> | null = null;
  #release: () => void = () => undefined;
  /** Added to each chunk, ms, each way. */
  delayMs = 0;
  /** Asked for each command with its number from 1 and its words in upper case; only the name and the first argument. */
  onCommand: (n: number, name: string) => Fate = () => 'pass';
  /** Commands that came so far. */
  commands = 0;
  refusing = false;

  private constructor(target: { host: string; port: number }, server: Server) {
    this.#target = target;
    this.#server = server;
  }

  static async before(target: { host: string; port: number }): Promise<RedisProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new RedisProxy(target, server);
    server.on('connection', (client) => proxy.#accept(client));
    return proxy;
  }

  get host(): string {
    return '127.0.0.1';
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** How many are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends every connection, as a reset does. New ones come through unless `refusing`. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Nothing comes through any more, and nobody is told: a black hole. What was sent comes after `heal`. */
  hold(): void {
    this.#held ??= new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  heal(): void {
    this.#release();
    this.#held = null;
  }

  /** The way from Redis to the clients ends; the other one stays open. */
  halfClose(): void {
    for (const { client } of this.#pairs) client.end();
  }

  async close(): Promise<void> {
    this.heal();
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = dial({ ...this.#target, allowHalfOpen: true });
    const pair: Pair = { client, server, lines: [Promise.resolve(), Promise.resolve()] };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    const requests = new RequestCounter();
    let losing = false;
    client.on('data', (chunk: Buffer) => {
      let allowed = chunk.length;
      for (const { name, from } of requests.read(chunk)) {
        const fate = this.onCommand(++this.commands, name);
        if (fate === 'cut') {
          allowed = Math.min(allowed, Math.max(0, from));
          this.#after(pair, 0, end);
          break;
        }
        if (fate === 'lose') losing = true;
      }
      if (allowed > 0) this.#send(pair, 0, server, chunk.subarray(0, allowed));
    });
    server.on('data', (chunk: Buffer) => {
      if (losing) end();
      else this.#send(pair, 1, client, chunk);
    });
    client.on('end', () => this.#after(pair, 0, () => server.end()));
    server.on('end', () => this.#after(pair, 1, () => client.end()));
  }

  #send(pair: Pair, way: 0 | 1, to: Socket, chunk: Buffer): void {
    this.#after(pair, way, () => {
      if (!to.destroyed) to.write(chunk);
    });
  }

  #after(pair: Pair, way: 0 | 1, act: () => void): void {
    pair.lines[way] = pair.lines[way].then(async () => {
      if (this.delayMs > 0) await delay(this.delayMs);
      await this.#held;
      act();
    });
  }
}

/** Finds where commands begin in a stream of requests (arrays of bulk strings), whatever the chunks are. */
class RequestCounter {
  #rest = Buffer.alloc(0);

  /** @returns the commands that are complete with this chunk, and where in it each begins (below 0: in one before) */
  read(chunk: Buffer): { name: string; from: number }[] {
    const before = this.#rest.length;
    let bytes = Buffer.concat([this.#rest, chunk]);
    const found: { name: string; from: number }[] = [];
    let begin = 0;
    for (;;) {
      const command = parse(bytes);
      if (command === null) break;
      found.push({ name: command.name, from: begin - before });
      begin += command.length;
      bytes = bytes.subarray(command.length);
    }
    this.#rest = Buffer.from(bytes);
    return found;
  }
}

function parse(bytes: Buffer): { name: string; length: number } | null {
  let at = 0;
  const line = () => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return null;
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const head = line();
  if (head === null) return null;
  const words: string[] = [];
  for (let left = Number(head.slice(1)); left > 0; left--) {
    const size = line();
    if (size === null) return null;
    const length = Number(size.slice(1));
    if (bytes.length < at + length + 2) return null;
    if (words.length < 2) words.push(bytes.toString('latin1', at, at + Math.min(length, 64)));
    at += length + 2;
  }
  return { name: words.join(' ').toUpperCase(), length: at };
}
