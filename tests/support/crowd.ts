/** Clients in processes of their own, so that what they cost is not the test's: crowds of them, and floods of calls. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { z } from 'zod';

const script = (name: string) => join(import.meta.dirname, 'clients', name);

const Counts = z.object({
  tried: z.number(),
  open: z.number(),
  refused: z.number(),
  gone: z.number(),
  frames: z.number(),
  retryAfter: z.number(),
  p99: z.number().nullable(),
});
export type Counts = z.infer<typeof Counts>;

export class Crowd implements AsyncDisposable {
  readonly #members: { child: ChildProcess; lines: Interface }[];

  /** @param count in all, shared by two processes */
  constructor(port: number, count: number, kind: 'connect' | 'idle' | 'subscribed') {
    this.#members = [1, 2].map(() => {
      const child = spawn(process.execPath, [script('crowd.mjs'), String(port), String(count / 2), kind], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      if (child.stdout === null) throw new Error('no output');
      return { child, lines: createInterface({ input: child.stdout }) };
    });
  }

  /** All together; `p99` is the worst of them. */
  async counts(): Promise<Counts> {
    const all = await Promise.all(
      this.#members.map(async ({ child, lines }) => {
        const line = once(lines, 'line');
        child.stdin?.write('\n');
        return Counts.parse(JSON.parse(String((await line)[0])));
      }),
    );
    const sum = (key: Exclude<keyof Counts, 'p99'>) => all.reduce((total, counts) => total + counts[key], 0);
    const p99s = all.flatMap(({ p99 }) => p99 ?? []);
    return {
      tried: sum('tried'),
      open: sum('open'),
      refused: sum('refused'),
      gone: sum('gone'),
      frames: sum('frames'),
      retryAfter: sum('retryAfter'),
      p99: p99s.length === 0 ? null : Math.max(...p99s),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#members) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
      child.kill('SIGKILL');
      await ended;
    }
  }
}

const Flooded = z.object({
  statuses: z.record(z.string(), z.number()),
  requests: z.number(),
  p99: z.number(),
  retryAfter: z.array(z.string()),
});

export async function flood(base: string, seconds: number, token?: string): Promise<z.infer<typeof Flooded>> {
  const args = [script('flood.mjs'), base, String(seconds), ...(token === undefined ? [] : [token])];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Flooded.parse(JSON.parse(stdout));
}
