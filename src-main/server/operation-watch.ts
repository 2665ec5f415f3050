/**
 * Operations, with an eye on how they go: `changes` tells each one that has moved since it was last asked, its end
 * included. Those that were started or steered through this process are followed even where they end between two looks.
 */
import type { DryRun, Operation } from '#queue/contract/operation';
import type { OperationRequest } from '#queue/engine/operations';
import type { OperationRunner } from './ports';

/** Ended ones that are remembered, so that a client that comes back hears of their end. */
const ENDED_KEPT = 20;
/** Followed at all: as many as are kept. Beyond it is only who starts them while nobody looks. */
const FOLLOWED_MAX = 500;

interface Followed {
  operation: Operation;
  told: boolean;
}

const hasEnded = ({ state }: Operation): boolean => state === 'done' || state === 'aborted';

export class OperationWatch implements OperationRunner {
  readonly #runner: OperationRunner;
  readonly #followed = new Map<string, Followed>();

  constructor(runner: OperationRunner) {
    this.#runner = runner;
  }

  /** To be told to those who follow; what has not moved is left out. */
  async changes(): Promise<Operation[]> {
    const active = await this.#runner.active();
    const ids = new Set(active.map(({ id }) => id));
    const left = [...this.#followed.values()].filter(({ operation }) => !hasEnded(operation) && !ids.has(operation.id));
    const ended = await Promise.all(left.map(({ operation }) => this.#runner.get(operation.id)));
    for (const [index, operation] of ended.entries()) {
      const id = left[index]?.operation.id ?? '';
      if (operation === null) this.#followed.delete(id);
      else this.#note(operation);
    }
    for (const operation of active) this.#note(operation);
    const news = [...this.#followed.values()].filter(({ told }) => !told);
    for (const entry of news) entry.told = true;
    this.#forgetOldest();
    return news.map(({ operation }) => operation);
  }

  /** Somebody may hold an old state: tell all of them at the next look. */
  forget(): void {
    for (const entry of this.#followed.values()) entry.told = false;
  }

  async start(request: OperationRequest): Promise<Operation> {
    return this.#follow(await this.#runner.start(request));
  }

  async pause(id: string): Promise<Operation | null> {
    return this.#follow(await this.#runner.pause(id));
  }

  async resume(id: string): Promise<Operation | null> {
    return this.#follow(await this.#runner.resume(id));
  }

  async abort(id: string): Promise<Operation | null> {
    return this.#follow(await this.#runner.abort(id));
  }

  plan(request: OperationRequest): Promise<DryRun> {
    return this.#runner.plan(request);
  }

  list(): Promise<Operation[]> {
    return this.#runner.list();
  }

  active(): Promise<Operation[]> {
    return this.#runner.active();
  }

  get(id: string): Promise<Operation | null> {
    return this.#runner.get(id);
  }

  #follow<T extends Operation | null>(operation: T): T {
    if (operation !== null) this.#note(operation);
    this.#forgetOldest();
    return operation;
  }

  #note(operation: Operation): void {
    const before = this.#followed.get(operation.id);
    if (before !== undefined && JSON.stringify(before.operation) === JSON.stringify(operation)) return;
    this.#followed.delete(operation.id); // to the end: the newest news are last
    this.#followed.set(operation.id, { operation, told: false });
  }

  #forgetOldest(): void {
    const all = [...this.#followed.values()];
    const ended = all.filter(({ operation, told }) => told && hasEnded(operation));
    const tooMany = Math.max(0, all.length - FOLLOWED_MAX);
    for (const { operation } of [...ended.slice(0, Math.max(0, ended.length - ENDED_KEPT)), ...all.slice(0, tooMany)])
      this.#followed.delete(operation.id);
  }
}
