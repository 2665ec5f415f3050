/** HTTP requests byte for byte as they are given, and what came back, also where the server did not read to the end. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';

export interface ExactRequest {
  method: string;
  /** As it goes on the wire, with its query. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

export interface ExactAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** From the first byte sent to the last one received. */
  ms: number;
}

export class ExactClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly port: number;

  constructor(base: string) {
    this.port = Number(new URL(base).port);
  }

  send({ method, path, headers, body }: ExactRequest): Promise<ExactAnswer> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.port,
        method,
        path,
        headers: { ...headers, ...(body !== null && { 'content-length': String(body.length) }) },
      });
      outgoing.on('response', (incoming) => {
        const parts: Buffer[] = [];
        const done = () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(parts),
            ms: performance.now() - began,
          });
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('end', done);
        incoming.on('error', reject);
      });
      outgoing.on('error', reject); // too late to matter where the answer has come
      outgoing.end(body ?? undefined);
    });
  }

  json(method: string, path: string, text: string | Buffer): Promise<ExactAnswer> {
    return this.send({ method, path, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

export interface Exchange {
  /** All that came, as latin1. */
  text: string;
  /** Until the server ended the connection; null where it was still open when we gave up. */
  closedMs: number | null;
}

/**
 * Writes `parts` one after the other on a connection of its own and reads until the server ends it, `ms` are over, or
 * what came so far matches `until`.
 */
export function exchange(
  port: number,
  parts: readonly (string | Buffer)[],
  ms: number,
  until?: RegExp,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const began = performance.now();
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    });
    const give = (closedMs: number | null) => {
      clearTimeout(patience);
      socket.destroy();
      resolve({ text, closedMs });
    };
    const patience = setTimeout(() => give(null), ms);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (until?.test(text)) give(null);
    });
    socket.on('error', () => undefined); // a reset: `close` follows
    socket.on('close', () => give(performance.now() - began));
  });
}
