import { expect, it } from 'vitest';
import type { FeedItem } from '#queue/engine/ports';
import { SharedFeed } from '#queue/engine/shared-feed';

const gap = (queue: string): FeedItem => ({ kind: 'gap', queue, reason: 'a test' });

/** A source that says what it is told to, and counts its readings. */
function source() {
  const readings: { tell: (item: FeedItem) => void; ready: () => void; fail: (error: Error) => void; on: boolean }[] =
    [];
  const feed = new SharedFeed({
    follow: (tell, signal, ready = () => undefined) =>
      new Promise((resolve, reject) => {
        const reading = { tell, ready, fail: reject, on: true };
        readings.push(reading);
        signal.addEventListener('abort', () => {
          reading.on = false;
          resolve();
        });
      }),
  });
  return { feed, readings };
}

function follower(feed: SharedFeed) {
  const heard: string[] = [];
  const leaving = new AbortController();
  const log = { ready: 0 };
  const ended = feed.follow(
    (item) => heard.push(item.kind === 'gap' ? item.queue : 'changes'),
    leaving.signal,
    () => log.ready++,
  );
  return { heard, leave: () => leaving.abort(), ended, log };
}

it('reads once for all that follow, tells each what comes while it does, and stops with the last', async () => {
  const { feed, readings } = source();
  const first = follower(feed);
  readings[0]?.tell(gap('a'));
  expect(first.log.ready).toBe(0);
  readings[0]?.ready();
  const second = follower(feed);
  expect([first.log.ready, second.log.ready]).toEqual([1, 1]);
  readings[0]?.tell(gap('b'));
  first.leave();
  await first.ended;
  readings[0]?.tell(gap('c'));
  expect([first.heard, second.heard]).toEqual([
    ['a', 'b'],
    ['b', 'c'],
  ]);
  expect([readings.length, readings[0]?.on]).toEqual([1, true]);
  second.leave();
  await second.ended;
  expect(readings[0]?.on).toBe(false);
});

it('reads anew for who comes after the last has left, or after a reading that failed', async () => {
  const { feed, readings } = source();
  const first = follower(feed);
  first.leave();
  await first.ended;
  const second = follower(feed);
  readings[1]?.fail(new Error('no way'));
  await expect(second.ended).rejects.toThrow('no way');
  const third = follower(feed);
  readings[2]?.tell(gap('d'));
  expect([readings.length, third.heard]).toEqual([3, ['d']]);
  third.leave();
  await third.ended;
});
