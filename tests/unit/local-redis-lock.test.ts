import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from '#main/local-redis/lock';
import { markOf } from '#main/local-redis/process-mark';
import { systemClock } from '#queue/kernel/clock';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = { clock: systemClock, random: Math.random, waitMs: 20_000 };

it('lets one in at a time, and everyone at last', async () => {
  let inside = 0;
  let most = 0;
  let done = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    for (let i = 0; i < 5; i++) await turn();
    inside--;
    done++;
  };
  await Promise.all(Array.from({ length: 12 }, () => withLock(folder, options, work)));
  expect({ most, done }).toEqual({ most: 1, done: 12 });
  expect(readdirSync(folder)).toEqual([]);
});

it('is not held by a process that has ended, nor by another one with its pid', async () => {
  writeFileSync(join(folder, '999999999-1-c-dead'), '');
  writeFileSync(join(folder, `${process.pid}-1-c-reused`), ''); // our pid, started long ago
  expect(await withLock(folder, options, async () => 'in')).toBe('in');
  expect(readdirSync(folder)).toEqual([]);
});

it('names the process that holds it when it waits too long', async () => {
  const mark = markOf(process.pid);
  writeFileSync(join(folder, `${process.pid}-${mark?.startTicks}-c-holder`), '');
  await expect(withLock(folder, { ...options, waitMs: 50 }, async () => 'in')).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining(`process ${process.pid} `),
  });
});

it('gives the lock back when the work fails', async () => {
  await expect(withLock(folder, options, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(readdirSync(folder)).toEqual([]);
});
