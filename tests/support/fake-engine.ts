/**
 * The engine's ports in memory, for tests of the worker: leases, tokens, repeated calls, due times and wake-ups as the
 * real engine has them, on the test's clock. Calls can be made to fail before or after they took effect.
 */

import { QueueError } from '#queue/contract/errors';
import type { TaskStatus } from '#queue/contract/lifecycle';
import type {
  AttemptReport,
  Awakening,
  ClaimedTask,
  LeaseRef,
  Settle,
  StandbyRequest,
  TaskEngine,
  Verdict,
  WorkCall,
  WorkReply,
} from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';

export interface FakeTask {
  id: string;
  queue: string;
  type: string;
  payload: string;
  status: TaskStatus;
  attempts: number;
  maxAttempts: number;
  timeoutMs: number;
  backoff: ClaimedTask['backoff'];
  dueAt: number | null;
  token: string | null;
  endedBy: string | null;
  leaseUntil: number;
  cancelRequested: boolean;
  settle: Settle | null;
  result: unknown;
  error: { name: string; message: string; stack: string | null; fingerprint: string; progress: number } | null;
  progress: number;
  progressMessage: string | null;
  logs: { level: string; message: string; attempt: number }[];
}

interface Stander extends Pick<StandbyRequest, 'nonce'>, Pick<WorkCall, 'types' | 'leaseMs'> {}

type Port = 'work' | 'extend' | 'report' | 'waitForWork';
/** `lost`: the call takes effect, its answer does not arrive. */
type Fault = 'refused' | 'lost';

