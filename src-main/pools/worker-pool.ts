/**
 * A pool: as many worker processes as wanted, all with the same queues, concurrency and handlers.
 *
 * A change of what they serve replaces them: new ones start, old ones finish what they run. Fewer processes means
 * that those with the least to do stop gracefully. A restart goes from one process to the next, and ends at the first
 * replacement that does not come up. Nothing is left running after `stop`.
 */
import type { z } from 'zod';
import { isoTime } from '#queue/contract/primitives';
import type { CreatePool, Pool, PoolExit } from '#queue/contract/worker';
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import type { Service } from '#queue/kernel/service';
import { OutputTail } from './output-tail';
import { type MemberEnd, PoolMember } from './pool-member';
import type { WorkerProgram } from './worker-process';

export const KEPT_EXITS = 20;

export interface PoolSpec extends CreatePool {
  id: string;
}

export interface WorkerPoolDeps {
  program: WorkerProgram;
  /** What a worker process of this pool is configured with. */
  workerConfig: (spec: PoolSpec, workerId: string) => unknown;
  shutdownTimeoutMs: number;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Every line that a worker prints, as it comes. */
  onLine: (line: string) => void;
}

export class WorkerPool implements Service {
  readonly name: string;
  readonly #deps: WorkerPoolDeps;
  readonly #log: Log;
  readonly #output = new OutputTail();
  /** Members that are stopping stay here until they have ended. */
  readonly #members = new Set<PoolMember>();
  #exits: z.infer<typeof PoolExit>[] = [];
  #spec: PoolSpec;
  /** What the autoscaler asks for; null: as many as the spec says. */
  #scaledTo: number | null = null;
  #started = false;
  /** A rolling restart that is under way. */
  #restart: { done: number; of: number } | null = null;

  constructor(spec: PoolSpec, deps: WorkerPoolDeps) {
    this.name = `pool ${spec.name}`;
    this.#spec = spec;
    this.#deps = deps;
    this.#log = deps.log.child({ pool: spec.id });
  }

  get spec(): PoolSpec {
    return this.#spec;
  }

  /** Processes wanted now. */
  get size(): number {
    const { autoscale, processes } = this.#spec;
    if (autoscale === null) return processes;
    return Math.min(autoscale.max, Math.max(autoscale.min, this.#scaledTo ?? processes));
  }

  get runningTasks(): number {
    return [...this.#members].reduce((sum, member) => sum + member.runningTasks, 0);
  }

  /** Resolves when its processes are forked, not when they serve. */
  async start(): Promise<void> {
    this.#started = true;
    this.#settle();
  }

  async stop(): Promise<void> {
    this.#started = false;
    await Promise.all([...this.#members].map((member) => this.#retire(member)));
  }

  async kill(): Promise<void> {
    this.#started = false;
    await Promise.all([...this.#members].map((member) => member.kill()));
  }

  /** Lets go of its processes; those that do not serve yet are stopped. @returns pids of those that run on */
  async detach(): Promise<number[]> {
    this.#started = false;
    const pids = await Promise.all([...this.#members].map((member) => member.detach()));
    this.#members.clear();
    return pids.filter((pid) => pid !== null);
  }

  quiet(): void {
    for (const member of this.#members) member.quiet();
  }

  /** Takes effect at once; replaces the processes where they serve something else now. */
  update(spec: PoolSpec): void {
    const served = ({ queues, concurrency, handlers }: PoolSpec) => JSON.stringify([queues, concurrency, handlers]);
    const replace = served(spec) !== served(this.#spec);
    this.#spec = spec;
    if (!this.#started) return;
    if (replace) for (const member of this.#active()) void this.#retire(member);
    this.#settle();
  }

  scaleTo(processes: number): void {
    this.#scaledTo = processes;
    if (this.#started) this.#settle();
  }

  /** Replaces one process after the other. @returns false where that is under way already */
  restart(): boolean {
    if (this.#restart !== null) return false;
    void this.#roll(this.#active());
    return true;
  }

  /** Replaces the process of this worker. @returns false where it is not one of ours */
  restartWorker(workerId: string): boolean {
    const member = this.#active().find((candidate) => candidate.workerId === workerId);
    if (!member) return false;
    void this.#replace(member);
    return true;
  }

  view(): Pool {
    const { id, ...spec } = this.#spec;
    const members = [...this.#members].map((member) => member.view());
    const lines = this.#output.lines;
    return {
      id,
      ...spec,
      processes: this.size,
      members,
      exits: this.#exits,
      output: lines.map(({ line }) => line),
      log: lines.map(({ at, workerId, line }) => ({ at: isoTime(at), worker_id: workerId, line })),
      restarting: this.#restart === null ? null : { ...this.#restart },
    };
  }

  async #roll(members: readonly PoolMember[]): Promise<void> {
    const progress = { done: 0, of: members.length };
    this.#restart = progress;
    this.#log.info('rolling restart', { processes: members.length });
    for (const member of members) {
      // The pool may have been scaled, changed or stopped meanwhile: what is gone needs no replacement.
      if (this.#started && !member.stopping && !(await this.#replace(member))) {
        this.#log.error('the rolling restart ends: a new worker process did not come up', { ...progress });
        break;
      }
      progress.done++;
    }
    this.#restart = null;
  }

  /** A new process starts while the old one finishes what it runs. @returns whether the new one serves */
  async #replace(member: PoolMember): Promise<boolean> {
    const retired = this.#retire(member);
    const known = new Set(this.#members);
    if (this.#started) this.#settle();
    const fresh = [...this.#members].filter((candidate) => !known.has(candidate));
    const up = await Promise.all(fresh.map((candidate) => candidate.firstStart));
    await retired;
    return up.every((serves) => serves) || !this.#started;
  }

  #active(): PoolMember[] {
    return [...this.#members].filter((member) => !member.stopping);
  }

  /** Starts or stops members until their number is right. */
  #settle(): void {
    const active = this.#active();
    for (let count = active.length; count < this.size; count++) this.#add();
    const surplus = Math.max(0, active.length - this.size);
    const idlestFirst = active.sort((a, b) => a.runningTasks - b.runningTasks);
    for (const member of idlestFirst.slice(0, surplus)) void this.#retire(member);
  }

  #add(): void {
    const { program, workerConfig, shutdownTimeoutMs, clock, random, onLine } = this.#deps;
    const member = new PoolMember({
      program,
      config: (workerId) => workerConfig(this.#spec, workerId),
      shutdownTimeoutMs,
      clock,
      log: this.#log,
      random,
      onLine: (line, workerId) => {
        this.#output.push({ at: clock.now(), workerId, line });
        onLine(line);
      },
      onUnaskedEnd: (end) => this.#record(end),
    });
    this.#members.add(member);
    member.start();
  }

  async #retire(member: PoolMember): Promise<void> {
    await member.stop();
    this.#members.delete(member);
  }

  #record({ workerId, code, signal, failure, running }: MemberEnd): void {
    const reason =
      failure === null
        ? signal === null
          ? `exited with code ${code}`
          : `killed by ${signal}`
        : `did not start: ${failure}`;
    this.#log.error('a worker process ended unasked', { worker: workerId, reason, running });
    const exit = {
      at: isoTime(this.#deps.clock.now()),
      worker_id: workerId,
      code,
      signal,
      reason,
      running: [...running],
    };
    this.#exits = [exit, ...this.#exits].slice(0, KEPT_EXITS);
  }
}
