/** What operators do, and retention. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import { cancel } from '#queue/redis/scripts/cancel';
import { configure } from '#queue/redis/scripts/configure';
import { patch } from '#queue/redis/scripts/patch';
import { prune } from '#queue/redis/scripts/prune';
import { remove } from '#queue/redis/scripts/remove';
import { requeue } from '#queue/redis/scripts/requeue';
import { nameKey } from '#queue/redis/scripts/submit';
import { decodeRecord, encodeSpec, recordFlags } from '#queue/redis/task-record';
import { command, pick, step, type World } from './model-command';
import { QUEUE } from './model-task';

const small = fc.nat({ max: 40 });
const byIds = fc.array(small, { minLength: 1, maxLength: 4 });
/** The same one may stand twice in a call. */
const idsOf = (world: World, nth: readonly number[]) => nth.flatMap((n) => pick(world.ids, n) ?? []);

export const cancels = byIds.map((nth) =>
  command(`cancel ${nth}`, async (model, world) => {
    const ids = idsOf(world, nth);
    const parentTypes = ['b', 'c'];
    const answers = await world.run(cancel, { ids, reason: 'x', parentTypes });
    expect(answers).toEqual(ids.length === 0 ? [] : model.cancel(ids, parentTypes));
  }),
);
export const removals = byIds.map((nth) =>
  command(`remove ${nth}`, async (model, world) => {
    const ids = idsOf(world, nth);
    expect(await world.run(remove, ids)).toEqual(ids.length === 0 ? [] : model.remove(ids));
  }),
);
export const requeues = fc
  .record({
    nth: byIds,
    priority: fc.option(fc.constantFrom(1, 10)),
    payload: fc.option(fc.constant('{"n":1}'), { freq: 2 }),
  })
  .map(({ nth, priority, payload }) =>
    command(`requeue ${nth} to ${priority}`, async (model, world) => {
      const ids = idsOf(world, nth);
      const input = { ids, payload, priority, keysChecked: true };
      expect(await world.run(requeue, input)).toEqual(ids.length === 0 ? [] : model.requeue(ids, priority, payload));
    }),
  );
export const patches = fc
  .record({
    nth: small,
    priority: fc.constantFrom(1, 5, 10),
    delay: fc.option(fc.constantFrom(0, 1000), { freq: 4 }),
    name: fc.constantFrom(null, 'Nightly', 'n2'),
    tags: fc.constantFrom<string[]>([], ['again'], ['x', 'y']),
    stale: fc.nat({ max: 9 }).map((n) => n === 0),
  })
  .map(({ nth, priority, delay, name, tags, stale }) =>
    command(`patch ${nth} to priority ${priority}, due ${delay}`, async (model, { store, run, ids }) => {
      const id = pick(ids, nth);
      if (id === undefined) return;
      const dueAt = delay === null || delay === 0 ? delay : model.clock.wall() + delay;
      const record = (await store.command('read', (redis) => redis.get(store.keys.of(QUEUE, `t:${id}`)))) ?? '';
      const old = decodeRecord(record);
      const runAt = dueAt === null ? old.runAt : dueAt === 0 ? null : dueAt;
      const keep = { maxAttempts: old.maxAttempts, flags: recordFlags(record) };
      const answer = await run(patch, {
        id,
        readHash: createHash('sha1')
          .update(stale ? 'as it was' : record)
          .digest('hex'),
        spec: record === '' ? '' : encodeSpec({ ...old, priority, runAt, name, tags }, keep),
        dueAt,
        tagsRemoved: old.tags.filter((tag) => !tags.includes(tag)).join(';'),
        tagsAdded: tags.filter((tag) => !old.tags.includes(tag)).join(';'),
        oldName: name === old.name || old.name === null ? '' : `${nameKey(old.name)}|`,
        newName: name === old.name || name === null ? '' : `${nameKey(name)}|`,
      });
      const wanted = model.patch(id, { band: 10 - priority, name, tags }, dueAt, stale);
      expect(answer).toBe(wanted);
    }),
  );

export const pauses = fc.boolean().map((paused) =>
  command(paused ? 'pause' : 'resume', async (model, { run }) => {
    expect(await run(configure, { paused: paused ? 1 : null })).toBe(true);
    model.configure({ paused });
  }),
);
export const limits = fc
  .record({
    concurrency: fc.option(fc.constantFrom(1, 3), { freq: 2 }),
    rateLimit: fc.option(fc.record({ max: fc.constantFrom(1, 4), perMs: fc.constantFrom(200, 240, 1000, 5000) }), {
      freq: 2,
    }),
    maxPending: fc.option(fc.constantFrom(0, 1, 3), { freq: 1 }),
  })
  .map((change) =>
    command(`limit ${JSON.stringify(change)}`, async (model, { run }) => {
      const { concurrency, rateLimit, maxPending } = change;
      const settings = {
        concurrency,
        rate_max: rateLimit?.max ?? null,
        rate_per: rateLimit?.perMs ?? null,
        max_pending: maxPending,
      };
      expect(await run(configure, settings)).toBe(true);
      model.configure(change);
    }),
  );
/** Order by age cannot be brought in, or changed, while something is in order. */
export const agings = fc.constant(
  command('aging', async (model, { run }) => {
    const busy = (['pending', 'parked', 'leases'] as const).some((place) => model.in(place).length > 0);
    if (busy) expect(await run(configure, { paused: null, aging: 60_000 })).toBe(false);
    else {
      expect(await run(configure, { aging: 60_000 })).toBe(true);
      expect(await run(configure, { aging: null })).toBe(true);
      model.configure({});
    }
    expect(await run(configure, { aging: null })).toBe(true);
    model.configure({});
  }),
);
/** What ended within ten seconds stays: so they pass first, mostly. */
export const prunes = fc
  .record({
    most: fc.constantFrom(0, 1, 2, 100),
    limit: fc.constantFrom(1, 2, 200, 200),
    ageMs: fc.constantFrom(0, 11_000),
    waitMs: fc.constantFrom(0, 11_000, 11_000, 11_001),
  })
  .map(({ most, limit, ageMs, waitMs }) =>
    command(`keep ${most}, for ${ageMs} ms, after ${waitMs} ms, ${limit} a call`, async (model, world) => {
      step(world, waitMs);
      const count = { completed: most, failed: most, cancelled: most };
      const age = { completed: ageMs, failed: ageMs, cancelled: ageMs };
      const removed = await world.run(prune, { limit, retention: { count, ageMs: age, bytes: 0 } });
      expect(removed).toBe(model.prune(most, ageMs, limit));
    }),
  );
