/** Lines that worker processes print: a log record as JSON, told in words, or whatever a handler printed. Pure. */

/** What every record has, and a reader knows already. */
const KNOWN = new Set(['level', 'msg', 'time', 'process', 'worker', 'pool', 'pid', 'hostname']);

/** The record of a line; null where it is none: a handler may print a brace too. */
function recordOf(line: string): ReadonlyMap<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const record = new Map<string, unknown>(Object.entries(parsed));
  return typeof record.get('level') === 'string' && typeof record.get('msg') === 'string' ? record : null;
}

/** Lists by their length: the whole line is in the tooltip. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return String(value.length);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `working · queues 2 · concurrency 10` */
export function lineText(line: string): string {
  const record = recordOf(line);
  if (record === null) return line;
  const rest = [...record].filter(([name]) => !KNOWN.has(name)).map(([name, value]) => `${name} ${valueText(value)}`);
  return [String(record.get('msg')), ...rest].join(' · ');
}

export const isWarning = (line: string): boolean =>
  ['warn', 'error', 'fatal'].includes(String(recordOf(line)?.get('level') ?? ''));
