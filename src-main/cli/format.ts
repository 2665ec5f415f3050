/** How values look to people: tables, ages, counts. Programs get JSON instead. */
import Table from 'cli-table3';

export const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A plain table without lines, columns parted by two blanks; `—` where there is nothing. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const grid = new Table({
    head: head.map((title) => title.toUpperCase()),
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) =>
      rows.length > 0 && rows.every((row) => isNumeric(row[column])) ? 'right' : 'left',
    ),
  });
  for (const row of rows)
    grid.push(row.map((value) => (value === null || value === '' ? '—' : oneLine(String(value)))));
  const lines = grid.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const isNumeric = (value: string | number | null | undefined): boolean => value === null || typeof value === 'number';

/** Control characters in names and messages must not move the cursor of whoever looks. */
export const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

export const shorten = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** 0.4s, 12s, 3m 20s, 2h 5m, 4d 1h. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3600)}h`;
}

export const durationOrNull = (seconds: number | null): string | null => (seconds === null ? null : duration(seconds));

export const bytes = (count: number): string => {
  if (count < 1024 * 1024) return `${Math.round(count / 1024)} KiB`;
  return count < 1024 ** 3 ? `${Math.round(count / 1024 ** 2)} MiB` : `${(count / 1024 ** 3).toFixed(1)} GiB`;
};

/** Age of a moment, for a table. */
export const age = (iso: string, now: number): string => duration(Math.max(0, now - Date.parse(iso)) / 1000);
