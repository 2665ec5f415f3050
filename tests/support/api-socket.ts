/** The server of an in-memory world on a real socket, and ways to talk to it that no HTTP client offers. */
import { connect } from 'node:net';
import { HttpServer } from '#main/server/http-server';
import { createWorld, type WorldOptions } from './api-world';
import { ManualClock, turn } from './manual-clock';

/** Tells what it was asked to wait for, so that a test knows when the server waits. */
export class WatchedClock extends ManualClock {
  readonly asked: number[] = [];
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(ms);
    return super.sleep(ms, signal);
  }
}

export function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export async function started(options: WorldOptions = {}) {
  const world = createWorld(options);
  const server = new HttpServer(world.deps);
  await server.start();
  const { port } = server.address;
  return { ...world, server, port, [Symbol.asyncDispose]: () => server.stop() };
}

/** What comes back on a socket that sends `parts`, until the server ends it or `until` has come. */
export function raw(port: number, parts: string[], until = /\r\n\r\n[\s\S]*\}$/): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (until.test(text)) socket.destroy();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(text) : reject(error),
    );
  });
}

export const head = (method: string, path: string, headers: Record<string, string>): string =>
  `${method} ${path} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

/** In steps, so that what wakes in between may go to sleep again. */
export async function advanceSteps(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    await turn();
    await clock.advance(Math.min(100, left));
  }
}
