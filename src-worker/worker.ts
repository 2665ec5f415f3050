/**
 * The worker: claims tasks, runs their handlers, keeps their leases, settles them, and tells the directory about it.
 *
 * A stop takes no new tasks, gives those that run `shutdownTimeoutMs`, then fires their signals and hands back what
 * still has not ended: it runs elsewhere, and no attempt is counted. Settles are answered before the worker says
 * goodbye, as far as Redis answers.
 */
import { isoTimeOrNull } from '#queue/contract/primitives';
import type {
  ClaimedTask,
  LeaseRef,
  Settle,
  TaskEngine,
  Verdict,
  WorkerBeat,
  WorkerCommand,
  WorkerDirectory,
} from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';
import { CancelledError, LeaseLostError, ShutdownError } from './abort-reasons';
import type { Attempt, AttemptDeps } from './attempt';
import { Backlog } from './backlog';
import { Claimer } from './claimer';
import type { WorkerConfig } from './config';
import { CpuShare } from './cpu-share';
import { Executor } from './executor';
import { Heartbeat } from './heartbeat';
import { HeldTable } from './held-table';
import { type BeatRunner, LeaseKeeper } from './lease-keeper';
import { LOOKAHEAD_MAX, Lookahead } from './lookahead';
import { LoopLag } from './loop-lag';
import type { Registry } from './registry';
import { Reporter } from './reporter';
import { workerBeat } from './worker-beat';

/** Slots of the lease table for each running task: leases are held until their settles are answered. */
const LEASES_PER_SLOT = 4;
/** What settles get to be answered when the worker stops and Redis is away. */
const LAST_SETTLES_MS = 5_000;
const STOP_NOW_MS = 1_000;

export interface WorkerDeps extends Pick<AttemptDeps, 'random' | 'artifactsFor' | 'tasksFor'> {
  id: string;
  config: Pick<
    WorkerConfig,
    'queues' | 'concurrency' | 'leaseMs' | 'shutdownTimeoutMs' | 'graceMs' | 'pool' | 'version'
  >;
  engine: Pick<TaskEngine, 'work' | 'waitForWork' | 'followWork' | 'followShards' | 'report'>;
  directory: Pick<WorkerDirectory, 'beat' | 'goodbye' | 'announceTypes'>;
  registry: Registry;
  /** Makes what extends the leases, given their table. */
  beatRunner: (table: HeldTable) => BeatRunner;
  clock: Clock;
  log: Log;
  /** Someone asked this worker to stop, over the directory. */
  onStopAsked: () => void;
  /** `runningTasks` has changed. Called often, and before the handlers of new tasks start. */
  onRunning?: () => void;
}

