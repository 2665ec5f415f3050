/**
 * What a queue must be after any row of calls: the rules of docs/state-machine.md and docs/redis-layout.md, written a
 * second time and in the plainest way, with no thought of cost. Each method is one call of a script and returns what the
 * script must answer.
 */
import type { CancelOutcome, RemoveOutcome, RequeueOutcome, Settle, Verdict, WorkCall } from '#queue/redis/calls';
import type { ParentVerdict } from '#queue/redis/scripts/depend';
import type { PatchAnswer } from '#queue/redis/scripts/patch';
import type { RequeueAnswer } from '#queue/redis/scripts/requeue';
import type { SubmitEntry, SubmitVerdict } from '#queue/redis/scripts/submit';
import type { ParentEnd } from '#queue/redis/scripts/unblock';
import type { Place } from '../support/queue-snapshot';
import { ModelClock } from './model-clock';
import { by, DAY_MS, FINAL, inOrderOfEnd, type ModelTask, PATIENT_MS, scoreOf, WAITING } from './model-task';
import { inScriptOrder, judge } from './settle-verdicts';

export class QueueModel {
  readonly tasks = new Map<string, ModelTask>();
  readonly #idempotent = new Map<string, { id: string; hash: string; until: number }>();
  readonly #served = new Map<string, number>();
  readonly #lanes = new Map<string, string>();
  readonly clock: ModelClock;
  #ends = 0;
  #rate = { start: Number.NEGATIVE_INFINITY, count: 0 };
  /** Ends that dependants have to be told of, in order. */
  readonly outbox: { parent: string; completed: boolean }[] = [];
  /** The call has made something ready: a worker that waits has to hear of it. */
  mustWake = false;
  seq = 0;
  epoch = 0;
  paused = false;
  concurrency: number | null = null;
  rateLimit: { max: number; perMs: number } | null = null;

  constructor(wall: () => number) {
    this.clock = new ModelClock(wall);
  }

  in(place: Place): ModelTask[] {
    return [...this.tasks.values()].filter((task) => task.place === place);
  }

