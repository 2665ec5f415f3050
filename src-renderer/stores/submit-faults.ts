/** What is wrong with a task that is being typed, with the words for its field. Pure. */
import { LIMITS } from '#queue/contract/limits';
import { findPayloadFault } from '#queue/contract/payload';
import { SubmitTask, type SubmitTaskInput } from '#queue/contract/task';
import { formatBytes } from '../format';
import { lineAt, lossyNumber } from './json-place';
import { isObject } from './json-schema';
import { checkSchema, type SchemaFault } from './schema-check';

export type Fault = SchemaFault;

export interface ParsedPayload {
  value: unknown;
  /** Empty where the text is JSON. */
  error: string;
  /** From 1; null where it is not known. */
  line: number | null;
}

export function parsePayload(text: string): ParsedPayload {
  try {
    return { value: JSON.parse(text), error: '', line: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    const end = /end of JSON input/.test(message) ? text.length : null;
    const at = position === undefined ? end : Number(position);
    return {
      value: undefined,
      error: message.replace(/,? (\.\.\.)?"[\s\S]*" is not valid JSON$/, '').replace(/ in JSON at position.*$/, ''),
      line: at === null ? null : lineAt(text, at),
    };
  }
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

export function findFaults(form: {
  parsed: ParsedPayload;
  payload: string;
  schema: unknown;
  request: SubmitTaskInput;
  text: { start: string; delay: string };
}): Fault[] {
  return [...payloadFaults(form), ...optionFaults(form)];
}

function payloadFaults({
  parsed,
  payload,
  schema,
}: {
  parsed: ParsedPayload;
  payload: string;
  schema: unknown;
}): Fault[] {
  const at = (path: string, message: string): Fault[] => [{ path, message, missing: false }];
  const { value, error } = parsed;
  if (error !== '') return at('payload', error);
  if (!isObject(value)) return at('payload', 'Must be a JSON object');
  const fault = findPayloadFault(value);
  if (fault !== null) return [{ ...fault, missing: false }];
  const lossy = lossyNumber(payload);
  if (lossy !== null) return at('payload', `${lossy} has more digits than a browser keeps: put it in quotes`);
  const bytes = bytesOf(JSON.stringify(value));
  if (bytes > LIMITS.payloadBytes)
    return at('payload', `Has ${formatBytes(bytes)}, ${formatBytes(LIMITS.payloadBytes)} is the most`);
  return schema === null ? [] : checkSchema(schema, value);
}

function optionFaults({
  request,
  text,
}: {
  request: SubmitTaskInput;
  text: { start: string; delay: string };
}): Fault[] {
  const checked = SubmitTask.safeParse(request);
  if (checked.success) return [];
  return checked.error.issues.flatMap((issue) => {
    const path = issue.path.join('.');
    if (path === 'payload' || path.startsWith('payload.')) return [];
    if (path === 'task_type' && request.task_type === '') return [{ path, message: 'Is required', missing: true }];
    if (path === 'run_at')
      return [
        {
          path,
          message: text.start === 'in' ? 'Must be a time such as 30s, 5m or 2h' : 'Choose a time',
          missing: text.start === 'at',
        },
      ];
    return [{ path, message: plain(issue.message), missing: false }];
  });
}

/** The schema's words, without what only programmers read. */
const plain = (message: string): string =>
  message
    .replace(/^Invalid input: expected (\w+), received NaN$/, 'Must be a number')
    .replace(/^Invalid input: expected int, received number$/, 'Must be a whole number')
    .replace(/^must /, 'Must ');
