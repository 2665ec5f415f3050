/** Moments as the reader's clock shows them: of this computer, or of UTC. Pure but for the zone of this computer. */
export interface ClockFace {
  /** 14:47:08 */
  readonly time: (ms: number) => string;
  /** 14:47; the day in front where the hour alone could be taken for one of today. */
  readonly minute: (ms: number, now: number) => string;
  /** Thu 19 Nov, 14:47:08 */
  readonly full: (ms: number) => string;
  /** Under an axis of this length: 14:40, or Thu 19 Nov where a day is too short to tell. */
  readonly axis: (ms: number, spanMs: number) => string;
  /** What it is ahead of UTC, in seconds. */
  readonly offset: (ms: number) => number;
}

const DAY_MS = 86_400_000;
/** So long after midnight 23:50 is still last night's. */
const NIGHT_MS = 8 * 3_600_000;

export function clockFace(utc: boolean): ClockFace {
  const zone = utc ? { timeZone: 'UTC' } : {};
  const formatter = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, ...zone, hourCycle: 'h23' });
  const seconds = formatter({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const minutes = formatter({ hour: '2-digit', minute: '2-digit' });
  const day = formatter({ day: 'numeric', month: 'short' });
  const weekday = formatter({ weekday: 'short' });
  const time = (ms: number) => seconds.format(ms);
  return {
    time,
    minute: (ms, now) =>
      day.format(ms) === day.format(now) || Math.abs(now - ms) < NIGHT_MS
        ? minutes.format(ms)
        : `${day.format(ms)} ${minutes.format(ms)}`,
    full: (ms) => `${weekday.format(ms)} ${day.format(ms)}, ${time(ms)}`,
    axis: (ms, spanMs) => {
      const hour = minutes.format(ms);
      if (spanMs <= DAY_MS) return hour;
      return spanMs <= 3 * DAY_MS && hour !== '00:00' ? hour : `${weekday.format(ms)} ${day.format(ms)}`;
    },
    offset: (ms) => (utc ? 0 : -new Date(ms).getTimezoneOffset() * 60),
  };
}
