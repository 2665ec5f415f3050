/**
 * `npm run bench -- --instructions`: how many machine instructions Redis needs for a task, counted by callgrind. They are the same
 * at each run, however busy the machine is: a change of a script shows by its hundredth part. What they do not show is memory
 * that is not in a cache. Needs valgrind.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectedEngine } from '#queue/engine/connect';
import { connectToUrl } from '../tests/support/engine';
import { type RedisServer, startRedis } from '../tests/support/redis-server';
import { Figures, printFigures } from './report';
import { settleAndClaim, specOf } from './scripts';
import { inTurn } from './subject';

/** Under callgrind Redis is some fifty times as slow. */
const PATIENCE_MS = 60_000;
const PENDING = 20_000;
const COUNTED = 2_000;

export async function measureInstructions(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-instructions-'));
  const through = ['valgrind', '--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${join(dir, 'out')}`];
  const server = await startRedis({ args: ['--appendonly', 'no'], through }).catch((error: unknown) => {
    throw new Error('redis-server does not start under valgrind: apt-get install valgrind', { cause: error });
  });
  const connected = connectToUrl(server.url, { name: 'instructions', patienceMs: PATIENCE_MS });
  try {
    await connected.whenReady(PATIENCE_MS);
    const figures = new Figures();
    await count(connected, figures, (run) => counted(server, dir, run));
    printFigures(figures);
  } finally {
    await connected.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function count(
  connected: ConnectedEngine,
  figures: Figures,
  instructions: (run: () => Promise<unknown>) => Promise<number>,
): Promise<void> {
  const add = async (what: string, size: number, run: (calls: number) => Promise<unknown>) => {
    const calls = Math.ceil(COUNTED / size);
    await run(Math.ceil(calls / 4)); // until the tables have their size
    const all = await instructions(() => run(calls));
    figures.add(`a task ${what}, in calls of ${size}`, 'instructions', all / (calls * size));
  };
  const submit = (size: number, calls: number) =>
    inTurn(calls, 1, () => connected.engine.submitMany(Array.from({ length: size }, (_, n) => specOf(n))));
  for (const size of [1, 25, 250]) await add('submitted', size, (calls) => submit(size, calls));
  await submit(500, PENDING / 500);
  for (const size of [1, 5, 25, 50])
    await add('claimed and completed', size, (calls) => settleAndClaim(connected, size, calls));
}

/** What Redis does in `run`. */
async function counted(server: RedisServer, dir: string, run: () => Promise<unknown>): Promise<number> {
  const control = (...args: string[]) =>
    execFileSync('callgrind_control', [...args, String(server.pid)], { stdio: 'ignore' });
  const dumps = () => readdirSync(dir);
  const before = new Set(dumps());
  control('-i', 'on');
  await run();
  control('-i', 'off');
  control('-d', 'counted'); // and begins at nothing again
  const fresh = dumps().find((name) => !before.has(name));
  const total = /^totals: (\d+)/m.exec(fresh === undefined ? '' : readFileSync(join(dir, fresh), 'utf8'))?.[1];
  if (total === undefined) throw new Error('callgrind has left no count');
  return Number(total);
}
