/**
 * Idempotency keys and unique keys hold over all queues. A queue's own script judges its own keys, at once and for good;
 * keys that other queues hold lie in other slots, so they are asked for here, before.
 *
 * Who asks holds a short claim on the key meanwhile: of two that submit one key to two queues at the same time, the
 * second sees what became of the first. A claim left by a process that died runs out by itself.
 */
import { QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import { escapeText } from '../kernel/escape';
import type { RedisStore } from '../redis/store';
import type { TaskSpec } from './ports';
import type { QueueRegistry } from './queue-registry';

const CLAIM_MS = 10_000;
/** How long a submit of the same key to another queue is waited for. */
const WAIT_MS = 2000;
const LOOK_AGAIN_MS = 20;

type Keyed = Pick<TaskSpec, 'idempotencyKey' | 'uniqueKey'>;
type Kind = 'i' | 'u';

interface Held {
  task: string;
  queue: string;
}

export interface KeyCheck {
  /** For each task the error of a key that another queue holds, or null. */
  refused: (QueueError | null)[];
  /** To be called when the tasks are stored, or were not. */
  release(): Promise<void>;
}

const NOTHING_CLAIMED = async () => undefined;

export class KeyGuard {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;
  readonly #clock: Clock;

  constructor(deps: { store: RedisStore; registry: QueueRegistry; clock: Clock }) {
    this.#store = deps.store;
    this.#registry = deps.registry;
    this.#clock = deps.clock;
  }

  /** Costs nothing for tasks without keys, and three round trips for all others of one call together. */
  async check(queue: string, specs: readonly Keyed[]): Promise<KeyCheck> {
    const keys = { i: keysOf(specs, 'idempotencyKey'), u: keysOf(specs, 'uniqueKey') };
    if (keys.i.length + keys.u.length === 0) return { refused: specs.map(() => null), release: NOTHING_CLAIMED };
    const claims = [...keys.i.map((key) => this.#claimKey('i', key)), ...keys.u.map((key) => this.#claimKey('u', key))];
    const claimed = await this.#claim(queue, claims);
    const release = () => this.#release(claimed);
    try {
      const others = (await this.#registry.names()).filter((name) => name !== queue);
      const held = { i: new Map<string, Held>(), u: new Map<string, Held>() };
      await Promise.all(others.map((other) => this.#ask(other, keys, held)));
      return { refused: specs.map((spec) => refusal(spec, held)), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #claimKey(kind: Kind, key: string): string {
    return this.#store.keys.system(`claim:${kind}:${key}`);
  }

  /** @returns the claims that are ours to release: those of the same queue may be held by somebody else */
  async #claim(queue: string, claims: readonly string[]): Promise<string[]> {
    const deadline = this.#clock.monotonic() + WAIT_MS;
    const ours: string[] = [];
    let open = claims;
    for (;;) {
      const asked = open;
      const answers = await this.#store.command('claim keys', (redis) =>
        Promise.all(asked.map((claim) => redis.set(claim, queue, 'PX', CLAIM_MS, 'NX'))),
      );
      ours.push(...asked.filter((_, index) => answers[index] === 'OK'));
      const taken = asked.filter((_, index) => answers[index] !== 'OK');
      if (taken.length === 0) return ours;
      const holders = await this.#store.command('read claims', (redis) => redis.mget(...taken));
      open = taken.filter((_, index) => holders[index] !== queue);
      if (open.length === 0) return ours;
      if (this.#clock.monotonic() >= deadline) {
        await this.#release(ours);
        throw new QueueError('CONFLICT', 'a task with this key is being submitted to another queue: try again');
      }
      await this.#clock.sleep(LOOK_AGAIN_MS);
    }
  }

  /** Never throws: what the submit came to must not be lost with it, and a claim runs out by itself. */
  async #release(claims: readonly string[]): Promise<void> {
    if (claims.length === 0) return;
    await this.#store.command('release keys', (redis) => redis.del(...claims)).catch(() => undefined);
  }

  async #ask(queue: string, keys: Record<Kind, string[]>, held: Record<Kind, Map<string, Held>>): Promise<void> {
    const { of } = this.#store.keys;
    await this.#store.command('look for keys', async (redis) => {
      if (keys.i.length > 0) {
        const known = await redis.mget(...keys.i.map((key) => of(queue, `i:${key}`)));
        keys.i.forEach((key, index) => {
          const [task] = known[index]?.split('|') ?? [];
          if (task) held.i.set(key, { task, queue });
        });
      }
      if (keys.u.length === 0) return;
      const owners = await redis.hmget(of(queue, 'unique'), ...keys.u);
      for (const [index, key] of keys.u.entries()) {
        const task = owners[index];
        if (task && (await redis.exists(of(queue, `t:${task}`))) === 1) held.u.set(key, { task, queue });
      }
    });
  }
}

/** As the submit script writes them. */
const keysOf = (specs: readonly Keyed[], field: keyof Keyed): string[] => [
  ...new Set(specs.flatMap((spec) => (spec[field] === null ? [] : [escapeText(spec[field])]))),
];

function refusal({ idempotencyKey, uniqueKey }: Keyed, held: Record<Kind, Map<string, Held>>): QueueError | null {
  const first = idempotencyKey === null ? undefined : held.i.get(escapeText(idempotencyKey));
  if (first !== undefined) {
    const message = `the idempotency key "${idempotencyKey}" was used with another body, for task ${first.task} of the queue "${first.queue}"`;
    return new QueueError('IDEMPOTENCY_CONFLICT', message, { extra: { task_id: first.task } });
  }
  const live = uniqueKey === null ? undefined : held.u.get(escapeText(uniqueKey));
  if (live === undefined) return null;
  const message = `task ${live.task} of the queue "${live.queue}" holds the unique key "${uniqueKey}"`;
  return new QueueError('DUPLICATE_UNIQUE_KEY', message, { extra: { task_id: live.task } });
}
