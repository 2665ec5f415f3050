import { describe, expect, it } from 'vitest';
import { isWrite, type Role, type Route } from '#queue/contract/http';
import { routes } from '#queue/contract/http-routes';
import { LIMITS } from '#queue/contract/limits';
import { createWorld, type WorldOptions } from '../support/api-world';
import { ManualClock } from '../support/manual-clock';

const table: Record<string, Route> = routes;
const ID = '01KA9Z6Q0MB0Q3T5V7X9YABCDE';
const fill = (path: string) => path.replace('{id}', ID).replace('{queue}', 'default').replace('{name}', 'a.txt');
const readOnly = (options: WorldOptions = {}) => createWorld({ safety: 'read_only', ...options });
const as = (role: Role): WorldOptions => ({ access: { kind: 'trusted', caller: { name: 'ada', role, via: 'key' } } });
const SELECTIONS: [path: string, body: Record<string, unknown>][] = [
  ['/api/dlq/requeue', { filter: {} }],
  ['/api/dlq/purge', { filter: {}, confirm: true }],
  ['/api/operations', { action: 'cancel', filter: {} }],
];

describe('a read-only connection', () => {
  const writing = Object.entries(table).filter(([, route]) => isWrite(route) && route.whileReadOnly === undefined);

  it.each(writing)('refuses %s on every path of it, whatever is sent, and nothing happens', async (_name, route) => {
    const world = readOnly();
    for (const path of [route.path, ...(route.aliases ?? [])].flatMap((at) => [fill(at), `${fill(at)}/`])) {
      for (const body of [undefined, {}, { dry_run: 'true' }, { dry_run: false, filter: {}, confirm: true }]) {
        const { status, body: problem } = await world.call(route.method, path, body);
        expect([status, problem.code, problem.title]).toEqual([403, 'READ_ONLY', 'This connection is read-only']);
        expect(problem.detail).toContain('POST /api/session/unlock');
      }
    }
    expect([world.audit, world.commands, world.operations, world.keys]).toEqual([[], [], [], []]);
    expect((await world.call('GET', '/api/tasks')).body.total).toBe(0);
  });

  it('refuses tasks that come as lines', async () => {
    const { call } = readOnly();
    const { body } = await call('POST', '/api/tasks/bulk', '{"task_type":"email"}\n', {
      'content-type': 'application/x-ndjson',
    });
    expect(body.code).toBe('READ_ONLY');
  });

  it('covers every route that is not a GET, but for these', () => {
    const names = (of: (route: Route) => boolean) =>
      Object.entries(table)
        .filter(([, route]) => of(route))
        .map(([name]) => name)
        .sort();
    expect(names(({ whileReadOnly }) => whileReadOnly !== undefined)).toEqual(['lockSession', 'unlockSession']);
    expect(names(({ selection }) => selection !== undefined)).toEqual(['purgeDlq', 'requeueDlq', 'startOperation']);
    expect(names((route) => !isWrite(route) && route.method !== 'GET')).toEqual([]);
  });

  it.each(Object.entries(table).filter(([, route]) => !isWrite(route)))('answers %s', async (_name, route) => {
    const { body } = await readOnly().call(route.method, fill(route.path));
    expect(body?.code).not.toBe('READ_ONLY');
  });

  it.each(SELECTIONS)('answers a dry run of %s', async (path, body) => {
    const world = readOnly();
    expect((await world.call('POST', path, { ...body, dry_run: true })).body.matched).toBe(1);
    expect(world.audit).toEqual([]);
  });

  it('says to someone who may not write anyway that it is the role', async () => {
    const { call } = readOnly(as('viewer'));
    expect((await call('POST', '/api/queues/default/pause')).body.code).toBe('FORBIDDEN');
  });
});

