import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FilePruner, MAX_REMOVALS } from '#main/file-pruner';
import { systemClock } from '#queue/kernel/clock';
import { ManualClock } from '../support/manual-clock';
import { idOf } from '../support/wire';
import { type LogRecord, recordingLog } from '../support/worker-world';

const DAY_MS = 86_400_000;
let dir: string;
const ends: (() => Promise<void>)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-pruner-'));
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(dir, { recursive: true, force: true });
});

/** A pruner whose clock begins now, over a store that a test fills. */
async function world({ store = 's-one' } = {}) {
  const clock = new ManualClock(systemClock.now());
  const tasks = new Set<string>();
  const logs: LogRecord[] = [];
  let asked = 0;
  let passes = 0;
  const pruner = new FilePruner({
    artifactsDir: join(dir, 'artifacts'),
    outboxDir: join(dir, 'outbox'),
    keepMs: 7 * DAY_MS,
    storeId: async () => store,
    areThere: async (ids) => {
      asked++;
      return ids.map((id) => tasks.has(id));
    },
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => {
        passes++;
        return clock.sleep(ms, signal);
      },
    },
    log: recordingLog(logs),
  });
  await pruner.start();
  ends.push(() => pruner.stop());
  /** Time passes, and the next look after it is over. */
  const pass = async (ms: number) => {
    await clock.advance(ms);
    const before = passes;
    await clock.advance(10 * 60_000);
    await expect.poll(() => passes, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before);
  };
  return { clock, tasks, logs, pass, asked: () => asked };
}

const folder = (id: string): string => join(dir, 'artifacts', id);
function artifact(id: string): string {
  mkdirSync(folder(id), { recursive: true });
  writeFileSync(join(folder(id), 'out.txt'), 'x');
  return folder(id);
}

it('removes the artifacts of a task a week after they were made, where the task is gone', async () => {
  const { tasks, pass } = await world();
  const [gone, stays] = [artifact(idOf(1)), artifact(idOf(2))];
  tasks.add(idOf(1)).add(idOf(2));
  await pass(0);
  tasks.delete(idOf(1));
  await pass(6 * DAY_MS);
  expect([existsSync(gone), existsSync(stays)]).toEqual([true, true]);
  await pass(DAY_MS);
  expect([existsSync(gone), existsSync(stays)]).toEqual([false, true]);
  expect(readdirSync(stays).sort()).toEqual(['.store', 'out.txt']);
});

it('leaves artifacts alone of tasks that this store has never seen, and of those that another has', async () => {
  const other = await world({ store: 's-other' });
  const [theirs, unknown] = [artifact(idOf(1)), artifact(idOf(2))];
  other.tasks.add(idOf(1));
  await other.pass(0);
  const { pass } = await world();
  await pass(30 * DAY_MS);
  expect([existsSync(theirs), existsSync(unknown)]).toEqual([true, true]);
});

it('touches nothing but folders of tasks, and follows no link out of its folder', async () => {
  const { tasks, pass } = await world();
  const outside = join(dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'keep.txt'), 'x');
  const mine = artifact(idOf(1));
  symlinkSync(outside, join(mine, 'link'));
  symlinkSync(outside, folder(idOf(2)));
  mkdirSync(folder('notes'));
  tasks.add(idOf(1)).add(idOf(2));
  await pass(0);
  tasks.clear();
  await pass(30 * DAY_MS);
  expect(existsSync(mine)).toBe(false);
  expect([existsSync(join(outside, 'keep.txt')), existsSync(folder(idOf(2))), existsSync(folder('notes'))]).toEqual([
    true,
    true,
    true,
  ]);
});

it('asks the store once for many folders, and for those it knows only when they are old', async () => {
  const { tasks, pass, asked } = await world();
  for (let i = 0; i < 150; i++) {
    artifact(idOf(i));
    tasks.add(idOf(i));
  }
  await pass(0);
  expect(asked()).toBe(1);
  await pass(DAY_MS);
  expect(asked()).toBe(1);
});

it('removes old mails of the outbox, so many at a time, and no other files', async () => {
  const { clock, pass } = await world();
  mkdirSync(join(dir, 'outbox'));
  const old = new Date(clock.now() - 8 * DAY_MS);
  for (let i = 0; i < MAX_REMOVALS + 3; i++) {
    writeFileSync(join(dir, 'outbox', `${i}.eml`), '');
    utimesSync(join(dir, 'outbox', `${i}.eml`), old, old);
  }
  writeFileSync(join(dir, 'outbox', 'new.eml'), '');
  writeFileSync(join(dir, 'outbox', 'notes.txt'), '');
  utimesSync(join(dir, 'outbox', 'notes.txt'), old, old);
  await pass(0);
  expect(readdirSync(join(dir, 'outbox'))).toHaveLength(3 + 2);
  await pass(0);
  expect(readdirSync(join(dir, 'outbox')).sort()).toEqual(['new.eml', 'notes.txt']);
}, 30_000);

it('goes on after a pass that failed', async () => {
  const { logs, pass } = await world();
  writeFileSync(join(dir, 'outbox'), 'no folder');
  await pass(0);
  expect(logs.map(({ level }) => level)).toContain('warn');
  rmSync(join(dir, 'outbox'));
  logs.length = 0;
  await pass(0);
  expect(logs).toEqual([]);
});
