/**
 * What a queue must be after any row of calls: the rules of docs/state-machine.md and docs/redis-layout.md, written a
 * second time and in the plainest way, with no thought of cost. Each method is one call of a script and returns what the
 * script must answer.
 */
import type { CancelOutcome, RemoveOutcome, RequeueOutcome } from '#queue/redis/calls';
import type { ParentVerdict } from '#queue/redis/scripts/depend';
import type { PatchAnswer } from '#queue/redis/scripts/patch';
import type { RequeueAnswer } from '#queue/redis/scripts/requeue';
import type { SubmitEntry, SubmitVerdict } from '#queue/redis/scripts/submit';
import type { ParentEnd } from '#queue/redis/scripts/unblock';
import { by, DAY_MS, FINAL, inOrderOfEnd, type ModelTask, PATIENT_MS, scoreOf, WAITING } from './model-task';
import { WorkerModel } from './worker-model';

export const LOST = { fingerprint: '1ea5e105', title: 'LeaseLostError' };
export const EXPIRED = { fingerprint: 'e8b17ed0', title: 'ExpiredError' };
export const UNMET = { fingerprint: 'de9e4de4', title: 'DependencyError' };

export class QueueModel extends WorkerModel {
  submit(entries: readonly SubmitEntry[]): SubmitVerdict[] {
    this.clock.advance();
    const ahead = this.in('pending').length;
    const pendingBefore = ahead + this.in('parked').length;
    const due = [...this.in('scheduled'), ...this.in('retrying')].some(({ dueAt }) => dueAt <= this.clock.wall());
    let ready = 0;
    const isNew = new Set<ModelTask>();
    const verdicts = entries.map((entry): SubmitVerdict => {
      if (this.tasks.has(entry.id)) return { kind: 'same', id: entry.id };
      if (entry.idempotencyKey !== null) {
        const known = this.idempotent.get(entry.idempotencyKey);
        if (known && this.clock.wall() <= known.until)
          return { kind: known.hash === entry.bodyHash ? 'same' : 'conflict', id: known.id };
      }
      const owner = this.ownerOf(entry.uniqueKey);
      if (owner) return { kind: 'duplicate', id: owner.id };
      if (this.maxPending !== null && pendingBefore + ready >= this.maxPending) return { kind: 'full' };
      const later = entry.runAt !== null && entry.runAt > this.clock.wall();
      const task: ModelTask = {
        id: entry.id,
        type: entry.type,
        uniqueKey: entry.uniqueKey,
        idempotencyKey: entry.idempotencyKey,
        retries: entry.maxRetries,
        payload: entry.payload,
        name: entry.name,
        tags: entry.tags,
        createdAt: this.clock.wall(),
        history: [],
        fingerprint: '',
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
      };
      this.tasks.set(entry.id, task);
      this.say('created', task, { attempts: 0 });
      if (task.place === 'pending') {
        ready++;
        isNew.add(task);
      }
      if (task.place === 'scheduled') this.mayWake = true;
      if (entry.idempotencyKey !== null)
        this.idempotent.set(entry.idempotencyKey, {
          id: entry.id,
          hash: entry.bodyHash ?? '',
          until: this.clock.wall() + DAY_MS,
        });
      return { kind: 'accepted' };
    });
    if (ahead === 0 && !due && this.#handOver(isNew)) ready--;
    if (ready > 0 && !this.paused) this.mustWake = true;
    return verdicts;
  }

  /** The most urgent of these goes to the worker that stands by. @returns whether it does */
  #handOver(tasks: ReadonlySet<ModelTask>): boolean {
    if (this.paused || this.concurrency !== null || this.rateLimit !== null) return false;
    const [line, stander] = this.standby.last(this.clock.wall()) ?? [];
    if (line === undefined || stander === undefined) return false;
    const [first] = [...tasks].filter(({ type }) => stander.types.includes(type)).sort(by(scoreOf));
    if (first === undefined || first.expiresAt !== null) return false;
    const { workerId, nonce, leaseMs } = stander;
    first.place = 'leases';
    first.run = {
      token: `${++this.epoch}:${nonce}`,
      workerId,
      until: this.clock.mono + leaseMs,
      attempt: 1,
      cancelAsked: false,
      percent: null,
    };
    this.say('started', first, { attempts: 1, worker: workerId });
    const { mono } = this.clock;
    this.standby.handOver(line, { id: first.id, token: first.run.token }, { wall: this.clock.wall(), mono });
    this.handed.push({ id: first.id, token: first.run.token });
    return true;
  }

