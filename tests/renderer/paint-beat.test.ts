import { expect, it } from 'vitest';
import { PaintBeat } from '../../src-renderer/paint-beat';
import { TestTime } from './support';

function world() {
  const time = new TestTime();
  const beat = new PaintBeat(time);
  /** What was made, and when. */
  const made: [string, number][] = [];
  const begin = time.now();
  const ask = (name: string) => beat.ask(() => made.push([name, time.now() - begin]));
  return { time, beat, made, ask };
}

it('makes at once what comes together after a rest, in its order', () => {
  const { time, made, ask } = world();
  for (const name of ['a', 'b', 'c']) ask(name);
  expect(made).toEqual([]);
  time.advance(20);
  expect(made).toEqual([
    ['a', 20],
    ['b', 20],
    ['c', 20],
  ]);
});

it('beats four times a second at most, whoever asks', () => {
  const { time, made, ask } = world();
  for (let ms = 0; ms < 2000; ms += 10) {
    ask('frame');
    if (ms % 70 === 0) ask('tick');
    time.advance(10);
  }
  const beats = [...new Set(made.map(([, at]) => at))];
  expect(beats).toEqual([20, 270, 520, 770, 1020, 1270, 1520, 1770]);
});

it('makes what waits before the beat where it is told to, once, and keeps its distance after that', () => {
  const { time, beat, made, ask } = world();
  ask('a');
  beat.flush();
  expect(made).toEqual([['a', 0]]);
  ask('b');
  time.advance(249);
  expect(made).toHaveLength(1);
  time.advance(1);
  expect(made.at(-1)).toEqual(['b', 250]);
  time.advance(1000);
  expect(made).toHaveLength(2);
});

it('does not wait for a clock that was set back', () => {
  const time = new TestTime();
  let nowMs = 1_000_000;
  const beat = new PaintBeat({ now: () => nowMs, random: () => 0, after: (ms, run) => time.after(ms, run) });
  beat.ask(() => undefined);
  beat.flush();
  nowMs -= 3_600_000;
  let made = false;
  beat.ask(() => {
    made = true;
  });
  time.advance(250);
  expect(made).toBe(true);
});
