/** What workers do, in the model: each method is one call of a script and returns what the script must answer. */
import type { Settle, Verdict, WorkCall } from '#queue/redis/calls';
import { by, type ModelTask, scoreOf } from './model-task';
import { QueueState } from './queue-state';
import { inScriptOrder, judge } from './settle-verdicts';
import { StandbyModel } from './standby-model';

const TOLD = {
  fail: 'retrying',
  dead: 'failed',
  cancelled: 'cancelled',
  release: 'released',
  snooze: 'snoozed',
} as const;

interface Lease {
  id: string;
  token: string;
}

export interface WorkModelAnswer {
  verdicts: Verdict[];
  claimed: Lease[];
  skipped: boolean;
  standsBy: boolean;
  /** In any order. */
  handed: Lease[];
}

export class WorkerModel extends QueueState {
  readonly #lanes = new Map<string, string>();

  work(call: WorkCall): WorkModelAnswer {
    this.clock.advance();
    const lane = `${call.workerId}:${call.lane}`;
    const repeated = this.#lanes.get(lane) === call.nonce;
    this.#lanes.set(lane, call.nonce);
    const running = this.in('leases').length;
    const ready = this.in('pending');
    const verdicts = judge(this.tasks, call.settles);
    const settled = verdicts.filter((verdict) => verdict === 'accepted').length;
    const promoted = [...this.in('scheduled'), ...this.in('retrying')].filter(
      ({ dueAt }) => dueAt <= this.clock.wall(),
    );
    const held = repeated ? this.in('leases').filter(({ run }) => run?.token.endsWith(`:${call.nonce}`)) : [];
    const again = held.filter((task) => {
      const index = call.settles.findIndex((settle) => settle.id === task.id && settle.token === task.run?.token);
      return index < 0 || verdicts[index] !== 'accepted';
    });
    const missed = this.#missed(call, repeated);
    let handedBack = false;
    for (const index of inScriptOrder(call.settles)) {
      const settle = call.settles[index];
      if (!settle || verdicts[index] !== 'accepted') continue;
      if (this.#settle(settle, call.workerId) === 'pending') handedBack = true;
    }
    for (const task of promoted) task.place = 'pending';

    const { ahead = 0 } = call;
    const spared = this.concurrency === null && this.rateLimit === null && ready.length >= call.want + 4 * ahead;
    const want = spared ? call.want : call.want - ahead;
    const asks = want > 0 && !this.paused && !repeated;
    const window = this.#window();
    const allow = asks
      ? Math.min(
          want,
          this.concurrency === null ? want : this.concurrency - running + settled,
          this.rateLimit === null ? want : this.rateLimit.max - window.count,
        )
      : 0;
    const { taken, skipped } = this.#choose([...ready, ...promoted], call, allow);
    const claimed = taken.map((task) => {
      task.place = 'leases';
      task.run = {
        token: `${++this.epoch}:${call.nonce}`,
        workerId: call.workerId,
        until: this.clock.mono + call.leaseMs,
        attempt: task.attempts + 1,
        cancelAsked: false,
        percent: null,
      };
      this.say('started', task, { attempts: task.run.attempt, worker: call.workerId });
      return { id: task.id, token: task.run.token };
    });
    for (const task of promoted) if (task.place !== 'leases') this.say('promoted', task, {});
    const room = settled > 0 && this.concurrency !== null;
    const full = want > 0 && taken.length === want;
    const left = ready.length + promoted.length > taken.length;
    this.mustWake = handedBack || (left && (full || skipped || room));
    if (this.rateLimit !== null && taken.length > 0)
      this.rate = { start: window.start, count: window.count + taken.length };
    this.clock.allowLease(call.leaseMs);
    return {
      verdicts,
      claimed: repeated ? again.map(({ id, run }) => ({ id, token: run?.token ?? '' })) : claimed,
      skipped,
      standsBy: this.#stand(call, { repeated, claims: taken.length > 0, missed: missed !== null && missed.length > 0 }),
      handed: missed ?? [],
    };
  }

  /** What was handed to a worker that stands by no longer; null where nobody looks. */
  #missed({ standby, ...call }: WorkCall, repeated: boolean): Lease[] | null {
    if (standby === undefined) return null;
    const stands = this.standby.standing.has(StandbyModel.line(call, standby.nonce));
    if (stands || !(standby.stood || repeated)) return null;
    this.standby.inboxes.delete(call.workerId);
    return this.in('leases').flatMap(({ id, run }) =>
      run?.token.endsWith(`:${standby.nonce}`) ? [{ id, token: run.token }] : [],
    );
  }

