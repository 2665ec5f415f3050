/** Upkeep, dependants, and what happens to clocks and to Redis. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { OTHER_LAYOUT } from '#queue/redis/script';
import { depend } from '#queue/redis/scripts/depend';
import { outbox } from '#queue/redis/scripts/outbox';
import { repair } from '#queue/redis/scripts/repair';
import { tick } from '#queue/redis/scripts/tick';
import { unblock } from '#queue/redis/scripts/unblock';
import { everyCall } from './every-call';
import { command, nextDay, step, type World } from './model-command';
import { QUEUE } from './model-task';
import { EXPIRED, LOST, type QueueModel, UNMET } from './queue-model';

async function tickOnce(model: QueueModel, { run, done }: World): Promise<void> {
  const answer = await run(tick, {
    limit: 200,
    lost: { ...LOST, body: '{}' },
    expired: { ...EXPIRED, body: '{}' },
  });
  const { takenBack, ...wanted } = model.tick();
  done.expiredLeases += wanted.reaped;
  done.takenBack += takenBack;
  expect(answer).toMatchObject(wanted);
  const ready = model.paused ? 0 : model.in('pending').length;
  const full = model.concurrency !== null && model.in('leases').length >= model.concurrency;
  expect(answer.ready).toBe(full ? 0 : ready);
  // Whatever has happened, nothing of it looks like damage.
  const nothing = { removed: 0, placed: 0, leased: 0, keys: 0 };
  expect(await run(repair, { limit: 200, everyMs: 0, restMs: 0 })).toEqual(nothing);
}
export const ticks = fc.constant(command('tick', tickOnce));

/** Nobody extends: by ticks that come as often as the queue clock wants them. */
export const waits = fc.constantFrom(4, 40).map((most) =>
  command(`${most} ticks, or until no lease is left`, async (model, world) => {
    for (let n = 0; n < most && model.in('leases').length > 0; n++) {
      step(world, model.clock.cap);
      await tickOnce(model, world);
    }
  }),
);

/** As a submitter does it, and as the upkeep does it again where that one died. */
export const attachments = fc.constant(
  command('blocked tasks ask for their parents', async (model, { run }) => {
    const pairs = model
      .in('blocked')
      .flatMap(({ id, waits }) => [...waits].map((parent) => ({ parent, child: `${QUEUE}|${id}`, id })));
    if (pairs.length === 0) return;
    const verdicts = await run(depend, pairs);
    expect(verdicts).toEqual(model.depend(pairs));
    const ends = pairs.flatMap(({ parent, id }, n) => {
      const verdict = verdicts[n];
      return verdict === undefined || verdict === 'W' ? [] : [{ child: id, parent, verdict, body: '{}' }];
    });
    if (ends.length > 0) expect(await run(unblock, { fingerprint: UNMET.fingerprint, ends })).toBe(model.unblock(ends));
  }),
);

/** `dies`: it tells the dependants and does not come to take the entries off. */
export const relays = fc.record({ dies: fc.boolean(), limit: fc.constantFrom(1, 100, 100) }).map(({ dies, limit }) =>
  command(`relay ${limit}${dies ? ', and die' : ''}`, async (model, { run }) => {
    const entries = await run(outbox, { limit, told: [] });
    expect(entries.map(({ parent, completed }) => ({ parent, completed }))).toEqual(model.outbox.slice(0, limit));
    const ends = entries.flatMap(({ parent, completed, dependants }) => {
      expect(dependants.toSorted()).toEqual([...(model.tasks.get(parent)?.dependants ?? dependants)].toSorted());
      return dependants.map((dependant) => ({
        child: dependant.split('|')[1] ?? '',
        parent,
        verdict: completed ? ('C' as const) : ('X' as const),
        body: '{}',
      }));
    });
    if (ends.length > 0) expect(await run(unblock, { fingerprint: UNMET.fingerprint, ends })).toBe(model.unblock(ends));
    if (dies || entries.length === 0) return;
    // Those that were told of just now stand behind.
    const left = await run(outbox, { limit, told: entries.map(({ entry }) => entry) });
    for (const { parent } of model.outbox.splice(0, entries.length)) model.tasks.get(parent)?.dependants.clear();
    expect(left.map(({ parent }) => parent)).toEqual(model.outbox.slice(0, limit).map(({ parent }) => parent));
  }),
);

const HOUR_MS = 3_600_000;
export const clockSteps = fc
  .constantFrom(1, 1, 20, 100, 240, 300, 1000, 1000, 2600, 11_000, -5000, HOUR_MS, -HOUR_MS)
  .map((ms) => command(`clock ${ms > 0 ? '+' : ''}${ms} ms`, async (_model, world) => step(world, ms)));
export const days = fc.constant(command('a day and an hour', async (_model, world) => nextDay(world)));
export const flushes = fc.constant(
  command('SCRIPT FLUSH', async (_model, { store }) => {
    await store.command('flush the scripts', (redis) => redis.script('FLUSH'));
  }),
);
export const kills = fc.constant(
  command('kill -9 of Redis', async (_model, { server, store, done }) => {
    done.kills++;
    server.kill9();
    await server.restart();
    await store.whenReady(5000);
  }),
);

/** A store that a newer version has written is refused by every script, and left as it is. */
export const newerLayouts = fc.constant(
  command('a newer layout', async (_model, { raw, beside, store }) => {
    const meta = store.keys.meta(QUEUE);
    const schema = await beside.hget(meta, 'schema');
    await beside.hset(meta, 'schema', '2');
    for (const call of everyCall) expect(await call(raw)).toBe(OTHER_LAYOUT);
    if (schema === null) await beside.del(meta);
    else await beside.hset(meta, 'schema', schema);
  }),
);