  tick(): { reaped: number; promoted: number; expired: number; takenBack: number } {
    this.clock.advance();
    const lost = this.in('leases')
      .filter(({ run }) => run !== null && run.until <= this.clock.mono)
      .sort(by(({ run }) => run?.until ?? 0));
    const due = [...this.in('scheduled'), ...this.in('retrying')].filter(({ dueAt }) => dueAt <= this.clock.wall());
    const expired = [...this.tasks.values()]
      .filter(({ place, expiresAt }) => WAITING.includes(place) && expiresAt !== null && expiresAt < this.clock.wall())
      .sort(by(({ expiresAt }) => expiresAt ?? 0));
    const unheard = new Set(
      this.standby.notFetched({ wall: this.clock.wall(), mono: this.clock.mono }).flatMap(({ id, token }) => {
        const task = this.tasks.get(id);
        return task?.run?.token === token ? [task] : [];
      }),
    );
    const reaped = lost.filter((task) => !unheard.has(task));
    for (const task of new Set([...lost, ...unheard])) {
      if (unheard.has(task)) this.#takeBack(task);
      else this.#reap(task);
    }
    for (const task of expired) {
      this.end(task, 'failed', { kind: 'E', failure: EXPIRED });
      this.say('expired', task, task);
    }
    const promoted = due.filter(({ place }) => place === 'scheduled' || place === 'retrying');
    for (const task of promoted) {
      task.place = 'pending';
      this.say('promoted', task, {});
    }
    if (lost.length + unheard.size + promoted.length > 0) this.mustWake = true;
    return { reaped: reaped.length, promoted: promoted.length, expired: expired.length, takenBack: unheard.size };
  }

