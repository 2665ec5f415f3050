/**
 * `depends_on`, across queues. A child keeps the set of parents it waits for; a parent keeps the set of children to
 * tell. Both may lie in different slots, so nothing here is one transaction: every step may be repeated, and what a
 * crash leaves undone is done again by the next tick.
 *
 * submit child (blocked) → ask each parent to be told (or hear that it has ended) → parent's end goes to its queue's
 * outbox, in the script that ends it → whoever ticks relays it to the child's queue.
 */
import { QueueError } from '../contract/errors';
import { depend, type ParentVerdict } from '../redis/scripts/depend';
import { outbox } from '../redis/scripts/outbox';
import { page } from '../redis/scripts/page';
import { type ParentEnd, unblock } from '../redis/scripts/unblock';
import type { RedisStore } from '../redis/store';
import type { TaskSpec } from './ports';
import type { QueueRegistry } from './queue-registry';

/** Of a DependencyError; eight hex characters as every fingerprint. */
const FINGERPRINT = 'de9e4de4';
const RELAY_BATCH = 100;
const REPAIR_BATCH = 100;

interface Child {
  id: string;
  dependsOn: readonly string[];
}

export class Dependencies {
  readonly #store: RedisStore;
  readonly #registry: QueueRegistry;

  constructor(store: RedisStore, registry: QueueRegistry) {
    this.#store = store;
    this.#registry = registry;
  }

  /** For each task the error of a parent that is not there, or null. */
  async findMissing(specs: readonly Pick<TaskSpec, 'dependsOn'>[]): Promise<(QueueError | null)[]> {
    const parents = [...new Set(specs.flatMap((spec) => spec.dependsOn))];
    if (parents.length === 0) return specs.map(() => null);
    const there = new Set<string>();
    for (const [queue, ids] of await this.#registry.locate(parents)) {
      const found = await this.#store.command('find dependencies', (redis) =>
        Promise.all(ids.map((id) => redis.exists(this.#store.keys.of(queue, `t:${id}`)))),
      );
      ids.forEach((id, index) => {
        if (found[index] === 1) there.add(id);
      });
    }
    return specs.map(({ dependsOn }) => {
      const missing = dependsOn.findIndex((id) => !there.has(id));
      if (missing === -1) return null;
      const message = `there is no task ${dependsOn[missing]}`;
      return new QueueError('INVALID', message, { fields: [{ path: `depends_on.${missing}`, message }] });
    });
  }

  /** Connects blocked children with their parents; also repairs children whose submitter died in between. */
  async attach(queue: string, children: readonly Child[]): Promise<void> {
    if (children.length === 0) return;
    const parents = [...new Set(children.flatMap((child) => child.dependsOn))];
    const located = await this.#registry.locate(parents);
    const known = new Set([...located.values()].flat());
    const ends: ParentEnd[] = [];
    for (const [parentQueue, ids] of located) {
      const wanted = new Set(ids);
      const pairs = children.flatMap((child) =>
        child.dependsOn
          .filter((id) => wanted.has(id))
          .map((parent) => ({ parent, child: `${queue}|${child.id}`, id: child.id })),
      );
      const verdicts = await this.#store.run(depend, parentQueue, pairs);
      pairs.forEach(({ parent, id }, index) => {
        const verdict = verdicts[index];
        if (verdict && verdict !== 'W') ends.push(endOf(id, parent, verdict));
      });
    }
    for (const child of children) {
      for (const parent of child.dependsOn) if (!known.has(parent)) ends.push(endOf(child.id, parent, 'G'));
    }
    if (ends.length > 0) await this.#store.run(unblock, queue, { fingerprint: FINGERPRINT, ends });
  }

  /** Tells children of ends that wait in the queue's outbox. @returns how many tasks left `blocked` */
  async relay(queue: string): Promise<number> {
    let moved = 0;
    let told: string[] = [];
    for (;;) {
      const entries = await this.#store.run(outbox, queue, { limit: RELAY_BATCH, told });
      if (entries.length === 0) return moved;
      told = entries.map(({ entry }) => entry);
      const byQueue = new Map<string, ParentEnd[]>();
      for (const { parent, completed, dependants } of entries) {
        for (const dependant of dependants) {
          const [childQueue = '', child = ''] = dependant.split('|');
          const ends = byQueue.get(childQueue) ?? [];
          byQueue.set(childQueue, ends);
          ends.push(endOf(child, parent, completed ? 'C' : 'X'));
        }
      }
      for (const [childQueue, ends] of byQueue) {
        moved += await this.#store.run(unblock, childQueue, { fingerprint: FINGERPRINT, ends });
      }
    }
  }

  /** Asks again for the oldest blocked tasks of a queue, in case their submitter died half way. */
  async repair(queue: string): Promise<void> {
    const { members } = await this.#store.run(page, queue, {
      kind: 'up',
      set: 'blocked',
      from: '',
      to: '',
      limit: REPAIR_BATCH,
      previewBytes: -1,
    });
    const children = await this.#store.command('read dependencies', (redis) =>
      Promise.all(
        members.map(async ({ member }) => ({
          id: member,
          dependsOn: await redis.smembers(this.#store.keys.waits(queue, member)),
        })),
      ),
    );
    await this.attach(
      queue,
      children.filter((child) => child.dependsOn.length > 0),
    );
  }
}

function endOf(child: string, parent: string, verdict: Exclude<ParentVerdict, 'W'>): ParentEnd {
  const what = verdict === 'G' ? 'is gone' : 'failed, was cancelled or removed';
  const body = JSON.stringify({
    name: 'DependencyError',
    message: `task ${parent}, on which this one depends, ${what}`,
    stack: null,
    fingerprint: FINGERPRINT,
    progress: 0,
  });
  return { child, parent, verdict, body: verdict === 'C' ? '' : body };
}
