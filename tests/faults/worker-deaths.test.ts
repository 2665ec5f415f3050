/** Workers that die and freeze, and handlers that take their process along: what is lost, and how soon it goes on. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { work } from '#queue/redis/scripts/work';
import { FaultWorld, LEASE_MS } from '../support/fault-world';
import { TestApi, waitFor } from '../support/millrace-process';
import { RedisProxy } from '../support/redis-proxy';

/** `timed`: waits for the gate, and leaves a line with the moment of each start and abort. */
const HANDLERS = {
  'timed.ts': `
import { defineHandler, z } from 'millrace';
import { appendFileSync, existsSync } from 'node:fs';
export default defineHandler({
  type: 'timed',
  payload: z.object({ gate: z.string(), log: z.string() }),
  async run({ payload, task, signal }) {
    const note = (what) => appendFileSync(payload.log, [task.id, what, Date.now(), process.pid].join(' ') + '\\n');
    note('start');
    signal.addEventListener('abort', () => note(signal.reason.name));
    while (!existsSync(payload.gate)) await new Promise((resolve) => setTimeout(resolve, 20));
    return 'by ' + process.pid;
  },
});
`,
  'deadly.ts': `
import { defineHandler, z } from 'millrace';
// Later than its process has told the pool what it runs.
const deadly = (type, end) => defineHandler({ type, payload: z.object({}), run: () => new Promise(() => setTimeout(end, 300)) });
export default [
  deadly('aborts', () => process.abort()),
  deadly('exits', () => process.exit(0)),
  deadly('leaks', () => { const kept = []; for (;;) kept.push(new Array(100_000).fill(Math.random())); }),
];
`,
};

interface Note {
  id: string;
  what: string;
  at: number;
  pid: number;
}

function notesOf(world: FaultWorld): Note[] {
  const file = join(world.dir, 'notes');
  if (!existsSync(file)) appendFileSync(file, '');
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', what = '', at, pid] = line.split(' ');
      return { id, what, at: Number(at), pid: Number(pid) };
    });
}

/** Accepted by the API, and pending or further. */
async function timed(world: FaultWorld, api: TestApi, count: number): Promise<void> {
  const payload = { gate: join(world.dir, 'gate'), log: join(world.dir, 'notes') };
  const tasks = Array.from({ length: count }, () => ({ task_type: 'timed', payload }));
  const answer = await api.call('POST', '/api/tasks/bulk', { tasks });
  for (const id of ((await answer.json()) as { ids: string[] }).ids) world.accepted.add(id);
}

/** Catalogue 1. Each by its own count from the kill of its own worker to the first line of the second run. */
it('starts every task of dead workers again within the lease and a second', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const victims = [world.worker(20), world.worker(20), world.worker(20)];
  await waitFor('three workers', async () => ((await world.stats(api)).workers === 3 ? true : null));
  await timed(world, api, 60);
  await waitFor('all to run', () => (notesOf(world).length === 60 ? true : null));
  world.worker(40);
  world.worker(40);
  world.worker(1).signal('SIGKILL'); // it may not even have come so far as to claim
  await waitFor('two more', async () => ((await world.stats(api)).workers >= 5 ? true : null));
  const killedAt = new Map<number, number>();
  for (const victim of victims) {
    killedAt.set(victim.pid, Date.now());
    victim.signal('SIGKILL');
    await victim.ended;
    // Not all at the same point of their beats.
    const since = performance.now();
    await waitFor('a part of a beat', () => (performance.now() - since > 700 ? true : null));
  }
  await waitFor('all to run again', () => (notesOf(world).length >= 120 ? true : null), LEASE_MS + 10_000);
  const first = new Map(
    notesOf(world)
      .map(({ id, pid }) => [id, pid] as const)
      .reverse(),
  );
  const late = notesOf(world)
    .filter(({ pid }) => !killedAt.has(pid))
    .map(({ id, at }) => at - (killedAt.get(first.get(id) ?? 0) ?? 0));
  expect(late).toHaveLength(60);
  process.stdout.write(
    `restart: ${JSON.stringify({ tasks: 60, least: Math.min(...late), most: Math.max(...late) })}\n`,
  );
  expect(Math.max(...late)).toBeLessThanOrEqual(LEASE_MS + 1000);
  world.open();
  await world.until(api, 'completed', 60);
  expect(notesOf(world)).toHaveLength(120);
  for (const id of world.accepted) expect((await api.task(id)).attempts).toBe(2);
  expect(await world.violations()).toEqual([]);
});

