/**
 * What producers have asked for and what they were told: each submit is told, or its outcome is not known. The careful
 * producer asks again with the same key until it is told; the careless one does not, and often hangs up before the answer.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Fleet } from './fleet';
import type { Seeded } from './seeded';

const BATCH = 5;
const AGAIN_MS = 100;
const ANSWER_MS = 10_000;
export const MAX_RETRIES = 6;
/** Seconds. */
export const BACKOFF = { base: 0.2, max: 2 } as const;
const Accepted = z.object({ ids: z.array(z.string().nullable()) });

export class Submissions {
  /** Idempotency key → ids that were told for it. */
  readonly keys = new Map<string, Set<string>>();
  readonly ids = new Set<string>();

  invoke(key: string): void {
    this.keys.set(key, new Set());
  }

  told(key: string, id: string): void {
    this.keys.get(key)?.add(id);
    this.ids.add(id);
  }
}

export const soakTask = (seeded: Seeded) => ({
  task_type: 'soak',
  idempotency_key: randomUUID(),
  max_retries: MAX_RETRIES,
  backoff: BACKOFF,
  payload: work(seeded),
});

export const AT_ONCE = { ms: 0, failures: 0, deadly: false } as const;

/** Some fail for good: more often than they may. */
export function work(seeded: Seeded) {
  const lot = seeded.next();
  const failures = lot < 0.8 ? 0 : lot < 0.9 ? 1 : lot < 0.99 ? 2 : MAX_RETRIES + 1;
  return { ms: seeded.between(0, 400), failures, deadly: seeded.next() < 0.001 };
}

export async function produce(
  fleet: Fleet,
  n: number,
  { careful, seeded, until }: { careful: boolean; seeded: Seeded; until: AbortSignal },
  submissions: Submissions,
): Promise<void> {
  while (!until.aborted) {
    const tasks = Array.from({ length: BATCH }, () => soakTask(seeded));
    for (const { idempotency_key: key } of tasks) submissions.invoke(key);
    for (let tries = 0; ; tries++) {
      const patienceMs = careful || seeded.next() < 0.5 ? ANSWER_MS : seeded.between(1, 30);
      const ids = await submit(fleet.base(n + tries), tasks, patienceMs);
      for (const [at, { idempotency_key: key }] of tasks.entries()) {
        const id = ids?.[at];
        if (typeof id === 'string') submissions.told(key, id);
      }
      if (!careful || ids?.every((id) => id !== null)) break;
      await sleep(AGAIN_MS);
    }
    await sleep(seeded.between(100, 400));
  }
}

/** @returns null where the answer is no answer; an id is null where it is not confirmed */
async function submit(base: string, tasks: readonly unknown[], patienceMs: number): Promise<(string | null)[] | null> {
  try {
    const answer = await fetch(`${base}/api/tasks/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tasks }),
      signal: AbortSignal.timeout(patienceMs),
    });
    return answer.status === 201 ? Accepted.parse(await answer.json()).ids : null;
  } catch {
    return null;
  }
}
