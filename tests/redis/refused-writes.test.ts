/** A Redis that takes no writes, since it has too few replicas or its disk is full, can still be read. */
import { expect, it } from 'vitest';
import { workerBeat } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile();

const needReplicas = (count: string) =>
  connected.store.command('need replicas', (redis) => redis.call('CONFIG', 'SET', 'min-replicas-to-write', count));

it('still tells which workers there are, also when some have been silent for too long', async () => {
  for (const id of ['lives', 'silent']) await connected.directory.beat(workerBeat(id, ['noop']));
  await connected.store.command('silence', (redis) => redis.del(connected.store.keys.system('worker:silent')));
  await needReplicas('1');
  const asked = performance.now();
  expect((await connected.directory.list()).map(({ id }) => id)).toEqual(['lives']);
  expect(performance.now() - asked).toBeLessThan(1000); // what cannot be tidied up is not waited for
  await needReplicas('0');
  await connected.directory.list();
  const known = await connected.store.command('known', (redis) =>
    redis.smembers(connected.store.keys.system('workers')),
  );
  expect(known).toEqual(['lives']);
});
