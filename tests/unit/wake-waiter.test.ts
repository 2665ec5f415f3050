import { describe, expect, it } from 'vitest';
import { LIMITS } from '#queue/contract/limits';
import { WakeWaiter } from '#queue/engine/wake-waiter';
import { createKeys } from '#queue/redis/keys';
import { ManualClock, turn } from '../support/manual-clock';

const keys = createKeys('mr');
const idle = () => {
  // nothing blocks
};
const never = new AbortController().signal;
const NOTHING = { queues: [], handed: [] };
const woken = (queue: string) => ({ queues: [queue], handed: [] });
const HANDED = expect.objectContaining({
  ...{ queue: 'a', token: '7:n-1.h', id: 'ID', startedAt: 1_800_000_000_000, type: 'mail', payload: '{"bars":"|"}' },
});
const ENTRY = '7:n-1.h|1800000000000|ID|0000000000000002019c0a1b2c3000420mail|\n{"bars":"|"}';

/** A Redis of lists, and the connections that block on them. */
function world({ isCluster = false } = {}) {
  const clock = new ManualClock();
  const connections: {
    blockedOn: string[];
    released: boolean;
    pop: (key: string, value?: string) => void;
    fail: () => void;
  }[] = [];
  const waiting = new Map<string, string>();
  let asked = 0;
  const open = () => {
    const connection = {
      status: 'ready',
      released: false,
      blockedOn: [] as string[],
      pop: idle as (key: string, value?: string) => void,
      fail: idle,
      blpop: (blockKeys: string[], seconds: number) => {
        asked++;
        const there = blockKeys.find((key) => waiting.has(key));
        if (there !== undefined) {
          const value = waiting.get(there);
          waiting.delete(there);
          return Promise.resolve([there, value]);
        }
        connection.blockedOn = blockKeys;
        return new Promise<[string, string] | null>((resolve, reject) => {
          const end = (answer: [string, string] | null) => {
            connection.blockedOn = [];
            resolve(answer);
          };
          connection.pop = (key, value = '1') => end([key, value]);
          connection.fail = () => reject(new Error('Connection is closed.'));
          void clock.sleep(seconds * 1_000).then(() => end(null));
        });
      },
    };
    connections.push(connection);
    return connection;
  };
  const push = (key: string, value = '1') => {
    const blocked = connections.find(({ blockedOn }) => blockedOn.includes(key));
    if (blocked === undefined) waiting.set(key, value);
    else blocked.pop(key, value);
  };
  const store = {
    isCluster,
    refusal: null,
    keys,
    open,
    release: (connection: { released: boolean }) => {
      connection.released = true;
    },
    command: async () => push(keys.system('nudge:w-1')),
  } as unknown as ConstructorParameters<typeof WakeWaiter>[0];
  const blockedOn = () => connections.flatMap(({ blockedOn: on }) => on).filter((key) => !key.includes('nudge'));
  const wake = (queue: string) => push(keys.wake(queue));
  const hand = (queue: string) => push(keys.handed(queue, 'w-1'), ENTRY);
  return { clock, connections, waiter: new WakeWaiter(store, clock, 'w-1'), wake, hand, blockedOn, asked: () => asked };
}

