/** One made-up call: made of the real scripts and of the model, and then the whole store is held against the model. */
import type fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { WorkCall } from '#queue/redis/calls';
import type { Script } from '#queue/redis/script';
import type { RedisStore } from '#queue/redis/store';
import type { RedisServer } from '../support/redis-server';
import type { ShiftedClock } from '../support/shifted-clock';
import { compare } from './compare';
import { QUEUE } from './model-task';
import type { QueueModel } from './queue-model';

export interface World {
  store: RedisStore;
  /** Runs a script on the queue; mutation tests hand in others than the real ones. */
  run: <Input, Output>(script: Script<Input, Output>, input: Input) => Promise<Output>;
  /** The same past the gate of layouts, which would close with the first refusal. @returns the reply as it comes */
  raw: <Input, Output>(script: Script<Input, Output>, input: Input) => Promise<unknown>;
  /** Looks at Redis from beside. */
  beside: Redis;
  server: RedisServer;
  clock: ShiftedClock;
  /** The clock stays between them. */
  floorMs: number;
  ceilingMs: number;
  /** Where the clock has been at most. */
  latestMs: number;
  /** Every token there has been, the newest last. */
  tokens: { id: string; token: string }[];
  ids: string[];
  /** The call that each lane made last. */
  lanes: Map<string, WorkCall>;
  nonces: number;
  /** Something lies there for a worker that blocks. */
  awake: boolean;
  /** Entries of the stream that have been seen. */
  events: number;
  done: Done;
}

/** What a test has tried. */
export interface Done {
  calls: number;
  kills: number;
  clockSteps: number;
  expiredLeases: number;
  /** Tasks that a submit handed to a worker that stood by. */
  handed: number;
  /** Those of them that were not fetched. */
  takenBack: number;
}

export type QueueCommand = fc.AsyncCommand<QueueModel, World>;

/** Draws from a list by any number; the newest are likelier. */
export const pick = <T>(from: readonly T[], n: number): T | undefined =>
  from[from.length - 1 - (n % Math.max(1, from.length))];

/** Redis removes what has lapsed when it comes by: here at once, or a clock that goes back would find it again, or not. */
async function lapse(model: QueueModel, store: RedisStore): Promise<void> {
  for (const workerId of model.standby.lapse(model.clock.wall()))
    await store.command('lapse', (redis) => redis.del(store.keys.handed(QUEUE, workerId)));
}

export function command(name: string, run: (model: QueueModel, world: World) => Promise<void>): QueueCommand {
  return {
    check: () => true,
    run: async (model, world) => {
      world.done.calls++;
      model.mustWake = false;
      model.mayWake = false;
      model.told = [];
      if (world.awake)
        await world.store.command('as a worker that was woken', (redis) => redis.del(world.store.keys.wake(QUEUE)));
      await run(model, world);
      await lapse(model, world.store);
      const { awake, events } = await compare(model, world.store, world.events);
      Object.assign(world, { awake, events });
    },
    toString: () => name,
  };
}

/** Tasks with a key are kept for a day: but for `nextDay`, the clock stays within one. */
export const CLOCK_ROOM_MS = 18 * 3_600_000;

/** Moves the clock. */
export function step(world: World, ms: number): void {
  const next = world.clock.nowMs + ms;
  if (next <= world.floorMs || next >= world.ceilingMs) return;
  world.done.clockSteps++;
  world.latestMs = Math.max(world.latestMs, next);
  world.clock.stand(next);
}

/** All idempotency keys lapse, and the clock does not come back to where they held. */
export function nextDay(world: World): void {
  const next = world.latestMs + 25 * 3_600_000;
  world.floorMs = next;
  world.ceilingMs = next + CLOCK_ROOM_MS;
  world.latestMs = next;
  world.clock.stand(next);
}
