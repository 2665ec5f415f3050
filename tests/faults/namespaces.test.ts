/** Networks that fail in the kernel: a worker in a network namespace of its own, whose link drops packets or is slow. */
import { expect, it } from 'vitest';
import { FaultWorld } from '../support/fault-world';
import { waitFor } from '../support/millrace-process';
import { NetworkNamespace } from '../support/network-namespace';

const start = ({ host }: NetworkNamespace) =>
  FaultWorld.start({ redis: ['--bind', '127.0.0.1', host, '--protected-mode', 'no'] });

it('gives the task of a worker whose packets are dropped to another, and takes nothing from it when they come again', async ({
  skip,
}) => {
  await using space = await NetworkNamespace.make();
  if (space === null) return skip('no network namespaces here');
  await using world = await start(space);
  const api = await world.server();
  const { host, through } = space;
  const cutOff = world.worker(1, { redis: { host, port: world.redis.port }, through });
  const task = await api.submit({ task_type: 'gated', payload: world.payload() });
  await world.begun();
  world.worker();
  await waitFor('both to be there', async () => ((await world.stats(api)).workers === 2 ? true : null));
  space.drop();
  const dropped = performance.now();
  await waitFor('the worker to notice', () => (/Redis|leases could not/.test(cutOff.err) ? true : null), 8000);
  expect(performance.now() - dropped).toBeLessThan(5000);
  const taken = await world.startsElsewhere(api, task.id);
  world.open();
  space.heal();
  const done = await api.until(task.id, 'completed');
  expect(done).toMatchObject({ attempts: 2, worker_id: taken.worker_id });
  await waitFor('the worker to hear that its lease is lost', () =>
    /lease .*lost|lost/i.test(cutOff.err) ? true : null,
  );
  expect(await api.task(task.id)).toEqual(done);
  await waitFor('both to be there', async () => ((await world.stats(api)).workers === 2 ? true : null));
  expect(await world.violations()).toEqual([]);
});

it.for([
  { link: '50 KB/s', shape: ['tbf', 'rate', '400kbit', 'burst', '8kb', 'latency', '3s'] },
  {
    link: '50 KB/s, 300 ms ± 150 ms late, 5 % of packets lost',
    shape: 'netem delay 300ms 150ms loss 5% rate 400kbit'.split(' '),
  },
])('is slow and right on a link of $link: nothing runs twice', async ({ shape }, { skip }) => {
  await using space = await NetworkNamespace.make();
  if (space === null) return skip('no network namespaces here');
  if (!space.shape(...shape)) return skip(`this kernel has no ${shape[0]}`);
  await using world = await start(space);
  const api = await world.server();
  const { host, through } = space;
  world.worker(5, { redis: { host, port: world.redis.port }, through });
  await world.submitMany(api, 40);
  await world.until(api, 'processing', 5);
  world.open();
  await world.until(api, 'completed', 40, 60_000);
  expect(world.runs).toHaveLength(40);
  expect(await world.violations()).toEqual([]);
});
