/** The built program as a real process: started, watched, and ended with everything that it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Task } from '#queue/contract/task';
import { type Pool, Pool as PoolSchema } from '#queue/contract/worker';
import { Leftover } from './leftover';

const PROGRAM = join(import.meta.dirname, '../../out/main/cli.js');
const START_MS = 30_000;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export interface MillraceOptions {
  args: readonly string[];
  env?: Record<string, string>;
  cwd?: string;
  /** The program of another build. */
  program?: string;
  /** A command before it, that becomes it: `ip netns exec …`. */
  through?: readonly string[];
}

export class MillraceProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = '';
  err = '';

  constructor({ args, env = {}, cwd, program = PROGRAM, through = [] }: MillraceOptions) {
    if (!existsSync(program)) throw new Error('these tests run the built program: npm run build');
    const [command = process.execPath, ...words] = [...through, process.execPath, program, ...args];
    this.child = spawn(command, words, {
      // Nothing of the environment of the tests: a REDIS_URL there must not be found.
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    // Also where the process of the tests is killed, or ends before a test that took too long.
    const guard = new Leftover('kill -9 "$1"', [String(this.pid)]);
    this.child.once('exit', () => guard.forget()); // before the pid can belong to somebody else
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.out += chunk;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.err += chunk;
    });
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal, out: this.out, err: this.err }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves with the address that it prints. @throws where it ends before */
  async address(): Promise<string> {
    const found = await waitFor('the address', () => {
      const match = /^Millrace \S+ on (http:\/\/\S+)$/m.exec(this.out);
      if (match?.[1]) return match[1];
      if (this.child.exitCode !== null) throw new EndedEarly(`it ended with ${this.child.exitCode}:\n${this.err}`);
      return null;
    });
    return found;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

class EndedEarly extends Error {}

/** Asks again every 25 ms until the answer is not null; what `ask` throws counts as not yet, but an early end. */
export async function waitFor<T>(what: string, ask: () => T | null | Promise<T | null>, ms = START_MS): Promise<T> {
  const deadline = performance.now() + ms;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      if (error instanceof EndedEarly) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited ${ms} ms for ${what}`, { cause: last });
}

/** False also for one that has ended and was not collected by its parent yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false; // nobody has this pid
  }
}

/** A few calls of the API, checked by its own schemas. */
export class TestApi {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(base: string, token?: string) {
    this.#base = base;
    this.#headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.#base + path, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async submit(body: unknown): Promise<Task> {
    const response = await this.call('POST', '/api/tasks', body);
    if (response.status !== 201) throw new Error(`submit: ${response.status} ${await response.text()}`);
    return Task.parse(await response.json());
  }

  async task(id: string): Promise<Task> {
    return Task.parse(await (await this.call('GET', `/api/tasks/${id}`)).json());
  }

  async pools(): Promise<Pool[]> {
    return z.object({ pools: z.array(PoolSchema) }).parse(await (await this.call('GET', '/api/pools')).json()).pools;
  }

  until(id: string, status: Task['status'], ms = START_MS): Promise<Task> {
    return waitFor(
      `task ${id} to be ${status}`,
      async () => {
        const task = await this.task(id);
        return task.status === status ? task : null;
      },
      ms,
    );
  }

  /** A task is `processing` a moment before its worker has it: resolves once its handler has logged something. */
  begun(id: string): Promise<true> {
    return waitFor(`the handler of ${id} to begin`, async () => {
      const logs = await this.call('GET', `/api/tasks/${id}/logs`);
      return z.object({ logs: z.array(z.unknown()) }).parse(await logs.json()).logs.length > 0 ? true : null;
    });
  }

  /** Pids of the worker processes, once `count` of them serve. */
  workers(count: number): Promise<number[]> {
    return waitFor(`${count} workers`, async () => {
      const running = (await this.pools())
        .flatMap((pool) => pool.members)
        .filter((member) => member.state === 'running');
      return running.length === count ? running.map((member) => member.pid ?? 0) : null;
    });
  }
}

/** For where time itself is the fault, or what is looked at: so much of it has passed when it resolves. */
export async function passes(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await waitFor(`${ms} ms to pass`, () => (performance.now() >= end ? true : null), ms + 5000);
}