it('runs a task again whose worker died after its effect and before it could say so', async () => {
  await using world = await FaultWorld.start();
  const proxy = await RedisProxy.before(world.redis);
  const api = await world.server();
  const victim = world.worker(1, { redis: proxy });
  await world.submitMany(api, 1);
  await waitFor('the effect', () => (world.runs.length === 1 ? true : null));
  proxy.hold();
  let said = false;
  proxy.onCommand = (_, name) => {
    said ||= name === `EVALSHA ${work.sha}`.toUpperCase(); // its one slot was taken: it has nothing else to ask
    return 'pass';
  };
  world.open(); // the handler ends, and its word stays in the network
  await waitFor('the worker to say so', () => (said ? true : null));
  victim.signal('SIGKILL');
  await victim.ended;
  proxy.cut();
  world.worker();
  await world.until(api, 'completed', 1, LEASE_MS + 5000);
  const [id = ''] = world.accepted;
  expect(await api.task(id)).toMatchObject({ attempts: 2, result: 2 });
  expect(world.runs).toEqual([id, id]);
  expect(await world.violations()).toEqual([]);
  await proxy.close();
});

/** Catalogue 2. */
it('tells the handler of a frozen worker to stop when it wakes, and refuses what it says', async () => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const api = await world.server();
  const frozen = world.worker();
  await timed(world, api, 1);
  await waitFor('the task to run', () => (notesOf(world).length === 1 ? true : null));
  frozen.signal('SIGSTOP');
  const other = world.worker();
  await waitFor('it to run elsewhere', () => (notesOf(world).length === 2 ? true : null), LEASE_MS + 10_000);
  frozen.signal('SIGCONT');
  const abort = await waitFor('the signal', () => notesOf(world).find(({ what }) => what !== 'start') ?? null);
  expect(abort).toMatchObject({ what: 'LeaseLostError', pid: frozen.pid });
  world.open();
  await world.until(api, 'completed', 1);
  const [id = ''] = world.accepted;
  expect(await api.task(id)).toMatchObject({ attempts: 2, result: `by ${other.pid}` });
  expect(frozen.child.exitCode).toBeNull(); // it lives, and works on
  expect(await world.violations()).toEqual([]);
});

/** Catalogue 3 and 4. SIGKILL by itself, twice: outages.test.ts. */
it.each([
  ['abort', 'aborts', { signal: 'SIGABRT' }],
  ['exit(0)', 'exits', { code: 0 }],
  ['a leak until its memory is full', 'leaks', { signal: 'SIGABRT' }],
])('buries a task that ends its process by %s, and runs its neighbours again', async (_, type, end) => {
  await using world = await FaultWorld.start({ handlers: HANDLERS });
  const args = ['--headless', '--port', '0', '--workers', '1', '--handlers', join(world.dir, 'handlers')];
  const server = world.process(args, { env: { NODE_OPTIONS: '--max-old-space-size=150' } });
  const api = new TestApi(await server.address());
  const [pid = 0] = await api.workers(1);
  await world.submitMany(api, 3);
  await world.until(api, 'processing', 3);
  const poison = await api.submit({ task_type: type, payload: {}, max_retries: 0 });
  const dead = await api.until(poison.id, 'failed', LEASE_MS + 15_000);
  expect(dead).toMatchObject({ attempts: 1, error: { name: 'LeaseLostError' } });
  const [next = 0] = await api.workers(1);
  expect(next).not.toBe(pid);
  const exits = (await api.pools()).flatMap((pool) => pool.exits);
  expect(exits[0]).toMatchObject(end);
  expect(exits[0]?.running.map(({ id }) => id)).toContain(poison.id);
  world.open();
  await world.until(api, 'completed', 3);
  for (const id of world.accepted) expect((await api.task(id)).attempts).toBe(2);
  expect(await world.violations()).toEqual([]);
});