describe('waiting for work', () => {
  it('answers the queue that woke it, and nothing when the time is up', async () => {
    const { waiter, clock, wake } = world();
    const first = waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    wake('b');
    expect(await first).toEqual(woken('b'));
    const second = waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    await clock.advance(2_000);
    expect(await second).toEqual(NOTHING);
  });

  it('keeps a marker that comes while nobody waits, for the next wait', async () => {
    const { waiter, wake } = world();
    const stop = new AbortController();
    const first = waiter.wait(['a', 'b'], 2_000, stop.signal);
    await turn();
    stop.abort();
    expect(await first).toEqual(NOTHING);
    wake('a');
    await turn();
    expect(await waiter.wait(['a', 'b'], 2_000, never)).toEqual(woken('a'));
  });

  it('listens to a queue that is added while it is blocked, without time passing', async () => {
    const { waiter, wake, blockedOn, connections } = world();
    const stop = new AbortController();
    const first = waiter.wait(['a'], 2_000, stop.signal);
    await turn();
    stop.abort();
    await first;
    const second = waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    expect(blockedOn()).toEqual([keys.wake('a'), keys.wake('b')]);
    wake('b');
    expect(await second).toEqual(woken('b'));
    expect(connections).toHaveLength(1);
  });

  it('stays blocked where the queues have only become fewer', async () => {
    const { waiter, asked } = world();
    const stop = new AbortController();
    const first = waiter.wait(['a', 'b', 'c'], 2_000, stop.signal);
    await turn();
    stop.abort();
    await first;
    void waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    expect(asked()).toBe(1);
  });

  it('brings the tasks that are handed over, where it waits for one queue alone', async () => {
    const { waiter, hand, blockedOn } = world();
    const first = waiter.wait(['a'], 2_000, never);
    await turn();
    expect(blockedOn()).toEqual([keys.handed('a', 'w-1'), keys.wake('a')]);
    hand('a');
    expect(await first).toEqual({ queues: [], handed: [HANDED] });
    void waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    expect(blockedOn()).toEqual([keys.wake('a'), keys.wake('b')]);
  });

  it('listens for them without time passing once one queue is left', async () => {
    const { waiter, hand } = world();
    const stop = new AbortController();
    const first = waiter.wait(['a', 'b'], 2_000, stop.signal);
    await turn();
    stop.abort();
    await first;
    const second = waiter.wait(['a'], 2_000, never);
    await turn();
    hand('a');
    expect(await second).toEqual({ queues: [], handed: [HANDED] });
  });

  it('keeps a task that is handed over while nobody waits, for the next wait', async () => {
    const { waiter, hand } = world();
    const stop = new AbortController();
    const first = waiter.wait(['a'], 2_000, stop.signal);
    await turn();
    stop.abort();
    expect(await first).toEqual(NOTHING);
    hand('a');
    await turn();
    expect(await waiter.wait(['a'], 2_000, never)).toEqual({ queues: [], handed: [HANDED] });
  });

  it('ends early when its connection is lost: a marker may be lost with it', async () => {
    const { waiter, clock, connections } = world();
    const waited = waiter.wait(['a'], 2_000, never);
    await turn();
    connections[0]?.fail();
    await turn();
    await clock.advance(50);
    expect(await waited).toEqual(NOTHING);
    expect(clock.monotonic()).toBe(50);
  });

  it('blocks on so many wake lists at most, those that count most', async () => {
    const { waiter, blockedOn } = world();
    const queues = Array.from({ length: LIMITS.wakeLists + 1 }, (_, i) => `q${i}`);
    void waiter.wait(queues, 2_000, never);
    await turn();
    expect(blockedOn()).toHaveLength(LIMITS.wakeLists);
    expect(blockedOn()).not.toContain(keys.wake(`q${LIMITS.wakeLists}`));
  });
});

const keysOf = (queue: string) => [keys.handed(queue, 'w-1'), keys.wake(queue)];

describe('waiting for work in a cluster, where the keys of two queues cannot meet', () => {
  it('blocks on a connection of its own for each queue, new ones included', async () => {
    const { waiter, wake, connections } = world({ isCluster: true });
    const stop = new AbortController();
    const first = waiter.wait(['a', 'b'], 2_000, stop.signal);
    await turn();
    expect(connections.map(({ blockedOn }) => blockedOn)).toEqual(['a', 'b'].map(keysOf));
    stop.abort();
    await first;
    const second = waiter.wait(['a', 'b', 'c'], 2_000, never);
    await turn();
    expect(connections.map(({ blockedOn }) => blockedOn)).toEqual(['a', 'b', 'c'].map(keysOf));
    wake('c');
    expect(await second).toEqual(woken('c'));
  });

  it('loses no marker where several come while nobody waits', async () => {
    const { waiter, wake } = world({ isCluster: true });
    const stop = new AbortController();
    const first = waiter.wait(['a', 'b', 'c'], 2_000, stop.signal);
    await turn();
    stop.abort();
    await first;
    wake('a');
    wake('c');
    await turn();
    const heard = new Set<string>();
    while (heard.size < 2)
      for (const queue of (await waiter.wait(['a', 'b', 'c'], 2_000, never)).queues) heard.add(queue);
    expect([...heard]).toEqual(['a', 'c']);
  });

  it('lets go of the connections of queues that are served no longer, and of all in the end', async () => {
    const { waiter, clock, connections } = world({ isCluster: true });
    const first = waiter.wait(['a', 'b'], 2_000, never);
    await turn();
    await clock.advance(2_000);
    await first;
    void waiter.wait(['b'], 2_000, never);
    await turn();
    expect(connections.map(({ released }) => released)).toEqual([true, false]);
    waiter.close();
    expect(connections.every(({ released }) => released)).toBe(true);
  });

  it('keeps so many connections at most', async () => {
    const { waiter, connections } = world({ isCluster: true });
    void waiter.wait(
      Array.from({ length: LIMITS.clusterWakeLists + 5 }, (_, i) => `q${i}`),
      2_000,
      never,
    );
    await turn();
    expect(connections).toHaveLength(LIMITS.clusterWakeLists);
  });
});
