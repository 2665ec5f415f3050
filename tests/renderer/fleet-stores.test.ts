import { describe, expect, it } from 'vitest';
import { CreatePool } from '#queue/contract/worker';
import { PoolsLoader } from '../../src-renderer/loaders/pools-loader';
import { ApiClient } from '../../src-renderer/net/api-client';
import { PoolForm } from '../../src-renderer/stores/pool-form.svelte';
import { isMoving, PoolsStore } from '../../src-renderer/stores/pools-store.svelte';
import { donePerSecond, KEPT_SAMPLES, WorkerSamples } from '../../src-renderer/stores/worker-samples.svelte';
import { ago, poolOf, processOf, workerOf } from './fleet';
import { TestTime } from './support';

describe('the samples of a worker', () => {
  const beat = (secondsAgo: number, completed = 0, id = 'w') => ({
    type: 'workers' as const,
    workers: [workerOf(id, { last_heartbeat_at: ago(secondsAgo), completed })],
  });

  it('are one for each heartbeat, and only the last of them are kept', () => {
    const samples = new WorkerSamples();
    for (let n = 0; n < KEPT_SAMPLES + 5; n++) {
      samples.apply(beat(1000 - n, n), n);
      samples.apply(beat(1000 - n, n), n); // the same heartbeat in another frame
    }
    expect(samples.of('w')).toHaveLength(KEPT_SAMPLES);
    expect(samples.of('w')[0]?.done).toBe(5);
    expect(donePerSecond(samples.of('w'))).toEqual(Array.from({ length: KEPT_SAMPLES - 1 }, () => 1));
  });

  it('tell for how long no new heartbeat has come, by the clock of this computer', () => {
    const samples = new WorkerSamples();
    samples.apply(beat(5000), 100);
    samples.apply(beat(5000), 4000);
    expect(samples.silentMs('w', 9000)).toBe(8900);
    samples.apply(beat(4998), 9000);
    expect(samples.silentMs('w', 9500)).toBe(500);
    expect(samples.silentMs('unknown', 9500)).toBe(0);
  });

  it('go with the worker', () => {
    const samples = new WorkerSamples();
    samples.apply(beat(2), 0);
    samples.apply(beat(1, 0, 'other'), 0);
    expect(samples.of('w')).toEqual([]);
    expect(samples.of('other')).toHaveLength(1);
  });
});

describe('the form of a pool', () => {
  it('makes the request that the API takes', () => {
    const form = new PoolForm(null);
    Object.assign(form, {
      name: ' mail ',
      queues: 'emails=3, default',
      concurrency: '5',
      processes: '2',
      handlers: ' ',
    });
    expect(CreatePool.parse(form.request)).toEqual({
      name: 'mail',
      queues: [
        { name: 'emails', weight: 3 },
        { name: 'default', weight: 1 },
      ],
      concurrency: 5,
      processes: 2,
      handlers: null,
      autoscale: null,
    });
    Object.assign(form, { autoscale: true, min: '1', max: '6', target: '2.5', handlers: '/srv/handlers' });
    expect(CreatePool.parse(form.request)).toMatchObject({
      handlers: '/srv/handlers',
      autoscale: { min: 1, max: 6, target_latency: 2.5 },
    });
  });

  it('begins with what a pool has, and gives the same back', () => {
    const {
      id: _,
      members,
      exits,
      output,
      log,
      restarting,
      ...spec
    } = poolOf('mail', ['w'], {
      queues: [
        { name: '*', weight: 1 },
        { name: 'emails', weight: 2 },
      ],
      autoscale: { min: 1, max: 3, target_latency: 30 },
    });
    expect(new PoolForm({ id: 'mail', members, exits, output, log, restarting, ...spec }).request).toEqual(spec);
  });

  it('shows each fault at its field', () => {
    const form = new PoolForm(null);
    form.queues = 'emails, no!';
    form.faults = [
      { path: 'name', message: 'is required' },
      { path: 'queues.1.name', message: 'is no queue name' },
      { path: 'autoscale.min', message: 'must not be above max' },
      { path: 'autoscale.target_latency', message: 'must be at least 0.1' },
      { path: 'other', message: 'is odd' },
    ];
    expect(form.errorOf('name')).toBe('is required');
    expect(form.errorOf('queues')).toBe('no! is no queue name');
    expect(form.errorOf('min')).toBe('must not be above max');
    expect(form.errorOf('target')).toBe('must be at least 0.1');
    expect(form.errorOf('max')).toBe('');
    expect(form.otherFaults.map(({ path }) => path)).toEqual(['other']);
  });
});

it('takes a pool for moving while its processes are not as wanted', () => {
  expect(isMoving(poolOf('mail', ['a']))).toBe(false);
  expect(isMoving(poolOf('mail', ['a'], { processes: 2 }))).toBe(true);
  expect(isMoving(poolOf('mail', ['a'], { restarting: { done: 0, of: 1 } }))).toBe(true);
  expect(isMoving(poolOf('mail', [], { members: [processOf('a', { state: 'waiting' })], processes: 1 }))).toBe(true);
});

describe('reading the pools', () => {
  function setup(pools: () => unknown) {
    const time = new TestTime();
    const store = new PoolsStore();
    let reads = 0;
    let hidden = false;
    const api = new ApiClient({
      baseUrl: 'http://127.0.0.1:8000/',
      fetch: async () => {
        reads++;
        const answer = pools();
        return answer instanceof Response ? answer : new Response(JSON.stringify({ pools: answer }));
      },
      token: () => null,
      onUnauthenticated: () => undefined,
    });
    const loader = new PoolsLoader({ api, store, time, hidden: () => hidden });
    return { time, store, loader, reads: () => reads, hide: (on: boolean) => (hidden = on) };
  }
  const settled = () => new Promise((resolve) => setTimeout(resolve));

  it('goes on every 2 s, every half second while a process starts, and ends with the view', async () => {
    let pools = [poolOf('mail', ['a'])];
    const { time, loader, reads } = setup(() => pools);
    await loader.refresh();
    time.advance(1999);
    expect(reads()).toBe(1);
    pools = [poolOf('mail', ['a'], { processes: 2 })];
    time.advance(1);
    await settled();
    time.advance(500);
    await settled();
    expect(reads()).toBe(3);
    loader.close();
    time.advance(60_000);
    expect(reads()).toBe(3);
  });

  it('asks nothing while the page is hidden, and keeps what it knew when a read fails', async () => {
    let answer: unknown = [poolOf('mail', ['a'])];
    const { time, store, loader, reads, hide } = setup(() => answer);
    await loader.refresh();
    hide(true);
    time.advance(10_000);
    await settled();
    expect(reads()).toBe(1);
    hide(false);
    answer = new Response('{"title":"Internal error"}', { status: 500 });
    await loader.refresh();
    expect(store.error).toMatchObject({ status: 500 });
    expect(store.pools).toHaveLength(1);
    loader.close();
  });
});