  #stand(
    { standby, ...call }: WorkCall,
    { repeated, claims, missed }: { repeated: boolean; claims: boolean; missed: boolean },
  ): boolean {
    if (standby === undefined) return false;
    const { nonce, forMs } = standby;
    const line = StandbyModel.line(call, nonce);
    if (repeated) return this.standby.standing.has(line);
    this.standby.standing.delete(line);
    const limited = this.concurrency !== null || this.rateLimit !== null;
    if (forMs === 0 || claims || missed || limited || this.paused) return false;
    const { workerId, leaseMs, types } = call;
    this.standby.standing.set(line, { workerId, nonce, leaseMs, types, until: this.clock.wall() + forMs });
    return true;
  }

  /** Of the rate limit: it begins with the first call after the one before is over. */
  #window(): { start: number; count: number } {
    const over = this.rateLimit !== null && this.clock.mono >= this.rate.start + this.rateLimit.perMs;
    return over ? { start: this.clock.mono, count: 0 } : this.rate;
  }

  #choose(candidates: readonly ModelTask[], call: WorkCall, allow: number) {
    const inOrder = candidates.filter(({ place }) => place === 'pending').sort(by(scoreOf));
    const taken: ModelTask[] = [];
    let skipped = false;
    for (const task of inOrder) {
      if (taken.length >= allow) break;
      if (task.expiresAt !== null && this.clock.wall() > task.expiresAt) continue; // the next tick fails it
      if (call.types.includes(task.type)) taken.push(task);
      else if ((this.served.get(task.type) ?? -1) >= this.clock.mono) skipped = true;
      else task.place = 'parked';
    }
    return { taken, skipped };
  }

  /** @returns where it lies now */
  #settle(settle: Settle, worker: string): ModelTask['place'] {
    const task = this.tasks.get(settle.id);
    if (!task?.run) throw new Error('judged wrongly');
    const { attempt, cancelAsked } = task.run;
    task.ended.add(settle.token);
    task.run = null;
    let kind = settle.kind;
    if (kind === 'complete') {
      this.end(task, 'completed', { kind: 'C', token: settle.token });
      this.say('completed', task, { attempts: attempt, worker });
      return task.place;
    }
    if (kind === 'fail' && attempt >= task.most) kind = 'dead';
    if (cancelAsked && kind !== 'dead') kind = 'cancelled';
    task.attempts = kind === 'release' || kind === 'snooze' ? attempt - 1 : attempt;
    this.say(TOLD[kind], task, { attempts: attempt, worker });
    const token = settle.token;
    if (kind === 'dead' && 'error' in settle) {
      const { fingerprint, name, message } = settle.error;
      this.end(task, 'failed', { kind: 'D', token, failure: { fingerprint, title: `${name}: ${message}` } });
    } else if (kind === 'cancelled') this.end(task, 'cancelled', { kind: 'X', token });
    else if (kind === 'release') {
      task.place = 'pending';
      task.history.push(`R ${settle.token}`);
    } else {
      task.history.push(`${kind === 'fail' ? 'F' : 'Z'} ${settle.token}`);
      task.place = kind === 'fail' ? 'retrying' : 'scheduled';
      task.dueAt =
        this.clock.wall() + ('retryInMs' in settle ? settle.retryInMs : 'delayMs' in settle ? settle.delayMs : 0);
    }
    return task.place;
  }

  extend(held: readonly { id: string; token: string }[], leaseMs: number): { lost: string[]; asked: string[] } {
    this.clock.advance();
    const lost: string[] = [];
    const asked: string[] = [];
    for (const { id, token } of held) {
      const run = this.tasks.get(id)?.run;
      if (run?.token !== token) lost.push(id);
      else {
        run.until = this.clock.mono + leaseMs;
        if (run.cancelAsked) asked.push(id);
      }
    }
    this.clock.allowLease(leaseMs);
    return { lost, asked };
  }

  /** @returns ids whose lease is lost */
  report(reports: readonly { id: string; token: string; percent: number; lines: number }[]): string[] {
    this.clock.advance();
    return reports.flatMap(({ id, token, percent, lines }) => {
      const task = this.tasks.get(id);
      if (task?.run?.token !== token) return [id];
      task.run.percent = percent;
      this.say('progress', task, { attempts: task.run.attempt, percent });
      task.logs += lines;
      return [];
    });
  }

  serve(types: readonly string[], ttlMs: number): number {
    this.clock.advance();
    const back = this.in('parked').filter(({ type }) => types.includes(type));
    for (const task of back) task.place = 'pending';
    if (back.length > 0) this.mustWake = true;
    for (const type of types) this.served.set(type, this.clock.mono + ttlMs);
    return back.length;
  }
}