export class Worker implements Service {
  readonly name = 'worker';
  readonly #deps: WorkerDeps;
  readonly #executor: Executor;
  readonly #reporter: Reporter;
  readonly #claimer: Claimer;
  readonly #keeper: LeaseKeeper;
  readonly #heartbeat: Heartbeat;
  readonly #lookahead: Lookahead;
  readonly #backlog: Backlog;
  readonly #lag = new LoopLag();
  readonly #cpu: CpuShare;
  readonly #startedAt: number;
  #state: WorkerBeat['state'] = 'starting';
  #completed = 0;
  #failed = 0;
  #stopped: Promise<void> | undefined;
  readonly #hurry = new AbortController();
  readonly #onSlotFreed: (() => void)[] = [];
  /** Claimed, and about to be started. */
  #arriving: readonly ClaimedTask[] = [];
  /** Attempts that have ended while their last progress and logs are on their way; their settles follow. */
  readonly #reporting = new Set<Promise<void>>();

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    const { config, engine, directory, clock, log, random, registry, artifactsFor, tasksFor } = deps;
    const { queues, concurrency, leaseMs, graceMs } = config;
    this.#startedAt = clock.now();
    this.#cpu = new CpuShare(clock);
    this.#lookahead = new Lookahead(concurrency);
    this.#backlog = new Backlog({ clock, onLong: (tasks) => this.#waitedLong(tasks) });
    const table = new HeldTable((concurrency + LOOKAHEAD_MAX) * LEASES_PER_SLOT + 16);
    this.#keeper = new LeaseKeeper({
      table,
      runner: deps.beatRunner(table),
      clock,
      onLost: (lease) => this.#leaseLost(lease),
      onCancelRequested: ({ token }) => this.#cancelRequested(token),
      onCommand: (command) => this.#obey(command),
    });
    this.#reporter = new Reporter({ engine, clock, log, giveUpMs: leaseMs, onLost: (lease) => this.#leaseLost(lease) });
    this.#executor = new Executor({
      registry,
      reporter: this.#reporter,
      clock,
      log,
      random,
      graceMs,
      artifactsFor,
      tasksFor,
      onEnd: (attempt, settle) => this.#ended(attempt, settle),
    });
    this.#claimer = new Claimer({
      engine,
      clock,
      log,
      random,
      workerId: deps.id,
      queues,
      concurrency,
      ahead: () => this.#lookahead.size,
      leaseMs,
      types: registry.types,
      room: () => this.#keeper.room,
      onClaimed: (tasks) => this.#claimed(tasks),
      onSettled: (settle, verdict) => this.#settled(settle, verdict),
    });
    this.#heartbeat = new Heartbeat({
      directory,
      clock,
      log,
      current: () => this.#beat(),
      onBeat: (beat) => this.#keeper.post(beat),
      onCommand: (command) => this.#obey(command),
      announce: () => directory.announceTypes(registry.announced()),
    });
  }

  get id(): string {
    return this.#deps.id;
  }

  runningTasks(): ClaimedTask[] {
    return [...this.#executor.running.map(({ task }) => task), ...this.#arriving];
  }

  /** Traces an exception that nobody caught to a task: see Executor.blame. */
  blame(error: unknown): boolean {
    return this.#executor.blame(error);
  }

  /** Working when it resolves: leases can be kept, and the directory knows the worker. @throws where Redis does not answer */
  async start(): Promise<void> {
    this.#lag.start();
    try {
      await this.#keeper.start();
      this.#state = 'running';
      await this.#heartbeat.start();
    } catch (error) {
      await this.#keeper.stop();
      this.#lag.stop();
      throw error;
    }
    this.#claimer.start();
  }

  /** Takes no new tasks; those that run go on. There is no way back but a new worker. */
  quiet(): void {
    if (this.#state !== 'running') return;
    this.#state = 'quiet';
    this.#deps.log.info('quiet: no new tasks are taken');
    this.#claimer.quiet();
    this.#handBack(this.#backlog.drain());
    this.#heartbeat.hurry();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** A stop that waits for nothing but the hand-back of the running tasks, a second at most. */
  stopNow(): Promise<void> {
    this.#hurry.abort();
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { clock, log, config } = this.#deps;
    if (this.#state === 'starting') return;
    this.#state = 'stopping';
    this.#claimer.quiet();
    this.#handBack(this.#backlog.drain());
    this.#heartbeat.hurry();
    log.info('stopping', { running: this.#executor.runningCount, shutdownTimeoutMs: config.shutdownTimeoutMs });
    await this.#idleWithin(config.shutdownTimeoutMs);
    const hurried = this.#hurry.signal.aborted;
    this.#executor.abortAll(new ShutdownError(), hurried ? 0 : config.graceMs);
    if (this.#executor.runningCount > 0) await this.#allEnded();
    const deadline = new AbortController();
    const late = clock.sleep(hurried ? STOP_NOW_MS : LAST_SETTLES_MS, deadline.signal).then(() => deadline.abort());
    await Promise.race([late, Promise.all(this.#reporting)]);
    await this.#claimer.drain(deadline.signal);
    deadline.abort();
    await late;
    await this.#keeper.stop();
    await this.#heartbeat.stop();
    this.#backlog.close();
    this.#executor.close();
    this.#lag.stop();
    log.info('stopped', { completed: this.#completed, failed: this.#failed });
  }

  async #idleWithin(ms: number): Promise<void> {
    if (this.#hurry.signal.aborted) return;
    const enough = new AbortController();
    this.#hurry.signal.addEventListener('abort', () => enough.abort(), { once: true });
    const late = this.#deps.clock.sleep(ms, enough.signal);
    await Promise.race([late, this.#allEnded()]);
    enough.abort();
    await late;
  }

  async #allEnded(): Promise<void> {
    while (this.#executor.runningCount > 0) await new Promise<void>((done) => this.#onSlotFreed.push(done));
  }

  #beat(): WorkerBeat {
    const { id, config, registry } = this.#deps;
    return workerBeat({
      id,
      config,
      registry,
      state: this.#state,
      running: this.#executor.running,
      otherQueues: this.#claimer.otherQueues,
      completed: this.#completed,
      failed: this.#failed,
      event_loop_lag_ms: this.#lag.takeP99(),
      last_fetch_at: isoTimeOrNull(this.#claimer.lastFetchAt),
      fetching: this.#claimer.isFetching,
      cpu_percent: this.#cpu.take(),
      startedAt: this.#startedAt,
    });
  }

  #claimed(tasks: readonly ClaimedTask[]): void {
    for (const task of tasks) this.#keeper.hold(task);
    if (this.#state === 'stopping') {
      this.#handBack(tasks);
      return;
    }
    const slots = Math.max(0, this.#deps.config.concurrency - this.#executor.runningCount);
    this.#start(tasks.slice(0, slots));
    for (const task of tasks.slice(slots)) this.#backlog.push(task);
  }

  #start(tasks: readonly ClaimedTask[]): void {
    this.#arriving = tasks;
    this.#deps.onRunning?.();
    this.#arriving = [];
    for (const task of tasks) this.#executor.start(task);
  }

  /** None of them has begun: they run elsewhere, or here later, and no attempt is counted. */
  #handBack(tasks: readonly ClaimedTask[]): void {
    for (const { queue, id, token } of tasks) {
      this.#claimer.slotFreed();
      this.#claimer.settle(queue, { kind: 'release', id, token });
    }
  }

  #waitedLong(tasks: readonly ClaimedTask[]): void {
    this.#lookahead.slowed();
    this.#handBack(tasks);
  }

  #cancelRequested(token: string): void {
    const waiting = this.#backlog.take(token);
    if (waiting === undefined) this.#executor.abort(token, new CancelledError());
    else this.#handBack([waiting]); // one that somebody asked to cancel does not go back
  }

  #ended({ task, recorder, ranMs }: Attempt, settle: Settle | null): void {
    this.#lookahead.ended(ranMs);
    this.#claimer.slotFreed();
    for (const done of this.#onSlotFreed.splice(0)) done();
    const next = this.#backlog.shift();
    if (next === undefined) this.#deps.onRunning?.();
    else this.#start([next]);
    if (settle === null) {
      this.#reporter.forget(recorder);
      this.#keeper.drop(task.token);
      return;
    }
    const sent = this.#reporter.close(recorder);
    if (sent === null) {
      this.#claimer.settle(task.queue, settle);
      return;
    }
    const reported = sent.then(() => {
      this.#reporting.delete(reported);
      this.#claimer.settle(task.queue, settle);
    });
    this.#reporting.add(reported);
  }

  #settled(settle: Settle, verdict: Verdict): void {
    this.#keeper.drop(settle.token);
    if (verdict === 'fenced' || verdict === 'gone') {
      this.#deps.log.warn('a settle was refused: the lease had been lost', {
        taskId: settle.id,
        kind: settle.kind,
        verdict,
      });
    } else if (settle.kind === 'complete') this.#completed++;
    else if (settle.kind === 'fail' || settle.kind === 'dead') this.#failed++;
  }

  #leaseLost({ id, token }: LeaseRef): void {
    this.#keeper.drop(token);
    if (this.#backlog.take(token) !== undefined) {
      this.#claimer.slotFreed();
      return;
    }
    if (!this.#executor.abort(token, new LeaseLostError())) return;
    this.#deps.log.warn('the lease on a running task was lost; its handler is told to stop', { taskId: id });
  }

  #obey(command: WorkerCommand): void {
    this.#deps.log.info('asked over the directory', { command });
    if (command === 'quiet') this.quiet();
    else this.#deps.onStopAsked();
  }
}
