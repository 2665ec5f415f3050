/**
 * Processes that have put their name into a folder: one empty file each, `<pid>-<start ticks>-<nonce>`. The name is
 * the whole claim, so it is there at once or not at all. A claim of a process that has ended counts for nothing and
 * is swept away. Both the lock and the list of users are made of this.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomName } from '#queue/kernel/ids';
import { isAlive, markOf, type ProcessMark } from './process-mark';

export interface Claim {
  /** Idempotent. */
  withdraw(): void;
  /** Claims of other living processes, and other claims of this one. */
  others(): ProcessMark[];
}

const CLAIM = /^(\d+)-(\d*)-[a-z0-9-]+$/;

/** Puts a claim of this process into `folder`, which is made where it is missing. */
export function claim(folder: string): Claim {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = `${process.pid}-${markOf(process.pid)?.startTicks ?? ''}-${randomName('c')}`;
  const path = join(folder, own);
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  return {
    withdraw: () => rmSync(path, { force: true }),
    others: () => livingClaims(folder, own),
  };
}

/** Claims of processes that live; removes the others' files. */
export function livingClaims(folder: string, except?: string): ProcessMark[] {
  const living: ProcessMark[] = [];
  for (const name of list(folder)) {
    if (name === except) continue;
    const match = CLAIM.exec(name);
    if (!match) continue;
    const mark = { pid: Number(match[1]), startTicks: match[2] ?? '' };
    if (isAlive(mark)) living.push(mark);
    else rmSync(join(folder, name), { force: true });
  }
  return living;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