  /** Its lease has run out. */
  #reap(task: ModelTask): void {
    const { attempt = 0, cancelAsked = false } = task.run ?? {};
    const token = `!${task.run?.token}`;
    task.attempts = attempt;
    task.run = null;
    if (cancelAsked) this.end(task, 'cancelled', { kind: 'X', token });
    else if (attempt >= task.most) this.end(task, 'failed', { kind: 'D', token, failure: LOST });
    else {
      task.place = 'pending';
      task.history.push(`L ${token}`);
    }
    this.say(cancelAsked ? 'cancelled' : task.place === 'failed' ? 'failed' : 'lease_lost', task, {
      attempts: attempt,
    });
  }

  /** The worker to which it was handed has not fetched it. */
  #takeBack(task: ModelTask): void {
    const { attempt = 1, cancelAsked = false, token } = task.run ?? {};
    task.run = null;
    task.attempts = attempt - 1;
    if (cancelAsked) this.end(task, 'cancelled', { kind: 'X', token: `!${token}` });
    else {
      task.place = 'pending';
      task.history.push(`R !${token}`);
    }
    this.say(cancelAsked ? 'cancelled' : 'released', task, { attempts: attempt });
  }

  cancel(ids: readonly string[], parentTypes: readonly string[]): { outcome: CancelOutcome; hasChildren: boolean }[] {
    this.clock.advance();
    return ids.map((id) => {
      const task = this.tasks.get(id);
      if (task === undefined) return { outcome: 'gone', hasChildren: false };
      const isParent = parentTypes.includes(task.type);
      if (task.run !== null) {
        task.run.cancelAsked = true;
        return { outcome: 'asked', hasChildren: isParent };
      }
      if (FINAL.includes(task.place)) return { outcome: 'final', hasChildren: false };
      const hasChildren = isParent && task.history.length > 0;
      this.end(task, 'cancelled', { kind: 'X' });
      this.say('cancelled', task, task);
      return { outcome: 'cancelled', hasChildren };
    });
  }

  requeue(ids: readonly string[], priority: number | null, payload: string | null): RequeueAnswer[] {
    this.clock.advance();
    return ids.map((id): RequeueOutcome => {
      const task = this.tasks.get(id);
      if (task === undefined) return 'gone';
      if (task.place !== 'failed' && task.place !== 'cancelled') return 'not_final';
      if (this.ownerOf(task.uniqueKey)) return 'duplicate';
      this.exhume(task);
      task.place = 'pending';
      task.seq = ++this.seq;
      task.most = task.attempts + task.retries + 1;
      if (payload !== null) task.payload = payload;
      this.mustWake = true;
      task.history.push('Q ');
      this.say('requeued', task, task);
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
      if (!FINAL.includes(task.place)) this.tell(task, false);
      this.say('removed', task, task);
      this.forget(task);
      return 'removed';
    });
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
      if (verdict !== 'C') {
        this.end(task, 'failed', { kind: 'D', failure: UNMET });
        this.say('failed', task, { attempts: 0 });
      } else if (task.runAt !== null && task.runAt > this.clock.wall()) {
        task.place = 'scheduled';
        task.dueAt = task.runAt;
      } else task.place = 'pending';
      if (verdict === 'C') {
        this.mustWake = true;
        this.say('unblocked', task, {});
      }
    }
    return left;
  }

  /** @param dueAt Unix ms; 0 is now, null leaves it */
  patch(
    id: string,
    change: Pick<ModelTask, 'band' | 'name' | 'tags'>,
    dueAt: number | null,
    stale: boolean,
  ): PatchAnswer {
    const task = this.tasks.get(id);
    if (task === undefined) return 'gone';
    if (task.run !== null) return 'running';
    if (FINAL.includes(task.place)) return 'final';
    if (stale) return 'stale';
    this.clock.advance();
    Object.assign(task, change);
    this.say('updated', task, task);
    if (dueAt === null) return 'patched';
    task.runAt = dueAt === 0 ? null : dueAt;
    if (task.place === 'blocked') return 'patched';
    const later = dueAt > this.clock.wall();
    this.mayWake = later;
    if (later && (task.place === 'pending' || task.place === 'parked')) task.place = 'scheduled';
    else if (!later && (task.place === 'scheduled' || task.place === 'retrying')) {
      task.place = 'pending';
      this.mustWake = true;
    }
    if (later) task.dueAt = dueAt;
    return 'patched';
  }

  configure(change: Partial<Pick<QueueModel, 'paused' | 'concurrency' | 'rateLimit' | 'maxPending'>>): void {
    this.clock.advance();
    Object.assign(this, change);
    if (this.in('pending').length > 0) this.mustWake = true;
  }

  /** @param most completed, failed and cancelled tasks to keep @param ageMs of the oldest to keep; with 0, age does not count @param limit of a call */
  prune(most: number, ageMs: number, limit: number): number {
    const plan: ModelTask[] = [];
    const wall = this.clock.wall();
    for (const place of ['completed', 'failed', 'cancelled'] as const) {
      const all = this.in(place).sort(inOrderOfEnd);
      let over = all.length - most;
      for (const task of all.slice(0, limit)) {
        if (plan.length >= limit || (over <= 0 && (ageMs === 0 || task.endedAt >= wall - ageMs))) break;
        if (task.endedAt >= wall - PATIENT_MS) continue;
        if (task.idempotencyKey !== null && task.createdAt >= wall - DAY_MS) continue;
        plan.push(task);
        over--;
      }
    }
    if (plan.length > 0) this.clock.advance(); // else nothing is written, the clock neither
    for (const task of plan) {
      this.say('removed', task, task);
      this.forget(task);
    }
    return plan.length;
  }
}
