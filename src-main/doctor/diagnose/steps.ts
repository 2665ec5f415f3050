/**
 * The steps of a diagnose, one after the other, told when they begin and when they are over. A step whose ground has
 * failed is skipped, and says what failed. It can be broken off at any point, and then says no more.
 */
import type { Clock } from '#queue/kernel/clock';
import type { DiagnoseStep } from '../../bridge/profiles-contract';
import { type Finding, fail } from '../check';

export interface Found extends Finding {
  /** What turned out to be asked, where more is known than before. */
  address?: string;
}

export interface Step {
  key: string;
  title: string;
  /** What will be asked, and where. */
  address: string;
  /** Keys of the steps without which this one makes no sense. */
  needs: readonly string[];
  run(): Promise<Found>;
}

export const waiting = ({ key, title, address }: Step): DiagnoseStep => ({
  key,
  title,
  address,
  state: 'waiting',
  ms: null,
  detail: '',
  cure: null,
});

export async function* runSteps(
  steps: readonly Step[],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): AsyncGenerator<DiagnoseStep, void, undefined> {
  /** Key of a step that cannot be built on, and the title of the one that failed. */
  const failed = new Map<string, string>();
  for (const step of steps) {
    if (signal.aborted) return;
    const blocker = step.needs.map((key) => failed.get(key)).find((title) => title !== undefined);
    if (blocker !== undefined) {
      failed.set(step.key, blocker);
      yield { ...waiting(step), state: 'skipped', detail: `Not tried: “${blocker}” failed.` };
      continue;
    }
    yield { ...waiting(step), state: 'running' };
    const started = clock.monotonic();
    const found = await unlessAborted(step.run().catch(asFound), signal);
    if (found === null) return;
    if (found.state === 'fail') failed.set(step.key, step.title);
    const { state, detail, cure, address = step.address } = found;
    yield { ...waiting(step), address, state, detail, cure, ms: Math.round(clock.monotonic() - started) };
  }
}

const asFound = (error: unknown): Found => fail(error instanceof Error ? error.message : String(error), null);

/** Null as soon as it is broken off; whatever still comes is dropped. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The same steps, with every secret in their texts as `***`. */
export async function* masked(
  steps: AsyncIterable<DiagnoseStep>,
  secrets: readonly (string | null | undefined)[],
): AsyncGenerator<DiagnoseStep, void, undefined> {
  const hidden = secrets.filter((secret): secret is string => Boolean(secret)).sort((a, b) => b.length - a.length);
  const mask = (text: string) => hidden.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  for await (const step of steps) {
    const cure = step.cure === null ? null : mask(step.cure);
    yield { ...step, address: mask(step.address), detail: mask(step.detail), cure };
  }
}