  submit(entries: readonly SubmitEntry[]): SubmitVerdict[] {
    this.clock.advance();
    return entries.map((entry) => {
      if (this.tasks.has(entry.id)) return { kind: 'same', id: entry.id };
      if (entry.idempotencyKey !== null) {
        const known = this.#idempotent.get(entry.idempotencyKey);
        if (known && this.clock.wall() <= known.until)
          return { kind: known.hash === entry.bodyHash ? 'same' : 'conflict', id: known.id };
      }
      const owner = this.#ownerOf(entry.uniqueKey);
      if (owner) return { kind: 'duplicate', id: owner.id };
      const later = entry.runAt !== null && entry.runAt > this.clock.wall();
      this.tasks.set(entry.id, {
        id: entry.id,
        type: entry.type,
        uniqueKey: entry.uniqueKey,
        idempotencyKey: entry.idempotencyKey,
        retries: entry.maxRetries,
        payload: entry.payload,
        logs: 0,
        band: 10 - entry.priority,
        seq: ++this.seq,
        expiresAt: entry.expiresAt,
        most: entry.maxRetries + 1,
        attempts: 0,
        place: entry.dependsOn.length > 0 ? 'blocked' : later ? 'scheduled' : 'pending',
        runAt: entry.runAt,
        dueAt: entry.runAt ?? 0,
        waits: new Set(entry.dependsOn),
        dependants: new Set(),
        endedAt: 0,
        endOrder: 0,
        run: null,
        ended: new Set(),
        needed: false,
      });
      if (entry.dependsOn.length === 0 && !later && !this.paused) this.mustWake = true;
      if (entry.idempotencyKey !== null)
        this.#idempotent.set(entry.idempotencyKey, {
          id: entry.id,
          hash: entry.bodyHash ?? '',
          until: this.clock.wall() + DAY_MS,
        });
      return { kind: 'accepted' };
    });
  }

  #ownerOf(uniqueKey: string | null): ModelTask | undefined {
    if (uniqueKey === null) return undefined;
    return [...this.tasks.values()].find((task) => task.uniqueKey === uniqueKey && !FINAL.includes(task.place));
  }

  work(call: WorkCall): { verdicts: Verdict[]; claimed: { id: string; token: string }[]; skipped: boolean } {
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
    for (const index of inScriptOrder(call.settles)) {
      const settle = call.settles[index];
      if (settle && verdicts[index] === 'accepted') this.#settle(settle);
    }
    for (const task of promoted) task.place = 'pending';

    const asks = call.want > 0 && !this.paused && !repeated;
    const window = this.#window();
    const allow = asks
      ? Math.min(
          call.want,
          this.concurrency === null ? call.want : this.concurrency - running + settled,
          this.rateLimit === null ? call.want : this.rateLimit.max - window.count,
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
      return { id: task.id, token: task.run.token };
    });
    if (call.want > 0 && taken.length === call.want && this.in('pending').length > 0) this.mustWake = true;
    if (this.rateLimit !== null && taken.length > 0)
      this.#rate = { start: window.start, count: window.count + taken.length };
    this.clock.allowLease(call.leaseMs);
    return {
      verdicts,
      claimed: repeated ? again.map(({ id, run }) => ({ id, token: run?.token ?? '' })) : claimed,
      skipped,
    };
  }

  /** Of the rate limit: it begins with the first call after the one before is over. */
  #window(): { start: number; count: number } {
    const over = this.rateLimit !== null && this.clock.mono >= this.#rate.start + this.rateLimit.perMs;
    return over ? { start: this.clock.mono, count: 0 } : this.#rate;
  }

  #choose(candidates: readonly ModelTask[], call: WorkCall, allow: number) {
    const inOrder = candidates.filter(({ place }) => place === 'pending').sort(by(scoreOf));
    const taken: ModelTask[] = [];
    let skipped = false;
    for (const task of inOrder) {
      if (taken.length >= allow) break;
      if (task.expiresAt !== null && this.clock.wall() > task.expiresAt) continue; // the next tick fails it
      if (call.types.includes(task.type)) taken.push(task);
      else if ((this.#served.get(task.type) ?? -1) >= this.clock.mono) skipped = true;
      else task.place = 'parked';
    }
    return { taken, skipped };
  }

  #settle(settle: Settle): void {
    const task = this.tasks.get(settle.id);
    if (!task?.run) throw new Error('judged wrongly');
    const { attempt, cancelAsked } = task.run;
    task.ended.add(settle.token);
    task.run = null;
    let kind = settle.kind;
    if (kind === 'complete') {
      this.#end(task, 'completed');
      return;
    }
    if (kind === 'fail' && attempt >= task.most) kind = 'dead';
    if (cancelAsked && kind !== 'dead') kind = 'cancelled';
    task.attempts = kind === 'release' || kind === 'snooze' ? attempt - 1 : attempt;
    if (kind === 'dead') this.#end(task, 'failed');
    else if (kind === 'cancelled') this.#end(task, 'cancelled');
    else if (kind === 'release') {
      task.place = 'pending';
      this.mustWake = true;
    } else {
      task.place = kind === 'fail' ? 'retrying' : 'scheduled';
      task.dueAt =
        this.clock.wall() + ('retryInMs' in settle ? settle.retryInMs : 'delayMs' in settle ? settle.delayMs : 0);
    }
  }

  #end(task: ModelTask, place: 'completed' | 'failed' | 'cancelled'): void {
    task.place = place;
    task.endedAt = this.clock.wall();
    task.endOrder = ++this.#ends;
    task.run = null;
    task.waits.clear();
    this.#tell(task, place === 'completed');
  }

  /** Those who asked are told by whoever reads the outbox. */
  #tell(task: ModelTask, completed: boolean): void {
    if (task.needed) this.outbox.push({ parent: task.id, completed });
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

  tick(): { reaped: number; promoted: number; expired: number } {
    this.clock.advance();
    const lost = this.in('leases')
      .filter(({ run }) => run !== null && run.until <= this.clock.mono)
      .sort(by(({ run }) => run?.until ?? 0));
    const due = [...this.in('scheduled'), ...this.in('retrying')].filter(({ dueAt }) => dueAt <= this.clock.wall());
    const expired = [...this.tasks.values()]
      .filter(({ place, expiresAt }) => WAITING.includes(place) && expiresAt !== null && expiresAt < this.clock.wall())
      .sort(by(({ expiresAt }) => expiresAt ?? 0));
    for (const task of lost) {
      const { attempt = 0, cancelAsked = false } = task.run ?? {};
      task.attempts = attempt;
      task.run = null;
      if (cancelAsked) this.#end(task, 'cancelled');
      else if (attempt >= task.most) this.#end(task, 'failed');
      else task.place = 'pending';
    }
    for (const task of expired) this.#end(task, 'failed');
    const promoted = due.filter(({ place }) => place === 'scheduled' || place === 'retrying');
    for (const task of promoted) task.place = 'pending';
    if (lost.length + promoted.length > 0) this.mustWake = true;
    return { reaped: lost.length, promoted: promoted.length, expired: expired.length };
  }

  cancel(ids: readonly string[]): CancelOutcome[] {
    this.clock.advance();
    return ids.map((id) => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (task.run !== null) {
        task.run.cancelAsked = true;
        return 'asked';
      }
      if (FINAL.includes(task.place)) return 'final';
      this.#end(task, 'cancelled');
      return 'cancelled';
    });
  }

  requeue(ids: readonly string[], priority: number | null, payload: string | null): RequeueAnswer[] {
    this.clock.advance();
    return ids.map((id): RequeueOutcome => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (task.place !== 'failed' && task.place !== 'cancelled') return 'not_final';
      if (this.#ownerOf(task.uniqueKey)) return 'duplicate';
      task.place = 'pending';
      task.seq = ++this.seq;
      task.most = task.attempts + task.retries + 1;
      if (payload !== null) task.payload = payload;
      this.mustWake = true;
      if (priority !== null) task.band = 10 - priority;
      if (task.expiresAt !== null && task.expiresAt < this.clock.wall()) task.expiresAt = null;
      return 'requeued';
    });
  }

  remove(ids: readonly string[]): RemoveOutcome[] {
    this.clock.advance();
    return ids.map((id) => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (task.run !== null) return 'running';
      if (!FINAL.includes(task.place)) this.#tell(task, false);
      this.#forget(task);
      return 'removed';
    });
  }

  #forget(task: ModelTask): void {
    this.tasks.delete(task.id);
    if (task.idempotencyKey !== null && this.#idempotent.get(task.idempotencyKey)?.id === task.id)
      this.#idempotent.delete(task.idempotencyKey);
  }

  depend(pairs: readonly { parent: string; child: string }[]): ParentVerdict[] {
    return pairs.map(({ parent, child }) => {
      const task = this.tasks.get(parent);
      if (task === undefined) return 'G';
      if (task.place === 'completed') return 'C';
      if (FINAL.includes(task.place)) return 'X';
      task.needed = true;
      task.dependants.add(child);
      return 'W';
    });
  }

  /** @returns how many left `blocked` */
  unblock(ends: readonly Pick<ParentEnd, 'child' | 'parent' | 'verdict'>[]): number {
    this.clock.advance();
    let left = 0;
    for (const { child, parent, verdict } of ends) {
      const task = this.tasks.get(child);
      if (task?.place !== 'blocked') continue;
      if (verdict === 'C') task.waits.delete(parent);
      if (verdict === 'C' && task.waits.size > 0) continue;
      left++;
      if (verdict !== 'C') this.#end(task, 'failed');
      else if (task.runAt !== null && task.runAt > this.clock.wall()) {
        task.place = 'scheduled';
        task.dueAt = task.runAt;
      } else task.place = 'pending';
      if (verdict === 'C') this.mustWake = true;
    }
    return left;
  }

  /** @param dueAt Unix ms; 0 is now, null leaves it */
  patch(id: string, priority: number, dueAt: number | null): PatchAnswer {
    const task = this.tasks.get(id);
    if (task === undefined) return 'gone';
    if (task.run !== null) return 'running';
    if (FINAL.includes(task.place)) return 'final';
    this.clock.advance();
    task.band = 10 - priority;
    if (dueAt === null) return 'patched';
    task.runAt = dueAt === 0 ? null : dueAt;
    if (task.place === 'blocked') return 'patched';
    const later = dueAt > this.clock.wall();
    if (later && (task.place === 'pending' || task.place === 'parked')) task.place = 'scheduled';
    else if (!later && (task.place === 'scheduled' || task.place === 'retrying')) {
      task.place = 'pending';
      this.mustWake = true;
    }
    if (later) task.dueAt = dueAt;
    return 'patched';
  }

  /** @returns ids whose lease is lost */
  report(reports: readonly { id: string; token: string; percent: number; lines: number }[]): string[] {
    this.clock.advance();
    return reports.flatMap(({ id, token, percent, lines }) => {
      const task = this.tasks.get(id);
      if (task?.run?.token !== token) return [id];
      task.run.percent = percent;
      task.logs += lines;
      return [];
    });
  }

  serve(types: readonly string[], ttlMs: number): number {
    this.clock.advance();
    const back = this.in('parked').filter(({ type }) => types.includes(type));
    for (const task of back) task.place = 'pending';
    if (back.length > 0) this.mustWake = true;
    for (const type of types) this.#served.set(type, this.clock.mono + ttlMs);
    return back.length;
  }

  configure(change: Partial<Pick<QueueModel, 'paused' | 'concurrency' | 'rateLimit'>>): void {
    this.clock.advance();
    Object.assign(this, change);
    if (this.in('pending').length > 0) this.mustWake = true;
  }

  /** @param most completed, failed and cancelled tasks to keep @param ageMs of the oldest; 0: any age */
  prune(most: number, ageMs: number): number {
    let removed = 0;
    for (const place of ['completed', 'failed', 'cancelled'] as const) {
      const oldest = this.in(place).sort(inOrderOfEnd);
      let over = oldest.length - most;
      for (const task of oldest) {
        if (over <= 0 && (ageMs === 0 || task.endedAt >= this.clock.wall() - ageMs)) break;
        if (task.endedAt >= this.clock.wall() - PATIENT_MS || task.idempotencyKey !== null) continue;
        this.#forget(task);
        over--;
        removed++;
      }
    }
    if (removed > 0) this.clock.advance(); // else nothing is written, the clock neither
    return removed;
  }
}
