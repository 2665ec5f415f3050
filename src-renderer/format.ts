/** Numbers, times and ids as people read them. Pure: `now` is always handed in. */

// A formatter is dear to make, and a list writes a moment or two in every row.
const both = (options: Intl.DateTimeFormatOptions) => ({
  local: new Intl.DateTimeFormat('en-GB', options),
  utc: new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }),
});
const DAY = both({ day: 'numeric', month: 'short' });
const TIME = both({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const IN_FULL = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'short',
});
const THIN_SPACE = '\u2009';

/** 12 482 with thin spaces; fractions keep `digits`. */
export function formatNumber(value: number, digits = 0): string {
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return `${value < 0 ? '−' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** Rates: one digit below 100 a second. */
export const formatRate = (perSecond: number): string => formatNumber(perSecond, perSecond < 100 ? 1 : 0);

/** 840 ms · 2.4 s · 3m 12s · 4h 06m · 3d 04h */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return formatSeconds(Math.round(ms / 1000));
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${pad(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${pad(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${pad(hours % 24)}h`;
}

/** 12:41, minutes and seconds that are left. */
export function formatCountdown(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Whole seconds since `iso`, for what ticks once a second; never negative: the clocks of browser and server differ a little. */
export const formatAge = (iso: string, now: number): string =>
  formatSeconds(Math.floor(Math.max(0, now - Date.parse(iso)) / 1000));

/** in 2m 12s, or `due` */
export function formatUntil(iso: string, now: number): string {
  const left = Date.parse(iso) - now;
  return left <= 0 ? 'due' : `in ${formatSeconds(Math.ceil(left / 1000))}`;
}

/** The 8 characters of a task id that tell tasks apart: before them stands the time, behind them the queue's tag. */
export const shortId = (id: string): string => (id.length < 22 ? id : id.slice(14, 22));

/**
 * When and which: `01M7T463…VF3Y`. The four characters behind are the last of the random ones: an id ends with its
 * queue's tag, which tasks of one queue share.
 */
export const idEnds = (id: string): string => (id.length < 26 ? id : `${id.slice(0, 8)}…${id.slice(18, 22)}`);

/** Characters of an error's end that stay in sight. */
const ERROR_TAIL = 18;

/**
 * An error for one line, in two parts: `head` may be cut by the room there is, `tail` is not, because messages that
 * begin alike tell what they are at their end. Without what tells nothing: `Error: ` or `FatalError: `, and the scheme of addresses.
 */
export function splitError(text: string): { head: string; tail: string } {
  const line = text
    .replace(/^(?:Fatal)?Error: /, '')
    .replace(/https?:\/\//g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const cut = Math.max(0, line.length - ERROR_TAIL);
  return { head: line.slice(0, cut), tail: line.slice(cut) };
}

/** 1/4, or only how many there were: once a task was requeued, it may have had more than its retries allow. */
export const formatAttempts = (attempts: number, maxRetries: number | null): string =>
  maxRetries === null || attempts > maxRetries + 1 ? `${attempts}` : `${attempts}/${maxRetries + 1}`;

/** 212 B · 38 KiB · 1.2 GiB */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit] ?? ''}`;
}

/** 12.5k, 3.1M: only for axes and chips, whose tooltip has the whole number. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toFixed(1))}M`;
  if (size >= 1e3) return `${Number((value / 1e3).toFixed(1))}k`;
  return String(Number(value.toFixed(2)));
}

/** 4.4 %; below one in a thousand `< 0.1 %`. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${formatNumber(share * 100, share < 0.1 ? 1 : 0)} %`;
}

const ULID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When the task of this id was created, from the id's first ten characters. */
export function timeOfTaskId(id: string): string {
  let ms = 0;
  for (const char of id.slice(0, 10)) ms = ms * 32 + ULID_ALPHABET.indexOf(char);
  return new Date(ms).toISOString();
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatNumber(count)} ${count === 1 ? one : many}`;

export const capitalise = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Times as `3m 12s`, as 14:47:08 of this computer, or of UTC. */
export const TIME_DISPLAYS = ['relative', 'local', 'utc'] as const;
export type TimeDisplay = (typeof TIME_DISPLAYS)[number];
export type MomentZone = 'local' | 'utc';
/** What is no age is a clock, whatever times look like else. */
export const zoneOf = (display: TimeDisplay): MomentZone => (display === 'utc' ? 'utc' : 'local');

/** 14:47:08 of the reader's zone or of UTC; the day goes in front where it is another one. */
export function formatMoment(iso: string, now: number, zone: MomentZone): string {
  const at = new Date(iso);
  const day = DAY[zone].format(at);
  const isToday = day === DAY[zone].format(now);
  return `${isToday ? '' : `${day} `}${TIME[zone].format(at)}${zone === 'utc' ? ' UTC' : ''}`;
}

/** A moment in full, in both zones: for tooltips. */
export function formatMomentInFull(iso: string): string {
  const at = new Date(iso);
  return `${IN_FULL.format(at)}\n${at.toISOString()}`;
}
