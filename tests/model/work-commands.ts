/** Workers claim, settle, extend and report, with any token there has ever been: so zombies, repeats and late answers come about. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Settle, WorkCall } from '#queue/redis/calls';
import { extend } from '#queue/redis/scripts/extend';
import { report } from '#queue/redis/scripts/report';
import { serve } from '#queue/redis/scripts/serve';
import { handedEntry, work } from '#queue/redis/scripts/work';
import { failure } from '../support/engine';
import { command, pick } from './model-command';
import { QUEUE } from './model-task';

const small = fc.nat({ max: 40 });
const leaseMs = fc.constantFrom(1000, 4000, 10_000);
const delayMs = fc.constantFrom(0, 5, 1000, 60_000);

type End = Settle['kind'];
const endWithin = (reach: number) =>
  fc.record({
    nth: fc.nat({ max: reach }),
    kind: fc.constantFrom<End>('complete', 'complete', 'fail', 'fail', 'dead', 'cancelled', 'release', 'snooze'),
    delay: delayMs,
    foreign: fc.nat({ max: 12 }).map((n) => n === 0),
  });

function settleOf({ kind, delay }: { kind: End; delay: number }, lease: { id: string; token: string }): Settle {
  if (kind === 'complete') return { ...lease, kind, result: '1' };
  if (kind === 'fail') return { ...lease, kind, retryInMs: delay, error: failure() };
  if (kind === 'dead') return { ...lease, kind, error: failure('gone', 'Error', '00000bad') };
  if (kind === 'snooze') return { ...lease, kind, delayMs: delay };
  if (kind === 'cancelled') return { ...lease, kind, reason: 'asked' };
  return { ...lease, kind };
}

const byId = (list: readonly { id: string; token: string }[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));

const standbys = fc.record({
  forMs: fc.constantFrom(0, 2500, 2500, 2500, 10_000, 20_000),
  stood: fc.boolean(),
});

/** @param reach settles are of so many of the newest tokens @param idle such as workers make that claim all there is */
const worksWithin = (reach: number, { idle = false } = {}) =>
  fc
    .record({
      worker: fc.constantFrom('w1', 'w2'),
      lane: fc.constantFrom('0', '1'),
      want: idle ? fc.constant(12) : fc.constantFrom(0, 1, 1, 3, 12),
      ahead: fc.constantFrom(0, 0, 1, 2),
      types: fc.constantFrom(['a', 'b'], ['a', 'b'], ['a'], ['b']),
      ends: fc.array(endWithin(reach), { maxLength: 2 }),
      standby: idle ? standbys : fc.option(standbys, { freq: 2 }),
      leaseMs,
      repeat: fc.nat({ max: 3 }).map((n) => n === 0),
    })
    .map((drawnCall) =>
      command(`work ${JSON.stringify(drawnCall)}`, async (model, world) => {
        const { worker, lane, want, ahead, types, ends, standby, repeat } = drawnCall;
        const name = `${worker}:${lane}`;
        const last = world.lanes.get(name);
        const settles = ends.flatMap((one) => {
          const lease = pick(world.tokens, one.nth);
          if (lease === undefined) return [];
          return [settleOf(one, one.foreign ? { id: lease.id, token: 'never:given' } : lease)];
        });
        const call: WorkCall =
          repeat && last !== undefined
            ? last
            : {
                queue: QUEUE,
                workerId: worker,
                lane,
                nonce: `n${++world.nonces}`,
                settles,
                want,
                ahead: Math.min(ahead, want),
                leaseMs: drawnCall.leaseMs,
                types,
                ...(standby !== null && { standby: { ...standby, nonce: `${worker}.h` } }),
              };
        world.lanes.set(name, call);
        const answer = await world.run(work, call);
        const wanted = model.work(call);
        expect(answer.verdicts).toEqual(wanted.verdicts);
        const claimed = answer.claimed.map(({ id, token }) => ({ id, token }));
        const inAnyOrder = (list: typeof claimed) => (call === last ? byId(list) : list);
        expect(inAnyOrder(claimed)).toEqual(inAnyOrder(wanted.claimed));
        expect(answer.skipped).toBe(wanted.skipped);
        expect(answer.standsBy).toBe(wanted.standsBy);
        const handed = answer.handed.map(({ id, token }) => ({ id, token }));
        expect(byId(handed)).toEqual(byId(wanted.handed));
        world.tokens.push(...claimed.filter(({ token }) => !world.tokens.some((known) => known.token === token)));
      }),
    );

export const works = worksWithin(40);
export const worksOfNewest = worksWithin(3);
export const worksOfIdle = worksWithin(3, { idle: true });

export const extensions = fc.record({ nth: fc.array(small, { minLength: 1, maxLength: 4 }), leaseMs }).map((input) =>
  command(`extend ${JSON.stringify(input)}`, async (model, world) => {
    const held = input.nth.flatMap((n) => pick(world.tokens, n) ?? []);
    const { lost, cancelRequested } = await world.run(extend, { leaseMs: input.leaseMs, held });
    expect({ lost, asked: cancelRequested }).toEqual(model.extend(held, input.leaseMs));
  }),
);

const reports = fc.array(fc.record({ nth: small, percent: fc.nat({ max: 100 }), lines: fc.nat({ max: 2 }) }), {
  minLength: 1,
  maxLength: 3,
});
export const tellings = reports.map((drawnReports) =>
  command(`report ${JSON.stringify(drawnReports)}`, async (model, { run, tokens }) => {
    const told = new Map(drawnReports.map(({ nth, ...said }) => [pick(tokens, nth), said]));
    const each = [...told].flatMap(([lease, said]) => (lease === undefined ? [] : [{ ...lease, ...said }]));
    const lines = each.map(({ id, token, percent, lines: count }) => ({
      id,
      token,
      progress: { percent, message: null },
      logs: Array.from({ length: count }, () => ({ at: 0, level: 'info' as const, message: 'm', attempt: 1 })),
    }));
    expect(await run(report, lines)).toEqual(model.report(each));
  }),
);

export const serves = fc
  .record({ types: fc.constantFrom(['a'], ['b'], ['a', 'b']), ttlMs: fc.constantFrom(100, 15_000) })
  .map(({ types, ttlMs }) =>
    command(`serve ${types} for ${ttlMs} ms`, async (model, { run }) => {
      expect(await run(serve, { ttlMs, limit: 100, types })).toBe(model.serve(types, ttlMs));
    }),
  );

export const fetches = fc.constantFrom('w1', 'w2').map((worker) =>
  command(`${worker} fetches what was handed to it`, async (model, { store }) => {
    const entry = await store.command('fetch', (redis) => redis.lpop(store.keys.handed(QUEUE, worker)));
    const wanted = model.standby.fetch(worker, model.clock.wall());
    expect(entry === null ? null : handedEntry(entry)).toEqual(
      wanted && expect.objectContaining({ ...wanted, record: expect.stringContaining('{') }),
    );
  }),
);
