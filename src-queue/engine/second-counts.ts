/** Counts of the last minute, second by second, by name: rates of it are smooth and cost nothing in Redis. */
import { mapEntry } from '../kernel/map-entry';

const WINDOW_S = 60;
/** `ended` includes the completed. */
type Column = 'created' | 'ended' | 'completed';
type Second = { second: number } & Record<Column, number>;

export class SecondCounts {
  readonly #seconds = new Map<string, Second[]>();

  count(name: string, at: number, event: Column): void {
    const seconds = mapEntry(this.#seconds, name, () => []);
    const second = Math.floor(at / 1000);
    let last = seconds.at(-1);
    if (last?.second !== second) {
      last = { second, created: 0, ended: 0, completed: 0 };
      seconds.push(last);
      while ((seconds[0]?.second ?? second) <= second - WINDOW_S) seconds.shift();
    }
    last[event]++;
    if (event === 'completed') last.ended++;
  }

  /** `name` null: of all. */
  perSecond(name: string | null, event: Column, now: number): number {
    const rows = name === null ? [...this.#seconds.values()].flat() : (this.#seconds.get(name) ?? []);
    const from = now - WINDOW_S * 1000;
    const sum = rows.reduce((total, row) => (row.second * 1000 >= from ? total + row[event] : total), 0);
    return Math.round((sum / WINDOW_S) * 100) / 100;
  }

  queues(): Iterable<string> {
    return this.#seconds.keys();
  }

  forget(name: string): void {
    this.#seconds.delete(name);
  }
}
