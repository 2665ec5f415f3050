import { expect, it } from 'vitest';
import { Gauges } from '#main/server/stream-gauges';
import { createLog } from '#queue/kernel/log';
import { ManualClock } from '../support/manual-clock';
import { queueOf, statsOf } from '../support/wire';

/** Looks that a minute of steady change leads to. */
async function looksInTenSeconds(queues: number): Promise<number> {
  const clock = new ManualClock();
  const stopping = new AbortController();
  let looks = 0;
  const gauges = new Gauges({
    read: {
      stats: async () => statsOf(),
      queues: async () => {
        looks++;
        return Array.from({ length: queues }, (_, index) => queueOf(`q${index}`, { rate_in: looks }));
      },
      workers: async () => [],
      system: () => Promise.reject(new Error('nobody listens')),
    },
    operations: { changes: async () => [], forget: () => undefined },
    clock,
    log: createLog({ level: 'silent', format: 'json' }),
    wanted: (topic) => topic === 'queues',
    send: () => undefined,
  });
  const running = gauges.run(stopping.signal);
  for (let ms = 0; ms < 10_000; ms += 250) {
    gauges.touch();
    await clock.advance(250);
  }
  stopping.abort();
  await running;
  return looks;
}

it('looks at one queue four times a second while tasks change, and at many less often', async () => {
  expect(await looksInTenSeconds(1)).toBe(40);
  expect(await looksInTenSeconds(11)).toBeLessThanOrEqual(7);
  expect(await looksInTenSeconds(1000)).toBe(5);
});
