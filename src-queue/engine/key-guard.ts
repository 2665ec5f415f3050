/**
 * Idempotency keys and unique keys hold over all queues. A queue's own script judges its own keys, at once and for good;
 * keys that other queues hold lie in other slots, so they are asked for here, before. A queue here is a physical one: two
 * shards of a queue are two. While their number changes, one key may be taken to two shards; the second then follows the
 * idempotency key to the shard that holds it, whose script judges it as if it had come there at first.
 *
 * Who asks holds a short claim on the key meanwhile: of two that submit one key to two queues at the same time, the
 * second sees what became of the first. A claim left by a process that died runs out by itself.
 */
import { QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import { escapeText } from '../kernel/escape';
import { logicalQueue } from '../kernel/shard-name';
import type { RedisStore } from '../redis/store';
import type { TaskSpec } from './ports';
import type { QueueRegistry } from './queue-registry';

const CLAIM_MS = 10_000;
/** How long a submit of the same key to another queue or shard is waited for. */
const WAIT_MS = 2000;
const LOOK_AGAIN_MS = 20;

type Keyed = Pick<TaskSpec, 'idempotencyKey' | 'uniqueKey'>;
const KINDS = ['i', 'u'] as const;
type Kind = (typeof KINDS)[number];
/** Each with the queue that its task is to go to. */
type Keys = ReadonlyMap<string, string>;

interface Held {
  task: string;
  queue: string;
}

export interface KeyCheck {
  /** For each task the error of a key that another queue holds, or null. */
  refused: (QueueError | null)[];
  /** For each task where it is to go: as asked, or to the shard of the same queue that holds its idempotency key. */
  queues: readonly string[];
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

  /**
   * Costs nothing for tasks without keys, and three round trips for all others of one call together.
   * @param queues where each task is to go; all that have one key must go to one queue
   */
  async check(queues: readonly string[], specs: readonly Keyed[]): Promise<KeyCheck> {
    const keys = { i: keysOf(specs, queues, 'idempotencyKey'), u: keysOf(specs, queues, 'uniqueKey') };
    if (keys.i.size + keys.u.size === 0) return { refused: specs.map(() => null), queues, release: NOTHING_CLAIMED };
    const claims = new Map(
      KINDS.flatMap((kind) => [...keys[kind]].map(([key, queue]) => [this.#claimKey(kind, key), queue] as const)),
    );
    const claimed = await this.#claim(claims);
    const release = () => this.#release(claimed);
    try {
      const names = await this.#registry.physicalNames();
      const held = { i: new Map<string, Held>(), u: new Map<string, Held>() };
      await Promise.all(names.map((name) => this.#ask(name, keys, held)));
      const judged = specs.map((spec, index) => judge(queues[index] ?? '', spec, held));
      return { refused: judged.map(({ refused }) => refused), queues: judged.map(({ queue }) => queue), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #claimKey(kind: Kind, key: string): string {
    return this.#store.keys.system(`claim:${kind}:${key}`);
  }

  /** @returns the claims that are ours to release: those of the same queue may be held by somebody else */
  async #claim(claims: ReadonlyMap<string, string>): Promise<string[]> {
    const deadline = this.#clock.monotonic() + WAIT_MS;
    const ours: string[] = [];
    let open = [...claims.keys()];
    for (;;) {
      const asked = open;
      const answers = await this.#store.command('claim keys', (redis) =>
        Promise.all(asked.map((claim) => redis.set(claim, claims.get(claim) ?? '', 'PX', CLAIM_MS, 'NX'))),
      );
      ours.push(...asked.filter((_, index) => answers[index] === 'OK'));
      const taken = asked.filter((_, index) => answers[index] !== 'OK');
      if (taken.length === 0) return ours;
      const holders = await this.#store.command('read claims', (redis) => redis.mget(...taken));
      open = taken.filter((claim, index) => holders[index] !== claims.get(claim));
      if (open.length === 0) return ours;
      if (this.#clock.monotonic() >= deadline) {
        await this.#release(ours);
        throw new QueueError('CONFLICT', 'a task with this key is being submitted elsewhere: try again');
      }
      await this.#clock.sleep(LOOK_AGAIN_MS);
    }
  }

  /** Never throws: what the submit came to must not be lost with it, and a claim runs out by itself. */
  async #release(claims: readonly string[]): Promise<void> {
    if (claims.length === 0) return;
    await this.#store.command('release keys', (redis) => redis.del(...claims)).catch(() => undefined);
  }

  /** For the keys of tasks that go to another queue than this one. */
  async #ask(queue: string, keys: Record<Kind, Keys>, held: Record<Kind, Map<string, Held>>): Promise<void> {
    const { of } = this.#store.keys;
    const foreign = (kind: Kind) => [...keys[kind]].flatMap(([key, own]) => (own === queue ? [] : [key]));
    const [idempotent, unique] = [foreign('i'), foreign('u')];
    if (idempotent.length + unique.length === 0) return;
    await this.#store.command('look for keys', async (redis) => {
      if (idempotent.length > 0) {
        const known = await redis.mget(...idempotent.map((key) => of(queue, `i:${key}`)));
        idempotent.forEach((key, index) => {
          const [task] = known[index]?.split('|') ?? [];
          if (task) held.i.set(key, { task, queue });
        });
      }
      if (unique.length === 0) return;
      const owners = await redis.hmget(of(queue, 'unique'), ...unique);
      for (const [index, key] of unique.entries()) {
        const task = owners[index];
        if (task && (await redis.exists(of(queue, `t:${task}`))) === 1) held.u.set(key, { task, queue });
      }
    });
  }
}

/** As the submit script writes them. */
const keysOf = (specs: readonly Keyed[], queues: readonly string[], field: keyof Keyed): Keys =>
  new Map(
    specs.flatMap((spec, index) => (spec[field] === null ? [] : [[escapeText(spec[field]), queues[index] ?? '']])),
  );

function judge(
  queue: string,
  { idempotencyKey, uniqueKey }: Keyed,
  held: Record<Kind, ReadonlyMap<string, Held>>,
): { queue: string; refused: QueueError | null } {
  const first = idempotencyKey === null ? undefined : held.i.get(escapeText(idempotencyKey));
  if (first !== undefined) {
    if (logicalQueue(first.queue) === logicalQueue(queue)) return { queue: first.queue, refused: null };
    const message = `the idempotency key "${idempotencyKey}" was used with another body, for task ${first.task} of the queue "${logicalQueue(first.queue)}"`;
    return { queue, refused: new QueueError('IDEMPOTENCY_CONFLICT', message, { extra: { task_id: first.task } }) };
  }
  const live = uniqueKey === null ? undefined : held.u.get(escapeText(uniqueKey));
  if (live === undefined) return { queue, refused: null };
  const message = `task ${live.task} of the queue "${logicalQueue(live.queue)}" holds the unique key "${uniqueKey}"`;
  return { queue, refused: new QueueError('DUPLICATE_UNIQUE_KEY', message, { extra: { task_id: live.task } }) };
}
