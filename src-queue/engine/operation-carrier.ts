/**
 * Carries operations out, each in chunks, at the rate that was asked for, all at the same time: a slow one holds up no
 * other. Every server runs one carrier; an operation's lock says whose turn it is. A chunk that was done but not yet
 * counted when its server died is done again: every action is harmless on a task that has moved on (it counts as skipped).
 */
import { LIMITS } from '../contract/limits';
import type { Operation, OperationItem } from '../contract/operation';
import { isoTime } from '../contract/primitives';
import type { Clock } from '../kernel/clock';
import { randomName } from '../kernel/ids';
import type { Log } from '../kernel/log';
import type { Service } from '../kernel/service';
import type { OperationStore, Progress } from './operation-store';
import type { CancelOutcome, PatchOutcome, RemoveOutcome, RequeueOutcome, TaskEngine } from './ports';

export interface CarrierDeps {
  store: OperationStore;
  engine: TaskEngine;
  clock: Clock;
  log: Log;
}

/** Looks for operations that nobody carries out so often, besides those that it is woken for. */
const LOOK_EVERY_MS = 2000;
/** With a rate, chunks are small enough that it is kept to within a quarter of a second. */
const CHUNKS_PER_SECOND = 4;

export class OperationCarrier implements Service {
  readonly name = 'operation-carrier';
  readonly #deps: CarrierDeps;
  readonly #owner = randomName('carrier');
  readonly #stopping = new AbortController();
  #nap = new AbortController();
  #loop: Promise<void> | undefined;
  #failing = false;
  #looked = false;
  /** Those that this process carries out now. */
  readonly #carried = new Map<string, Promise<void>>();

  constructor(deps: CarrierDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#loop;
    await Promise.all(this.#carried.values());
  }

  /** Looks now. */
  wake(): void {
    this.#nap.abort();
  }

  async #run(): Promise<void> {
    const { clock, store } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      this.#nap = new AbortController();
      try {
        // Once all of them: what an older version has begun is in no list of those that have not ended.
        const found = await (this.#looked ? store.active() : store.list());
        this.#looked = true;
        for (const operation of found) {
          if (this.#carried.size >= LIMITS.operationsAtOnce) break;
          if (operation.state !== 'running' || this.#carried.has(operation.id)) continue;
          if (await store.lock(operation.id, this.#owner)) this.#begin(operation);
        }
        this.#failing = false;
      } catch (error) {
        this.#interrupted(error);
      }
      if (!this.#stopping.signal.aborted) await clock.sleep(LOOK_EVERY_MS, this.#nap.signal);
    }
  }

  #begin(operation: Operation): void {
    const carried = this.#carryOut(operation)
      .catch((error: unknown) => this.#interrupted(error))
      .finally(() => {
        this.#carried.delete(operation.id);
        this.wake(); // another one may have waited for its place
      });
    this.#carried.set(operation.id, carried);
  }

  /** Redis is away: the lock runs out, whoever is back first goes on. An outage is told once. */
  #interrupted(error: unknown): void {
    if (!this.#failing) this.#deps.log.warn('operations are interrupted; they go on by themselves', { error });
    this.#failing = true;
  }

  async #carryOut(operation: Operation): Promise<void> {
    const { store, clock } = this.#deps;
    const size =
      operation.rate === null
        ? LIMITS.operationChunk
        : Math.max(1, Math.min(LIMITS.operationChunk, Math.floor(operation.rate / CHUNKS_PER_SECOND)));
    try {
      while (!this.#stopping.signal.aborted) {
        const began = clock.monotonic();
        const current = await store.get(operation.id);
        if (current?.state !== 'running' || !(await store.lock(operation.id, this.#owner))) return;
        const ids = await store.nextIds(operation.id, size);
        if (ids.length === 0) {
          await store.setState(operation.id, 'done', { at: isoTime(clock.now()), message: null });
          return;
        }
        const progress = await this.#act(operation, ids);
        await store.advance(operation.id, ids.length, progress, clock.monotonic() - began);
        if (operation.rate !== null) {
          const restMs = (ids.length / operation.rate) * 1000 - (clock.monotonic() - began);
          if (restMs > 0) await clock.sleep(restMs, this.#stopping.signal);
        }
      }
    } finally {
      await store.unlock(operation.id, this.#owner);
    }
  }

  async #act(operation: Operation, ids: readonly string[]): Promise<Progress> {
    const { engine } = this.#deps;
    switch (operation.action) {
      case 'requeue':
        return tally(ids, await engine.requeue(ids), ['requeued'], ['duplicate']);
      case 'cancel':
        return tally(
          ids,
          await engine.cancel(ids, `operation ${operation.id} by ${operation.by}`),
          ['cancelled', 'asked'],
          [],
        );
      case 'delete':
        return tally(ids, await engine.remove(ids), ['removed'], []);
      case 'reprioritise': {
        const priority = operation.priority ?? 5;
        return tally(ids, await Promise.all(ids.map((id) => engine.patch(id, { priority }))), ['patched'], []);
      }
    }
  }
}

type Outcome = CancelOutcome | RequeueOutcome | RemoveOutcome | PatchOutcome;

const WHY: Partial<Record<Outcome, string>> = {
  not_final: 'it is neither failed nor cancelled any more',
  duplicate: 'another live task holds its unique key',
  final: 'it has ended',
  running: 'it is running',
  gone: 'it has been removed',
};

function tally(
  ids: readonly string[],
  outcomes: readonly Outcome[],
  done: readonly Outcome[],
  failed: readonly Outcome[],
): Progress {
  const items = outcomes.flatMap((outcome, index): OperationItem[] => {
    if (done.includes(outcome)) return [];
    const kind = failed.includes(outcome) ? 'failed' : 'skipped';
    return [{ id: ids[index] ?? '', outcome: kind, detail: WHY[outcome] ?? outcome }];
  });
  const failures = items.filter(({ outcome }) => outcome === 'failed').length;
  return { done: outcomes.length - items.length, failed: failures, skipped: items.length - failures, items };
}
