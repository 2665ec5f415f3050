/** How the settles of one call are judged: each by the state before the call, completions before all other ends. */
import type { Settle, Verdict } from '#queue/redis/calls';
import type { ModelTask } from './model-task';

/** Completions are looked at before all other ends. */
export const inScriptOrder = (settles: readonly Settle[]): number[] =>
  [...settles.keys()].sort(
    (a, b) => Number(settles[a]?.kind !== 'complete') - Number(settles[b]?.kind !== 'complete') || a - b,
  );

/** What each settle must be answered. */
export function judge(tasks: ReadonlyMap<string, ModelTask>, settles: readonly Settle[]): Verdict[] {
  const seen = new Set<string>();
  const verdicts: Verdict[] = [];
  for (const index of inScriptOrder(settles)) {
    const settle = settles[index];
    if (settle === undefined) continue;
    const task = tasks.get(settle.id);
    if (task === undefined) verdicts[index] = 'gone';
    else if (task.run?.token === settle.token) {
      verdicts[index] = seen.has(settle.id) ? 'already' : 'accepted';
      seen.add(settle.id);
    } else verdicts[index] = task.ended.has(settle.token) ? 'already' : 'fenced';
  }
  return verdicts;
}