describe('an unlock', () => {
  const unlock = { reason: 'INC-41: drain payments', minutes: 5 };

  it('lets write until its time is over, and then no more', async () => {
    const clock = new ManualClock();
    const { call, audit } = readOnly({ clock, ...as('operator') });
    const { status, body } = await call('POST', '/api/session/unlock', unlock);
    expect(status).toBe(200);
    expect(body).toEqual({
      level: 'read_only',
      unlocked_until: new Date(clock.now() + 5 * 60_000).toISOString(),
      unlocked_by: 'ada',
      locked: false,
    });
    expect(audit).toMatchObject([
      { by: 'ada', action: 'session.unlock', target: '127.0.0.1:6379', detail: '5 min: INC-41: drain payments' },
    ]);
    await clock.advance(5 * 60_000 - 1);
    expect((await call('POST', '/api/queues/default/pause')).status).toBe(200);
    await clock.advance(1);
    expect((await call('POST', '/api/queues/default/resume')).body.code).toBe('READ_ONLY');
    expect((await call('GET', '/api/session')).body.safety).toEqual({
      level: 'read_only',
      unlocked_until: null,
      unlocked_by: null,
      locked: true,
    });
  });

  it('is not made longer by a clock that is set back, nor by a machine that slept', async () => {
    const set = { backMs: 0, sleptMs: 0 };
    class MovedClock extends ManualClock {
      override now = () => super.now() - set.backMs + set.sleptMs;
    }
    for (const move of [{ backMs: 3_600_000 }, { sleptMs: 3_600_000 }]) {
      Object.assign(set, { backMs: 0, sleptMs: 0 });
      const clock = new MovedClock();
      const { call } = readOnly({ clock });
      await call('POST', '/api/session/unlock', unlock);
      Object.assign(set, move);
      if (set.backMs > 0) await clock.advance(5 * 60_000);
      expect((await call('POST', '/api/queues/default/pause')).body.code).toBe('READ_ONLY');
    }
  });

  it('ends with a lock, which is audited once', async () => {
    const { call, audit } = readOnly();
    await call('POST', '/api/session/unlock', unlock);
    expect((await call('POST', '/api/session/lock')).body.locked).toBe(true);
    expect((await call('POST', '/api/session/lock')).status).toBe(200);
    expect(audit.map(({ action }) => action)).toEqual(['session.lock', 'session.unlock']);
    expect((await call('POST', '/api/queues/default/pause')).body.code).toBe('READ_ONLY');
  });

  it('takes 15 minutes where none are said, and counts anew when it is asked for again', async () => {
    const clock = new ManualClock();
    const { call } = readOnly({ clock });
    await call('POST', '/api/session/unlock', unlock);
    await clock.advance(60_000);
    const { body } = await call('POST', '/api/session/unlock', { reason: 'again' });
    expect(body.unlocked_until).toBe(new Date(clock.now() + 15 * 60_000).toISOString());
  });

  it('does not happen where the audit cannot be written', async () => {
    const { call } = readOnly({ audit: { append: () => Promise.reject(new Error('no room')) } });
    expect((await call('POST', '/api/session/unlock', unlock)).status).toBe(500);
    expect((await call('POST', '/api/queues/default/pause')).body.code).toBe('READ_ONLY');
  });

  it.each<[unknown, string]>([
    [{}, 'reason'],
    [{ reason: 'no' }, 'reason'],
    [{ reason: '   no   ' }, 'reason'],
    [{ reason: 'x'.repeat(LIMITS.reasonLength + 1) }, 'reason'],
    [{ reason: 'because', minutes: 0 }, 'minutes'],
    [{ reason: 'because', minutes: LIMITS.unlockMinutes + 1 }, 'minutes'],
    [{ reason: 'because', minutes: 1.5 }, 'minutes'],
  ])('is refused for %j, naming %s', async (body, path) => {
    const world = readOnly();
    const answer = await world.call('POST', '/api/session/unlock', body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
    expect(world.audit).toEqual([]);
  });

  it('is taken at the bounds', async () => {
    const { call } = readOnly();
    for (const body of [
      { reason: 'yes', minutes: 1 },
      { reason: 'x'.repeat(LIMITS.reasonLength), minutes: LIMITS.unlockMinutes },
    ])
      expect((await call('POST', '/api/session/unlock', body)).status).toBe(200);
  });

  it('needs the role operator', async () => {
    const { call } = readOnly(as('viewer'));
    for (const verb of ['unlock', 'lock'])
      expect((await call('POST', `/api/session/${verb}`, verb === 'unlock' ? unlock : undefined)).body.code).toBe(
        'FORBIDDEN',
      );
  });

  it.each(['open', 'confirm', 'guarded'] as const)('has no sense where the level is %s', async (safety) => {
    const { call, audit } = createWorld({ safety });
    expect((await call('POST', '/api/session/unlock', unlock)).status).toBe(409);
    expect((await call('POST', '/api/session/lock')).status).toBe(409);
    expect(audit).toEqual([]);
  });
});

describe('a guarded connection', () => {
  it.each(SELECTIONS)('wants to know how many for %s', async (path, body) => {
    const { call, operations } = createWorld({ safety: 'guarded' });
    const refused = await call('POST', path, body);
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, 'expected_count']);
    expect(operations).toEqual([]);
    expect((await call('POST', path, { ...body, dry_run: true })).status).toBe(200);
    expect((await call('POST', path, { ...body, expected_count: 1 })).status).toBe(202);
  });

  it('is what a read-only one is while it is unlocked', async () => {
    const { call } = readOnly();
    await call('POST', '/api/session/unlock', { reason: 'because' });
    expect((await call('POST', '/api/dlq/requeue', { filter: {} })).body.errors[0].path).toBe('expected_count');
    expect((await call('POST', '/api/dlq/requeue', { filter: {}, expected_count: 1 })).status).toBe(202);
  });

  it('lets everything else through, as open and confirm do', async () => {
    for (const safety of ['open', 'confirm', 'guarded'] as const) {
      const { call } = createWorld({ safety });
      expect((await call('POST', '/api/queues/default/pause')).status).toBe(200);
      expect((await call('POST', '/api/tasks', { task_type: 'email' })).status).toBe(201);
      if (safety !== 'guarded') expect((await call('POST', '/api/dlq/requeue', { filter: {} })).status).toBe(202);
    }
  });
});
