/** Durations and moments as a query writes them. Pure: `now` and the zone's midnight come from outside. */
const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/** `30s`, `2h`, `7d` in ms; null where it is none. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined || unit === undefined || !(unit in UNITS_MS)) return null;
  return Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

/** `-2h` from now, `14:30` of today, `2026-11-01` (midnight here), `2026-11-01T12:00`, or with a zone. Unix ms, or null. */
export function parseMoment(text: string, now: number): number | null {
  if (text.startsWith('-')) {
    const ms = parseDuration(text.slice(1));
    return ms === null ? null : now - ms;
  }
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock !== null) return new Date(now).setHours(Number(clock[1]), Number(clock[2]), 0, 0);
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (day === null && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return null;
  const at = Date.parse(day === null ? text : `${text}T00:00`); // without a zone it is the reader's
  return Number.isNaN(at) ? null : at;
}
