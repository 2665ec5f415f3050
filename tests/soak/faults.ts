/** Each fault: what it breaks it mends. It counts when it resolves, so it does not before something was really broken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, waitFor } from '../support/millrace-process';
import type { Patient, Victim } from './patient';
import type { Seeded } from './seeded';
import type { Appointment, FaultName } from './timetable';

/** Longer than a lease, so that another one takes over. */
const FREEZE_MS = 12_000;
/** A worker that was told to stop gives its tasks 25 s. */
const VICTIM_MS = 120_000;
const ASK_MS = 30_000;
const REDIS_MS = 60_000;
/** Within this time of Redis' return everyone has a connection again. */
const BACK_MS = 2000;

export class Faults {
  readonly done: Partial<Record<FaultName, number>> = {};
  /** What could not be done, in words. */
  readonly failed: string[] = [];
  readonly kills: { pid: number; at: number }[] = [];
  /** When Redis was away for somebody: `[from, to]`, Unix ms. */
  readonly outages: [number, number][] = [];
  /** Processes that a fault has in its hands, or has ended. */
  readonly touched = new Set<number>();
  readonly #patient: Patient;
  readonly #seeded: Seeded;
  /** One thing at a time is done to Redis, and one to the network. */
  readonly #turns = { redis: Promise.resolve(), network: Promise.resolve() };

  constructor(patient: Patient, seeded: Seeded) {
    this.#patient = patient;
    this.#seeded = seeded;
  }

  /** All of them, each at its time or as soon after as its turn comes. */
  async keep(appointments: readonly Appointment[]): Promise<void> {
    const since = performance.now();
    const underWay = new Set<Promise<void>>();
    for (const { atMs, name } of appointments) {
      const left = since + atMs - performance.now();
      if (left > 0) await sleep(left);
      const going = this.#happen(name).finally(() => underWay.delete(going));
      underWay.add(going);
    }
    await Promise.all(underWay);
  }

  async #happen(name: FaultName): Promise<void> {
    try {
      await this.#doings[name]();
      this.done[name] = (this.done[name] ?? 0) + 1;
    } catch (error) {
      this.failed.push(`${name}: ${error}`);
    }
  }

  readonly #doings: Record<FaultName, () => Promise<void>> = {
    'worker killed': () => this.#end('SIGKILL', () => this.#patient.workers),
    'worker told to stop': () => this.#end('SIGTERM', () => this.#patient.workers),
    'server killed': async () => {
      const victim = this.#seeded.one(this.#patient.servers);
      if (victim === undefined) throw new Error('there is none');
      victim.signal('SIGKILL');
      await victim.ended;
    },
    'worker frozen': async () => {
      const { workers, steadyWorker } = this.#patient;
      const victim = await this.#victim(() => [...workers, steadyWorker]);
      victim.signal('SIGSTOP');
      await sleep(FREEZE_MS);
      if (!isAlive(victim.pid)) throw new Error('it died meanwhile');
      victim.signal('SIGCONT');
      this.touched.delete(victim.pid);
    },
    'Redis killed': () =>
      this.#outage('redis', async () => {
        this.#patient.redis.kill9();
        await sleep(this.#seeded.between(0, 3000));
        await waitFor('Redis to be back', () => this.#patient.redis.restart().then(() => true), REDIS_MS);
      }),
    'Redis frozen': () =>
      this.#outage('redis', async () => {
        const { pid } = this.#patient.redis;
        process.kill(pid, 'SIGSTOP');
        await sleep(this.#seeded.between(500, 4000));
        process.kill(pid, 'SIGCONT');
      }),
    'clients killed': () => this.#ask('CLIENT', 'KILL', 'TYPE', 'normal'),
    'scripts flushed': () => this.#ask('SCRIPT', 'FLUSH'),
    'network cut': () => this.#outage('network', () => this.#cut()),
    'network swallows all': () =>
      this.#outage('network', async () => {
        this.#patient.proxy.hold();
        await sleep(this.#seeded.between(500, 5000));
        this.#patient.proxy.heal();
      }),
  };

  async #end(signal: NodeJS.Signals, from: () => readonly Victim[]): Promise<void> {
    const victim = await this.#victim(from);
    victim.signal(signal);
    if (signal === 'SIGKILL') this.kills.push({ pid: victim.pid, at: Date.now() });
    await victim.ended;
  }

  /** A worker that has run something and that no other fault has in its hands: else nothing would be broken. */
  #victim(from: () => readonly Victim[]): Promise<Victim> {
    const take = () => {
      const { lastBegin } = this.#patient.executions.refresh();
      const able = from().filter(({ pid }) => lastBegin.has(pid) && !this.touched.has(pid) && isAlive(pid));
      const victim = this.#seeded.one(able);
      if (victim === undefined) return null;
      this.touched.add(victim.pid);
      return victim;
    };
    return waitFor('a worker that runs', take, VICTIM_MS);
  }

  async #cut(): Promise<void> {
    const { proxy } = this.#patient;
    await waitFor('connections to cut', () => (proxy.connections > 0 ? true : null), ASK_MS);
    proxy.cut();
  }

  /** Redis is there while it is asked: nobody else has his turn. */
  #ask(...words: [string, ...string[]]): Promise<void> {
    return this.#inTurn('redis', async () => {
      await waitFor(words.join(' '), async () => ((await this.#patient.ask(...words)) === null ? null : true), ASK_MS);
    });
  }

  #outage(whose: 'redis' | 'network', act: () => Promise<void>): Promise<void> {
    return this.#inTurn(whose, async () => {
      const from = Date.now();
      await act();
      this.outages.push([from, Date.now() + BACK_MS]);
    });
  }

  #inTurn(whose: 'redis' | 'network', act: () => Promise<void>): Promise<void> {
    const done = this.#turns[whose].then(act);
    this.#turns[whose] = done.catch(() => undefined);
    return done;
  }
}
