/**
 * More of everything than one server takes: calls, connections, WebSocket clients. It says so, keeps its memory, and work
 * goes on (catalogue 47, 55). The bounds that hold here are those of the contract: LIMITS.connections, LIMITS.wsClients.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { Crowd, flood } from '../support/crowd';
import { InputWorld } from '../support/input-world';
import { waitFor } from '../support/millrace-process';
import { PeakMemory, residentBytes } from '../support/process-probe';

const MiB = 1024 * 1024;
const MANY = 10_000;
/** From an event to the last of all clients; the machine also runs the clients. */
const EVENT_MS = 2000;
/** What a server may keep of a crowd that has gone. */
const KEPT_BYTES = 20 * MiB;

let input: InputWorld;
beforeAll(async () => {
  input = await InputWorld.start();
  input.world.worker(10);
  await flood(input.base, 1); // what is made once has been made
}, 90_000);
afterAll(() => input?.[Symbol.asyncDispose]());

/** Ten tasks a second, each of which runs, until `stop`. */
function work() {
  let goes = true;
  const ids: string[] = [];
  const submitting = (async () => {
    while (goes) {
      const { id } = await input.api.submit({ task_type: 'echo', payload: { n: ids.length } });
      ids.push(id);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop(): Promise<number> {
      goes = false;
      await submitting;
      for (const id of ids) await input.api.until(id, 'completed');
      return ids.length;
    },
  };
}

const held = async () => (await input.probe.look(input.server)).heldBytes;

describe('a flood of calls', () => {
  it('is answered as the contract says, while work goes on and memory stays', async () => {
    const before = await held();
    using peak = new PeakMemory(input.server.pid);
    const others = work();
    const { statuses, requests } = await flood(input.base, 6);
    expect(await others.stop()).toBeGreaterThan(5);
    expect(Object.keys(statuses).filter((status) => !['200', '201', '429', '503'].includes(status))).toEqual([]);
    expect(requests).toBeGreaterThan(300); // thousands a second, where the machine has nothing else to do
    expect(statuses['200']).toBeGreaterThan(requests / 2);
    expect(peak.bytes).toBeLessThan(1024 * MiB);
    expect((await held()) - before).toBeLessThan(KEPT_BYTES);
  });

  it('of wrong tokens is turned away after 30, with the time to wait, at no cost to others', async () => {
    const { statuses, retryAfter } = await flood(input.base, 2, 'wrong');
    expect(statuses['401']).toBeLessThanOrEqual(30 + 100); // those that were under way together
    expect(statuses['429']).toBeGreaterThan(100);
    expect(Object.keys(statuses).sort()).toEqual(['401', '429']);
    expect(retryAfter.every((seconds) => Number(seconds) >= 1 && Number(seconds) <= 60)).toBe(true);
    expect((await input.api.call('GET', '/api/tasks?limit=1')).status).toBe(200);
  });
});

describe(`${MANY} WebSocket clients`, () => {
  it.each(['idle', 'subscribed'] as const)(
    'that are %s: as many as the contract says are served, the others told 429',
    async (kind) => {
      const before = await held();
      const resident = residentBytes(input.server.pid);
      using peak = new PeakMemory(input.server.pid);
      {
        await using crowd = new Crowd(input.port, MANY, kind);
        const standing = await waitFor(
          'all of them to have come',
          async () => {
            const counts = await crowd.counts();
            return counts.open + counts.refused === MANY ? counts : null;
          },
          60_000,
        );
        expect(standing).toMatchObject({ open: LIMITS.wsClients, refused: MANY - LIMITS.wsClients });
        expect(standing.retryAfter).toBe(standing.refused);
        const others = work();
        await new Promise((resolve) => setTimeout(resolve, 5000)); // for as long as they are looked at
        const worked = await others.stop();
        const { frames, p99, open } = await crowd.counts();
        expect([open, worked > 10]).toEqual([LIMITS.wsClients, true]);
        // Each task: created, started, completed.
        if (kind === 'subscribed') expect(frames).toBeGreaterThanOrEqual(worked * 3 * LIMITS.wsClients);
        if (kind === 'subscribed') expect(p99).toBeLessThan(EVENT_MS);
      }
      expect(peak.bytes).toBeLessThan(1024 * MiB);
      expect(peak.bytes - resident).toBeLessThan(300 * MiB);
      await waitFor('its memory to be free again', async () => ((await held()) - before < KEPT_BYTES ? true : null));
    },
  );
});

describe(`${MANY} connections that say nothing`, () => {
  it('are held up to the bound, closed within 12 seconds, and disturb nobody who is connected', async () => {
    const before = await held();
    using peak = new PeakMemory(input.server.pid);
    await using neighbour = new Crowd(input.port, 2, 'subscribed');
    await waitFor('the neighbours', async () => ((await neighbour.counts()).open === 2 ? true : null));
    await using crowd = new Crowd(input.port, MANY, 'connect');
    // Those past the bound are closed at once; the others when they have said nothing for too long.
    await waitFor(
      'all of them to have come and gone',
      async () => ((await crowd.counts()).gone === MANY ? true : null),
      40_000,
    );
    await waitFor('room for others', async () =>
      (await input.api.call('GET', '/healthz')).status === 200 ? true : null,
    );
    expect(await crowd.counts()).toMatchObject({ tried: MANY, open: 0 });
    const others = work();
    await waitFor('events', async () => ((await neighbour.counts()).frames >= 6 ? true : null));
    await others.stop();
    expect((await neighbour.counts()).open).toBe(2);
    expect(peak.bytes).toBeLessThan(1024 * MiB);
    await waitFor('its memory to be free again', async () => ((await held()) - before < KEPT_BYTES ? true : null));
  });
});

it('has done all that and still does its work', async () => {
  const { grown, violations } = await input.stillWorks();
  const alarms = input.logged.split('\n').filter((line) => /unexpected|unhandled|"level":"(error|fatal)"/i.test(line));
  expect({ alarms, grown, violations }).toEqual({ alarms: [], grown: [], violations: [] });
});
