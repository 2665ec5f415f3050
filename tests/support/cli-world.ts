/**
 * The `millrace` program run inside a test, against a real HTTP server that answers what the test has laid out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { CliIo } from '#main/cli/io';
import { type ProgramDeps, runCli } from '#main/cli/program';
import type { Operation } from '#queue/contract/operation';
import type { Task } from '#queue/contract/task';
import { systemClock } from '#queue/kernel/clock';
import { taskOf } from './wire';

export const ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';
export const AT = '2026-01-31T12:00:00.000Z';
export const task = (change: Partial<Task> = {}): Task => taskOf(0, { id: ID, created_at: AT, ...change });
export const operation = (change: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  action: 'requeue',
  filter: {},
  state: 'running',
  matched: 3,
  done: 0,
  skipped: 0,
  failed: 0,
  rate: null,
  priority: null,
  started_at: AT,
  finished_at: null,
  by: 'local',
  message: null,
  eta_seconds: null,
  ...change,
});
export const problem = (status: number, title: string, errors?: { path: string; message: string }[]) => ({
  status,
  body: { type: 'urn:x', title, status, detail: 'because', code: 'X', ...(errors && { errors }) },
});

export interface Seen {
  method: string;
  path: string;
  body: unknown;
  token: string | null;
}
type Answer = { status: number; body: unknown };

export interface Run {
  code: number;
  out: string;
  err: string;
}
export interface RunOptions {
  env?: Record<string, string>;
  stdin?: string;
  deps?: Partial<ProgramDeps>;
  interrupted?: AbortController;
  onOut?: (text: string) => void;
}

export class CliWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  /** By method and path, in order; the last one is given again and again. */
  readonly answers: Record<string, Answer[]> = {
    'GET /health': [{ status: 200, body: { status: 'ok', redis: 'up', version: '0', uptime: 1 } }],
  };
  /** Requests, but the looks at /health. */
  readonly seen: Seen[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = `${request.method} ${request.url?.split('?')[0]}`;
      const body = Buffer.concat(chunks).toString();
      if (request.url !== '/health') {
        this.seen.push({
          method: request.method ?? '',
          path: request.url ?? '',
          body: body === '' ? undefined : JSON.parse(body),
          token: request.headers.authorization ?? null,
        });
      }
      const waiting = this.answers[key];
      const { status, body: json } =
        (waiting && waiting.length > 1 ? waiting.shift() : waiting?.[0]) ?? problem(404, 'No such task');
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });

  static async start(): Promise<CliWorld> {
    const world = new CliWorld();
    world.#server.listen(0, '127.0.0.1');
    await new Promise((resolve) => world.#server.once('listening', resolve));
    return world;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.dir, { recursive: true, force: true });
  }

  async run(
    args: string[],
    { env = {}, stdin = '', deps = {}, interrupted = new AbortController(), onOut }: RunOptions = {},
  ): Promise<Run> {
    const result = { out: '', err: '' };
    const input = new PassThrough();
    input.end(stdin);
    const io: CliIo = {
      out: (chunk) => {
        result.out += chunk;
        onOut?.(chunk);
      },
      err: (chunk) => {
        result.err += chunk;
      },
      stdin: () => text(input),
      readFile: (path) => readFile(path, 'utf8'),
      outIsTerminal: false,
      errIsTerminal: false,
      errStream: new PassThrough(),
      clock: { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(1, signal) },
      interrupted: interrupted.signal,
      inputs: (flags, configFile) => ({
        flags,
        configFile,
        cwd: this.dir,
        platform: 'linux',
        home: this.dir,
        env: { APP_PORT: String(this.port), MILLRACE_DATA_DIR: join(this.dir, 'data'), ...env },
      }),
    };
    const never = async () => {
      throw new Error('not expected');
    };
    const code = await runCli(args, {
      io,
      mount: never,
      serve: never,
      work: never,
      desktop: never,
      bench: never,
      doctor: never,
      onClientCommand: () => undefined,
      ...deps,
    });
    return { code, ...result };
  }
}
