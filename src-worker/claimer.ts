/**
 * The work loop: settles what has ended and claims what comes next, in the same calls.
 *
 * Where the work is shorter than the way to Redis, calls that are made anyway ask for some tasks ahead of their slots; see
 * Lookahead. They are asked for beside those of the slots, and come out of a backlog only.
 *
 * For each queue at most two calls are out at a time, each on a lane of its own. A call takes every settle that waits
 * and asks for at most half of the slots; what ends meanwhile waits for the next call. So batches grow with the load
 * and shrink with it, with no timer. A call whose outcome is unknown is repeated with the very same arguments until it
 * is answered: the engine knows the nonce, so nothing is claimed or settled twice, and no settle is dropped. A queue that
 * refuses its calls, because its data are damaged, keeps no slot from the others.
 * With nothing to do in its one queue it stands by there: the next task is handed to it (standby.ts).
 * With nothing to do, the loop waits in `waitForWork`, and asks again when woken, when something comes due, or after 2 s.
 * Queues that only `*` serves are not asked on suspicion: the engine tells of those that get work (`followWork`), also
 * while all slots are taken, so that they come in for their share.
 * A queue is a physical one here: each shard of a queue has its own line (queue-lines.ts).
 */
import { LIMITS } from '#queue/contract/limits';
import type { Awakening, ClaimedTask, Settle, TaskEngine, Verdict, WorkCall, WorkReply } from '#queue/engine/ports';
import type { Clock } from '#queue/kernel/clock';
import { randomName } from '#queue/kernel/ids';
import type { Log } from '#queue/kernel/log';
import { logicalQueues } from '#queue/kernel/shard-name';
import { type Deadline, Deadlines } from './deadlines';
import { PatientCalls } from './patient-calls';
import { ASK_AGAIN_MS, type QueueLine } from './queue-line';
import { QueueLines } from './queue-lines';
import { Settler } from './settler';
import { shareOut } from './shares';
import { Standby } from './standby';

/** Between two waits that failed, at most. */
const WAIT_AGAIN_MS = 500;
/** Idle, it asks every two seconds: one that has heard nothing for so long does not get work. */
const FETCH_FRESH_MS = 10_000;

export interface ClaimerDeps {
  engine: Pick<TaskEngine, 'work' | 'waitForWork' | 'followWork' | 'followShards'>;
  clock: Clock;
  log: Log;
  random: () => number;
  workerId: string;
  /** `*` stands for every queue that is not named. */
  queues: readonly { name: string; weight: number }[];
  concurrency: number;
  /** Tasks to hold beside those that run. */
  ahead: () => number;
  leaseMs: number;
  types: readonly string[];
  /** Leases that can still be held: a second bound on claims, should many settles be on their way. */
  room: () => number;
  /** Every one of them takes a slot until `slotFreed`. */
  onClaimed: (tasks: readonly ClaimedTask[]) => void;
  onSettled: (settle: Settle, verdict: Verdict) => void;
}

export class Claimer {
  readonly #deps: ClaimerDeps;
  readonly #lines: QueueLines;
  readonly #settler = new Settler();
  readonly #calling: PatientCalls;
  /** Ends the following of work in other queues. */
  readonly #deaf = new AbortController();
  #on = false;
  #quieted = false;
  #turnAsked = false;
  #taken = 0;
  /** Slots that calls on their way have asked for, and tasks ahead of slots. */
  #wanted = 0;
  #wantedAhead = 0;
  #calls = 0;
  /** Of this very process: a worker that is started again under its old id must not repeat its old calls. */
  readonly #name = randomName('n');
  readonly #standby = new Standby(`${this.#name}.h`);
  #nonces = 0;
  /** How far the queues that are served have come: see QueueLine.passed. */
  #virtual = 0;
  readonly #onCallEnd: (() => void)[] = [];
  #listening = false;
  /** Ends the wait that is on its way. */
  #listen = new AbortController();
  /** Monotonic ms; before the first answer, when it was made. */
  #heardAt: number;
  #lastFetchAt: number | null = null;
  readonly #alarms: Deadlines;
  #alarm: Deadline | undefined;

