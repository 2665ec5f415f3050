/** How values are written in a query: every one arrives as text, a list with commas or by repeating its name. */
import { z } from 'zod';
import { LIMITS } from './limits';
import { QueueName, TaskId } from './primitives';

/** `a,b`, or the parameter given several times. */
export const commaList = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z
    .union([z.string(), z.array(z.string())], 'must be a list with commas')
    .transform((value) => [value].flat().flatMap((part) => part.split(',')))
    .pipe(z.array(item).min(1).max(50));

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** The parameter once or several times; commas are part of it. */
export const repeated = <Item extends z.ZodType<unknown, string>>(item: Item, most: number) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat())
    .pipe(z.array(item).min(1).max(most));

/** `30`, `1.5`. */
export const decimalNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}(?:\.\d{1,6})?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90`, `90s`, `15m`, `1h` or `7d`, in seconds. */
export const durationText = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}[smhd]?$/, 'must be a duration such as 90s, 15m, 1h or 7d')
    .transform((value) => {
      const unit = value.at(-1);
      const factor = unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? UNIT_SECONDS[unit] : 1;
      return Number.parseInt(value, 10) * factor;
    })
    .pipe(z.int().min(min).max(max).describe('Such as 90s, 15m, 1h or 7d'));

const Cursor = z.string().min(1).max(500).describe('`next_cursor` of the page before');
const PageLimit = wholeNumber(1, LIMITS.pageMax).default(LIMITS.pageDefault);

/** What every list that can be long takes. */
export const pageShape = { limit: PageLimit, cursor: Cursor.optional() };

export const TaskParams = z.strictObject({ id: TaskId });
export const QueueParams = z.strictObject({ queue: QueueName });
/** Ids of workers, pools, operations and keys: made by the server, never parsed. */
export const NamedParams = z.strictObject({ id: z.string().min(1).max(200) });