export class FakeEngine
  implements Pick<TaskEngine, 'work' | 'waitForWork' | 'followWork' | 'followShards' | 'report' | 'extend'>
{
  readonly tasks = new Map<string, FakeTask>();
  readonly calls: WorkCall[] = [];
  readonly extended: { queue: string; held: readonly LeaseRef[] }[] = [];
  readonly reports: { queue: string; reports: readonly AttemptReport[] }[] = [];
  readonly waits: number[] = [];
  /** The queues of the last wait. */
  waitedFor: readonly string[] = [];
  /** Every task that was handed to a worker that stood by. */
  readonly handed: ClaimedTask[] = [];
  /** Everything that reached the engine, in order: `report:<id>`, `complete:<id>`, … */
  readonly order: string[] = [];
  readonly #clock: Clock;
  readonly #faults = new Map<Port, Fault[]>();
  readonly #damaged = new Set<string>();
  readonly #lastNonce = new Map<string, { nonce: string; claimed: ClaimedTask[] }>();
  readonly #wakes = new Set<() => void>();
  #markers = new Set<string>();
  /** Queue → the worker that stands by there. */
  readonly #standby = new Map<string, Stander>();
  /** Handed over, and not taken off the list yet. */
  #inbox: ClaimedTask[] = [];
  readonly #announced = new Set<string>();
  readonly #followers = new Set<(queue: string) => void>();
  #listLoses = false;
  #epoch = 0;
  #seq = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(task: Partial<FakeTask> & { type?: string; payload?: string } = {}): FakeTask {
    const full: FakeTask = {
      id: `T${String(++this.#seq).padStart(25, '0')}`,
      queue: 'default',
      type: 'job',
      payload: '{}',
      status: 'pending',
      attempts: 0,
      maxAttempts: 4,
      timeoutMs: 60_000,
      backoff: { type: 'fixed', baseMs: 1_000, maxMs: 10_000, jitter: 0 },
      dueAt: null,
      token: null,
      endedBy: null,
      leaseUntil: 0,
      cancelRequested: false,
      settle: null,
      result: undefined,
      error: null,
      progress: 0,
      progressMessage: null,
      logs: [],
      ...task,
    };
    const nobodyWaits = this.ofStatus('pending').every(({ queue }) => queue !== full.queue);
    this.tasks.set(full.id, full);
    const stander = this.#standby.get(full.queue);
    if (stander !== undefined && nobodyWaits && full.status === 'pending' && stander.types.includes(full.type)) {
      this.#standby.delete(full.queue);
      const task = this.#start(full, stander.nonce, stander.leaseMs);
      this.handed.push(task);
      if (!this.#listLoses) this.#inbox.push(task);
      for (const wake of [...this.#wakes]) wake();
    } else this.wake(full.queue);
    if (!this.#announced.has(full.queue)) this.announce(full.queue);
    return full;
  }

  task(id: string): FakeTask {
    const task = this.tasks.get(id);
    if (task === undefined) throw new Error(`no task ${id}`);
    return task;
  }

  ofStatus(status: TaskStatus): FakeTask[] {
    return [...this.tasks.values()].filter((task) => task.status === status);
  }

  /** The next calls of this port fail, one by one. */
  fail(port: Port, ...faults: Fault[]): void {
    this.#faults.set(port, [...(this.#faults.get(port) ?? []), ...faults]);
  }

  /** Work calls of this queue are answered with a refusal from now on: a key of it is not what it should be. */
  damage(queue: string): void {
    this.#damaged.add(queue);
  }

  /** Calls succeed from now on. */
  heal(): void {
    this.#faults.clear();
    this.#damaged.clear();
  }

  /** Who stands by in this queue. */
  standsBy(queue: string): boolean {
    return this.#standby.has(queue);
  }

  /** From now on what is handed over gets lost on its way: only a call can bring it. */
  loseHanded(): void {
    this.#listLoses = true;
  }

  /** As a list that is read twice. */
  handAgain(task: ClaimedTask): void {
    this.#inbox.push(task);
    for (const wake of [...this.#wakes]) wake();
  }

  wake(queue: string): void {
    this.#markers.add(queue);
    for (const wake of [...this.#wakes]) wake();
  }

  /** The first submit in a while, or a pass of the upkeep, says that the queue has work. */
  announce(queue: string): void {
    this.#announced.add(queue);
    for (const follower of this.#followers) follower(queue);
  }

  cancel(id: string): void {
    this.task(id).cancelRequested = true;
  }

  /** The lease is somebody else's from now on, as after a long freeze. */
  steal(id: string): void {
    const task = this.task(id);
    task.token = `${++this.#epoch}:thief`;
    task.leaseUntil = Number.POSITIVE_INFINITY;
  }

  /** What the upkeep does: leases that have run out go back. */
  reap(): string[] {
    const late = [...this.tasks.values()].filter(
      ({ status, leaseUntil }) => status === 'processing' && leaseUntil <= this.#clock.monotonic(),
    );
    for (const task of late) {
      task.status = 'pending';
      task.token = null;
    }
    return late.map(({ id }) => id);
  }

  async work(call: WorkCall): Promise<WorkReply> {
    this.calls.push(call);
    if (this.#damaged.has(call.queue)) throw new QueueError('STORE_DAMAGED', 'damaged');
    return this.#through('work', () => this.#work(call));
  }

  #work(call: WorkCall): WorkReply {
    const key = `${call.workerId}/${call.queue}/${call.lane}`;
    const last = this.#lastNonce.get(key);
    const verdicts = call.settles.map((settle) => this.#settle(settle));
    const repeated = last?.nonce === call.nonce;
    const claimed = repeated
      ? last.claimed.filter(({ id, token }) => this.tasks.get(id)?.token === token)
      : this.#claim(call);
    this.#lastNonce.set(key, { nonce: call.nonce, claimed });
    const { standsBy, handed } = this.#stand(call, repeated, claimed.length > 0);
    const waiting = [...this.tasks.values()].filter(({ queue }) => queue === call.queue);
    const due = waiting
      .filter(({ dueAt }) => dueAt !== null)
      .map(({ dueAt }) => Math.max(0, (dueAt ?? 0) - this.#clock.now()));
    return {
      verdicts,
      claimed,
      standsBy,
      handed,
      nextDueInMs: due.length === 0 ? null : Math.min(...due),
      skipped:
        claimed.length < call.want &&
        waiting.some(({ status, type }) => status === 'pending' && !call.types.includes(type)),
    };
  }

  #claim({ queue, want, ahead = 0, types, nonce, leaseMs }: WorkCall): ClaimedTask[] {
    const now = this.#clock.now();
    const ready = [...this.tasks.values()].filter(
      (task) =>
        task.queue === queue &&
        types.includes(task.type) &&
        (task.status === 'pending' ||
          (task.dueAt !== null && task.dueAt <= now && ['retrying', 'scheduled'].includes(task.status))),
    );
    const most = ready.length < want + 4 * ahead ? want - ahead : want;
    return ready.slice(0, most).map((task) => this.#start(task, nonce, leaseMs));
  }

  #start(task: FakeTask, nonce: string, leaseMs: number): ClaimedTask {
    const now = this.#clock.now();
    task.status = 'processing';
    task.dueAt = null;
    task.attempts++;
    task.token = `${++this.#epoch}:${nonce}`;
    task.leaseUntil = this.#clock.monotonic() + leaseMs;
    const { id, queue, type, payload, timeoutMs, backoff, maxAttempts, attempts, token } = task;
    const rest = { name: null, priority: 5, createdAt: now, startedAt: now, tags: [], owner: 'ada' };
    return { id, token, queue, type, payload, timeoutMs, backoff, maxAttempts, attempt: attempts, ...rest };
  }

  #stand({ queue, standby, types, leaseMs }: WorkCall, repeated: boolean, claims: boolean) {
    if (standby === undefined) return { standsBy: this.#standby.has(queue), handed: [] };
    const { nonce, forMs, stood } = standby;
    const missed =
      !this.#standby.has(queue) && (stood || repeated)
        ? this.handed.filter(({ id, token }) => token.endsWith(`:${nonce}`) && this.tasks.get(id)?.token === token)
        : [];
    if (!repeated) this.#standby.delete(queue);
    if (!repeated && forMs > 0 && !claims && missed.length === 0) this.#standby.set(queue, { nonce, types, leaseMs });
    if (missed.length > 0) this.#inbox = [];
    return { standsBy: this.#standby.has(queue), handed: missed };
  }

  #settle(settle: Settle): Verdict {
    const task = this.tasks.get(settle.id);
    if (task === undefined) return 'gone';
    if (task.endedBy === settle.token) return 'already';
    if (task.token !== settle.token) return 'fenced';
    this.order.push(`${settle.kind}:${settle.id}`);
    task.token = null;
    task.endedBy = settle.token;
    task.settle = settle;
    switch (settle.kind) {
      case 'complete':
        task.status = 'completed';
        task.result = JSON.parse(settle.result);
        break;
      case 'fail':
        task.error = settle.error;
        task.status = task.cancelRequested ? 'cancelled' : 'retrying';
        task.dueAt = this.#clock.now() + settle.retryInMs;
        break;
      case 'dead':
        task.error = settle.error;
        task.status = 'failed';
        break;
      case 'cancelled':
        task.status = 'cancelled';
        break;
      case 'release':
        task.status = 'pending';
        task.attempts--;
        break;
      case 'snooze':
        task.status = 'scheduled';
        task.attempts--;
        task.dueAt = this.#clock.now() + settle.delayMs;
    }
    return 'accepted';
  }

  async extend(
    queue: string,
    held: readonly LeaseRef[],
    leaseMs: number,
  ): Promise<{ lost: string[]; cancelRequested: string[] }> {
    this.extended.push({ queue, held });
    return this.#through('extend', () => {
      const lost: string[] = [];
      const cancelRequested: string[] = [];
      for (const { id, token } of held) {
        const task = this.tasks.get(id);
        if (task?.token !== token) lost.push(id);
        else {
          task.leaseUntil = this.#clock.monotonic() + leaseMs;
          if (task.cancelRequested) cancelRequested.push(id);
        }
      }
      return { lost, cancelRequested };
    });
  }

  async report(queue: string, reports: readonly AttemptReport[]): Promise<string[]> {
    this.reports.push({ queue, reports });
    return this.#through('report', () => {
      const lost: string[] = [];
      for (const { id, token, progress, logs } of reports) {
        const task = this.tasks.get(id);
        this.order.push(`report:${id}`);
        if (task?.token !== token) {
          lost.push(id);
          continue;
        }
        if (progress !== null) {
          task.progress = progress.percent;
          task.progressMessage = progress.message;
        }
        task.logs.push(...logs.map(({ level, message, attempt }) => ({ level, message, attempt })));
      }
      return lost;
    });
  }

  /** Called by tests: a named queue has got a shard. */
  tellOfShard: (shard: string) => void = () => undefined;

  async followShards(_queues: readonly string[], listener: (shard: string) => void): Promise<void> {
    this.tellOfShard = listener;
  }

  async followWork(listener: (queue: string) => void, signal: AbortSignal): Promise<void> {
    for (const queue of this.#announced) listener(queue);
    this.#followers.add(listener);
    signal.addEventListener('abort', () => this.#followers.delete(listener), { once: true });
  }

  async waitForWork(
    _waiter: string,
    queues: readonly string[],
    maxMs: number,
    signal: AbortSignal,
  ): Promise<Awakening> {
    this.waits.push(maxMs);
    this.waitedFor = queues;
    const fault = this.#faults.get('waitForWork')?.shift();
    if (fault !== undefined) throw new Error('Redis went away');
    const woken = new AbortController();
    const stop = () => woken.abort();
    let found: string | undefined;
    let handed: ClaimedTask[] = [];
    const look = () => {
      if (queues.length === 1 && handed.length === 0) [handed, this.#inbox] = [this.#inbox, []];
      if (handed.length === 0) found ??= queues.find((name) => this.#markers.delete(name));
      if (found !== undefined || handed.length > 0) stop();
    };
    this.#wakes.add(look);
    signal.addEventListener('abort', stop, { once: true });
    look();
    await this.#clock.sleep(maxMs, woken.signal);
    this.#wakes.delete(look);
    return { queues: found === undefined ? [] : [found], handed };
  }

  async #through<T>(port: Port, effect: () => T): Promise<T> {
    const fault = this.#faults.get(port)?.shift();
    if (fault === 'refused') throw new Error('Redis went away');
    const answer = effect();
    await new Promise((resolve) => setImmediate(resolve)); // a round trip
    if (fault === 'lost') throw new Error('the reply was lost');
    return answer;
  }
}
