/**
 * Which port each window's server had last, in `<data>/desktop/ports.json`. A convenience: a file that is damaged is begun
 * anew, and a port that somebody else has by now is not waited for.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readOrNull, writePrivate } from './local-redis/server-file';

const HOST = '127.0.0.1';
const Ports = z.record(z.string(), z.int().min(1024).max(65_535));

export class RememberedPorts {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns 0, any free one, where there is none or it is taken */
  async freeFor(key: string): Promise<number> {
    const port = this.#read()[key];
    return port !== undefined && (await isFree(port)) ? port : 0;
  }

  remember(key: string, port: number): void {
    const ports = this.#read();
    if (ports[key] === port) return;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writePrivate(this.#path, JSON.stringify({ ...ports, [key]: port }));
  }

  #read(): Record<string, number> {
    try {
      return Ports.parse(JSON.parse(readOrNull(this.#path) ?? '{}'));
    } catch {
      return {};
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch {
    return false; // taken
  }
  server.close();
  await once(server, 'close');
  return true;
}