  constructor(deps: ClaimerDeps) {
    this.#deps = deps;
    this.#heardAt = deps.clock.monotonic();
    this.#alarms = new Deadlines(deps.clock);
    this.#calling = new PatientCalls({ ...deps, nextNonce: () => this.#nextNonce() });
    this.#lines = new QueueLines(deps.queues, deps.clock.monotonic());
  }

  start(): void {
    this.#on = true;
    const { engine } = this.#deps;
    const heard = (queue: string) => this.#heard(queue);
    if (this.#lines.servesEvery) void engine.followWork(heard, this.#deaf.signal);
    if (!this.#lines.namesNone) void engine.followShards(this.#lines.named, heard, this.#deaf.signal);
    this.#askTurn();
  }

  /** When a request for work was last answered, Unix ms; null: never. */
  get lastFetchAt(): number | null {
    return this.#lastFetchAt;
  }

  /**
   * It gets work where there is some: it was answered lately, has no free slot to ask for, or names no queue to ask and
   * has no question out: it then hears of the first task of any queue.
   */
  get isFetching(): boolean {
    const { clock, concurrency } = this.#deps;
    if (this.#quieted) return false;
    const asksNobody = this.#lines.namesNone && this.#calls === 0;
    return asksNobody || this.#taken >= concurrency || clock.monotonic() - this.#heardAt <= FETCH_FRESH_MS;
  }

  /** Queues besides the named ones that had work, or word of it, of late; the latest first. */
  get otherQueues(): string[] {
    return logicalQueues(this.#lines.others());
  }

  /** No new claims from now on. Calls on their way may still bring some. */
  quiet(): void {
    this.#on = false;
    this.#quieted = true;
    this.#deaf.abort();
    this.#alarms.clear();
    this.#listen.abort();
    if (this.#standby.queue !== null) this.#turn();
  }

  /** Waits until every settle is answered and no call is out, at most until `deadline` fires. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.quiet();
    const late = new Promise<void>((done) => {
      if (deadline.aborted) done();
      else deadline.addEventListener('abort', () => done(), { once: true });
    });
    while ((this.#calls > 0 || this.#settler.unanswered > 0) && !deadline.aborted) {
      await Promise.race([late, this.#settler.drained().then(() => this.#callEnds())]);
    }
    this.#calling.abandon();
  }

  /** An attempt has ended and its slot is free; `settle` follows now or later, or never, where the lease is lost. */
  slotFreed(): void {
    this.#taken--;
    this.#askTurn();
  }

  settle(queue: string, settle: Settle): void {
    this.#settler.add(queue, settle);
    this.#lines.use(queue, this.#deps.clock.monotonic());
    this.#askTurn();
  }

  /** Everything that happens in one turn of the event loop leads to one look. */
  #askTurn(): void {
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    setImmediate(() => {
      this.#turnAsked = false;
      this.#turn();
    });
  }

  /** The engine has word of work in a queue. */
  #heard(queue: string): void {
    const isNew = this.#lines.find(queue) === null;
    this.#lines.use(queue, this.#deps.clock.monotonic()).woken();
    if (isNew) this.#listen.abort(); // the wait that is on its way does not cover it
    this.#askTurn();
  }

  #turn(): void {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    const wants = this.#shares(now);
    // It stands by in one queue only, and only while it has nothing to do: a task that is handed over must not wait.
    const mayStand = this.#on && this.#lines.size === 1;
    let more = false;
    let others = 0; // slots of queues that come later in this turn
    for (const share of wants.values()) others += share;
    for (const line of this.#lines.all()) {
      if (!line.hasFreeLane) continue;
      const settles = this.#settler.take(line.name, this.#part(line));
      let want = wants.get(line) ?? 0;
      others -= want;
      // The call is made anyway: ask for what nobody else takes, although the queue was empty a moment ago.
      if (settles.length > 0 && want === 0 && line.mayAsk(now))
        want = Math.max(0, Math.min(this.#free() - others, this.#half()));
      const leaves = !mayStand && this.#standby.queue === line.name;
      if (settles.length === 0 && want === 0 && !leaves) continue;
      const idle = this.#taken === 0 && this.#calls === 0 && this.#settler.unanswered === settles.length;
      const stands = mayStand && idle && want > 0;
      const ahead = line.isReady(now) ? this.#ahead(want) : 0;
      void this.#call(line, settles, { slots: want, ahead, stands });
      more ||= line.hasFreeLane && (this.#settler.hasFor(line.name) || (line.isReady(now) && this.#free() > 0));
    }
    if (more) this.#askTurn();
    this.#lines.sweep(now, (queue) => this.#settler.hasFor(queue) || this.#standby.queue === queue);
    this.#waitIfIdle(now);
  }

  #free(): number {
    if (!this.#on) return 0;
    const { concurrency, room } = this.#deps;
    return Math.max(0, Math.min(concurrency - this.#taken, room()) - this.#wanted);
  }

  /** Beside `want` more; half of what may be held at a time, as there are two lanes. */
  #ahead(want: number): number {
    if (!this.#on) return 0;
    const { concurrency, ahead, room } = this.#deps;
    const size = ahead();
    if (size === 0) return 0;
    const held = this.#taken + this.#wanted + this.#wantedAhead + want;
    return Math.max(
      0,
      Math.min(concurrency + size - held, room() - held, Math.ceil(size / 2), LIMITS.workBatch - want),
    );
  }

  #half(): number {
    return Math.min(Math.ceil(this.#deps.concurrency / 2), LIMITS.workBatch);
  }

  /**
   * Settles for the next call: all that wait, or half of them where a second call can take the rest along. Else one
   * call carries all the settles and the other none, and Redis and this process take turns instead of working together.
   */
  #part(line: QueueLine): number {
    const waiting = this.#settler.waitingFor(line.name);
    return Math.min(line.freeLanes > 1 ? Math.ceil(waiting / 2) : waiting, LIMITS.workBatch);
  }

  /** Slots for each queue that is likely to have work. */
  #shares(now: number): Map<QueueLine, number> {
    const wants = new Map<QueueLine, number>();
    const free = this.#free();
    if (free === 0) return wants;
    const ready: QueueLine[] = [];
    for (const line of this.#lines.all()) if (line.hasFreeLane && line.isReady(now)) ready.push(line);
    const idle = this.#taken === 0 && this.#wanted === 0 && this.#settler.unanswered === 0;
    const most = idle ? LIMITS.workBatch : this.#half();
    for (const [index, share] of shareOut(free, ready).entries()) {
      const line = ready[index];
      if (line !== undefined && share > 0) wants.set(line, Math.min(share, most));
    }
    return wants;
  }

  async #call(
    line: QueueLine,
    settles: readonly Settle[],
    { slots, ahead, stands }: { slots: number; ahead: number; stands: boolean },
  ): Promise<void> {
    const { workerId, leaseMs, types } = this.#deps;
    const lane = line.takeLane();
    this.#wanted += slots;
    this.#wantedAhead += ahead;
    this.#calls++;
    const nonce = this.#nextNonce();
    const want = slots + ahead;
    const standby = stands ? this.#standby.enter(line.name) : this.#standby.leave(line.name);
    const queue = line.name;
    const call: WorkCall = { queue, workerId, lane, nonce, settles, want, ahead, leaseMs, types, standby };
    const { wakes } = line;
    let kept = true;
    const giveUp = () => {
      if (!kept) return;
      kept = false;
      this.#wanted -= slots;
      this.#wantedAhead -= ahead;
    };
    const refused = () => {
      giveUp();
      this.#askTurn();
    };
    const reply = await this.#calling.untilAnswered(call, refused);
    line.giveLane(lane);
    giveUp();
    this.#calls--;
    if (reply !== null) this.#answered(line, wakes, call, reply);
    this.#settler.answered(settles.length);
    for (const done of this.#onCallEnd.splice(0)) done();
    this.#askTurn();
  }

  #answered(line: QueueLine, wakes: number, { settles, want, ahead = 0, standby }: WorkCall, reply: WorkReply): void {
    const { clock, onSettled } = this.#deps;
    const { claimed, nextDueInMs: dueInMs, skipped } = reply;
    const reached = line.passed;
    const now = clock.monotonic();
    if (want > 0) {
      this.#heardAt = now;
      this.#lastFetchAt = clock.now();
    }
    line.learn({ want: want - ahead, got: claimed.length, dueInMs, skipped, now, wakes }, this.#virtual);
    if (claimed.length > 0) this.#virtual = Math.max(this.#virtual, reached);
    for (const [index, settle] of settles.entries()) onSettled(settle, reply.verdicts[index] ?? 'gone');
    if (standby !== undefined && standby.forMs > 0) this.#standby.answered(reply.standsBy);
    this.#began(claimed);
    this.#began(this.#standby.fresh(reply.handed));
  }

  #began(tasks: readonly ClaimedTask[]): void {
    if (tasks.length === 0) return;
    this.#taken += tasks.length;
    this.#deps.onClaimed(tasks);
  }

  #nextNonce(): string {
    return `${this.#name}.${(this.#nonces++).toString(36)}`;
  }

  #callEnds(): Promise<void> {
    return this.#calls === 0 ? Promise.resolve() : new Promise((done) => this.#onCallEnd.push(done));
  }

  /** Where slots are free and a queue is dry, somebody has to listen for work, and to wake when it comes due. */
  #waitIfIdle(now: number): void {
    if (!this.#on || this.#free() === 0) return;
    let dueInMs: number | null = null;
    for (const line of this.#lines.all()) {
      if (!line.isReady(now)) dueInMs = Math.min(dueInMs ?? Number.POSITIVE_INFINITY, line.readyInMs(now));
    }
    if (dueInMs === null) return;
    this.#alarm?.cancel();
    if (dueInMs < ASK_AGAIN_MS) this.#alarm = this.#alarms.after(dueInMs, () => this.#askTurn());
    if (!this.#listening) void this.#listenToAll();
  }

  /** Always to all queues: a wait that is on its way covers one that becomes dry meanwhile. */
  async #listenToAll(): Promise<void> {
    const { engine, clock, workerId, log, random } = this.#deps;
    this.#listening = true;
    this.#listen = new AbortController();
    const { signal } = this.#listen;
    let woken: Awakening = { queues: [], handed: [] };
    try {
      woken = await engine.waitForWork(workerId, this.#lines.toListen(), ASK_AGAIN_MS, signal);
    } catch (error) {
      log.debug('waiting for work failed', { error });
      await clock.sleep(WAIT_AGAIN_MS * random(), signal);
    }
    this.#listening = false;
    const now = clock.monotonic();
    for (const queue of woken.queues) this.#lines.use(queue, now).woken();
    this.#handedOver(woken.handed, now);
    const timeIsUp = woken.queues.length === 0 && woken.handed.length === 0 && !signal.aborted;
    if (timeIsUp)
      for (const line of this.#lines.all()) if (line.named || line.name === this.#standby.queue) line.woken();
    this.#askTurn();
  }

  #handedOver(tasks: readonly ClaimedTask[], now: number): void {
    const fresh = this.#standby.fresh(tasks);
    if (fresh.length === 0) return;
    for (const { queue } of fresh) this.#lines.use(queue, now);
    this.#heardAt = now;
    this.#lastFetchAt = this.#deps.clock.now();
    this.#began(fresh);
  }
}
