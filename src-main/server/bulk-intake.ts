/**
 * Submits many tasks in batches while they are read, and keeps the account: one id or one error for each, in the order
 * given. Holds two batches and the answer, never the tasks of the whole request: one batch is checked while Redis stores
 * the one before it. No two are on their way at once, so the order of tasks stays what it was.
 */
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import type { BulkSubmitReply } from '#queue/contract/task';
import type { SubmitOutcome, TaskSpec } from '#queue/engine/ports';
import type { Checked } from './submit-intake';

/** Kinds of task that one answer warns of. */
const MAX_WARNINGS = 20;

export class BulkIntake {
  readonly #submitMany: (specs: readonly TaskSpec[]) => Promise<SubmitOutcome[]>;
  readonly #ids: (string | null)[] = [];
  readonly #errors: { index: number; message: string }[] = [];
  readonly #kinds = new Map<string, { type: string; queue: string }>();
  #batch: { index: number; spec: TaskSpec }[] = [];
  /** The batch that Redis stores. Rejects only with what ought not to happen. */
  #storing: Promise<void> = Promise.resolve();
  #accepted = 0;
  #lost: QueueError | null = null;

  constructor(submitMany: (specs: readonly TaskSpec[]) => Promise<SubmitOutcome[]>) {
    this.#submitMany = submitMany;
  }

  get size(): number {
    return this.#ids.length;
  }

  /** Set where storing failed for a whole batch: nothing more is taken. */
  get lost(): QueueError | null {
    return this.#lost;
  }

  /** Kinds of accepted tasks, for warnings. */
  get kinds(): { type: string; queue: string }[] {
    return [...this.#kinds.values()];
  }

  async add(checked: Checked): Promise<void> {
    const index = this.#ids.push(null) - 1;
    if (!checked.ok) {
      this.#errors.push({ index, message: checked.message });
      return;
    }
    this.#batch.push({ index, spec: checked.spec });
    if (this.#batch.length >= LIMITS.submitPart) await this.#flush();
  }

  /**
   * Stores what is left.
   * @throws {QueueError} where storing failed and not one task is known to be stored
   */
  async finish(): Promise<BulkSubmitReply> {
    await this.#flush();
    await this.#storing;
    if (this.#lost !== null && this.#accepted === 0) throw this.#lost;
    this.#errors.sort((a, b) => a.index - b.index);
    return {
      accepted: this.#accepted,
      rejected: this.#ids.length - this.#accepted,
      ids: this.#ids,
      errors: this.#errors,
    };
  }

  /** Resolves when the batch is on its way: the one before it is stored. */
  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    await this.#storing;
    if (this.#lost !== null) return this.#unconfirmed(batch, this.#lost);
    this.#storing = this.#store(batch);
    this.#storing.catch(() => undefined); // whoever waits for it next is told
  }

  async #store(batch: readonly { index: number; spec: TaskSpec }[]): Promise<void> {
    try {
      const outcomes = await this.#submitMany(batch.map(({ spec }) => spec));
      for (const [position, { index, spec }] of batch.entries()) this.#account(index, spec, outcomes[position]);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      this.#lost = error;
      this.#unconfirmed(batch, error);
    }
  }

  #account(index: number, spec: TaskSpec, outcome: SubmitOutcome | undefined): void {
    if (outcome?.ok) {
      this.#ids[index] = outcome.id;
      this.#accepted++;
      if (this.#kinds.size < MAX_WARNINGS)
        this.#kinds.set(`${spec.type} ${spec.queue}`, { type: spec.type, queue: spec.queue });
    } else {
      this.#errors.push({ index, message: outcome?.error.message ?? 'not confirmed' });
    }
  }

  #unconfirmed(batch: readonly { index: number }[], error: QueueError): void {
    for (const { index } of batch) this.#errors.push({ index, message: `not confirmed: ${error.message}` });
  }
}
