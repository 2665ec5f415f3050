/**
 * Keeps this program off a store whose layout it does not know: one that a newer version has begun to write, be it in a
 * single queue, is left alone as a whole. Every script looks at its own queue's `schema` as it runs; this gate looks at
 * the whole store when a connection is made and at the system's `schema` every few seconds, so that plain commands stop
 * too, and says so once. It opens by itself when the store is as it should be.
 */
import { QueueError } from '../contract/errors';
import type { Clock } from '../kernel/clock';
import type { Log } from '../kernel/log';
import type { Connection } from './connection';
import { type Keys, SYSTEM } from './keys';

/** What this version writes and reads; rises only with what an older version would misread. Scripts know it as well. */
export const LAYOUT = '1';
/** Time in which a running program hears of a new layout. */
const LOOK_EVERY_MS = 5000;
const READ_TOGETHER = 100;

export interface GateDeps {
  connection: Connection;
  keys: Keys;
  clock: Clock;
  log: Log;
}

export class LayoutGate {
  readonly #deps: GateDeps;
  /** Monotonic ms; null: this connection has not been looked through yet. */
  #lookedAt: number | null = null;
  #looking: Promise<void> | null = null;
  #refusal: string | null = null;

  constructor(deps: GateDeps) {
    this.#deps = deps;
    deps.connection.on('close', () => {
      this.#lookedAt = null; // another store may lie behind the address by then
    });
  }

  /** Why this program leaves the store alone; null: it does not. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** Before every call. @throws {QueueError} STORE_LAYOUT; what Redis says where the first look fails */
  async pass(): Promise<void> {
    if (this.#lookedAt === null) await this.#look();
    else if (this.#deps.clock.monotonic() - this.#lookedAt > LOOK_EVERY_MS) this.#look().catch(() => undefined);
    if (this.#refusal !== null) throw new QueueError('STORE_LAYOUT', this.#refusal);
  }

  /** A script has refused its queue. @param key its meta key @throws {QueueError} STORE_LAYOUT */
  async refused(key: string): Promise<never> {
    await this.#looking; // that one may look at less
    await this.#look(true);
    throw new QueueError('STORE_LAYOUT', this.#refusal ?? `${key} was in another layout a moment ago: try again`);
  }

  #look(everything = this.#lookedAt === null || this.#refusal !== null): Promise<void> {
    this.#looking ??= this.#found(everything).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #found(everything: boolean): Promise<void> {
    const { connection, keys, clock, log } = this.#deps;
    const queues = everything ? await unlessDamaged(connection.smembers(keys.system('queues')), []) : [];
    const odd = otherLayout(
      await schemasOf([SYSTEM, ...queues], (name) => unlessDamaged(connection.hget(keys.meta(name), 'schema'), null)),
    );
    const refusal = odd === null ? null : `${odd.detail}: nothing is read or written. ${odd.cure}`;
    this.#lookedAt = clock.monotonic();
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    if (refusal === null) log.info('the store is in the layout of this version: work goes on');
    else log.error(refusal);
  }
}

/** A key of another type is the matter of who works on it: one damaged queue must not stop the others. */
function unlessDamaged<T>(read: Promise<T>, otherwise: T): Promise<T> {
  return read.catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return otherwise;
    throw error;
  });
}

/** What `schema` says of each. */
export async function schemasOf(
  names: readonly string[],
  read: (name: string) => Promise<string | null>,
): Promise<ReadonlyMap<string, string | null>> {
  const found = new Map<string, string | null>();
  for (let from = 0; from < names.length; from += READ_TOGETHER) {
    const together = names.slice(from, from + READ_TOGETHER);
    for (const [name, schema] of await Promise.all(together.map(async (name) => [name, await read(name)] as const)))
      found.set(name, schema);
  }
  return found;
}

export interface OtherLayout {
  /** What is in which layout, and which one this version knows. */
  detail: string;
  /** What to do. */
  cure: string;
}

/** @param schemas of the system, and of queues, by name @returns null where this version knows all of them */
export function otherLayout(schemas: ReadonlyMap<string, string | null>): OtherLayout | null {
  for (const [name, schema] of schemas) {
    if (schema === null || schema === LAYOUT) continue; // the first version named none before there was a task
    const what = name === SYSTEM ? 'the store is' : `queue ${name} is`;
    const detail = `${what} in layout ${schema.slice(0, 20)}, and this version of Millrace knows layout ${LAYOUT} only`;
    return Number(schema) < Number(LAYOUT)
      ? { detail, cure: 'Use the version that wrote it, or empty the store: see Upgrades in docs/operations.md' }
      : { detail, cure: 'Upgrade this one to the version that wrote it: see Upgrades in docs/operations.md' };
  }
  return null;
}
