/** Looks at what a handler file exports before anything is built on it. User files are an edge like any other. */

import { z } from 'zod';
import { TaskType } from '#queue/contract/primitives';
import { Timeout } from '#queue/contract/task';
import type { AnyHandler } from './handler';

const isFunction = (value: unknown): boolean => typeof value === 'function';
const isSchema = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'safeParse' in value && isFunction(value.safeParse);

const HandlerShape = z
  .looseObject({
    type: TaskType,
    aliases: z.array(TaskType).optional(),
    description: z.string().optional(),
    payload: z.custom(isSchema, 'must be a zod schema').optional(),
    timeout: Timeout.optional(),
    run: z.custom(isFunction, 'must be a function').optional(),
    exec: z.array(z.string().min(1)).min(1, 'must name a program').optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name'), z.string()).optional(),
  })
  .refine((value) => (value.run === undefined) !== (value.exec === undefined), 'must have either `run` or `exec`');

/** @returns what is wrong with it, in words; null where it is a handler */
export function handlerFault(value: unknown): string | null {
  const checked = HandlerShape.safeParse(value);
  if (checked.success) return null;
  return checked.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')} ${message}`))
    .join('; ');
}

export const isHandler = (value: unknown): value is AnyHandler => handlerFault(value) === null;
