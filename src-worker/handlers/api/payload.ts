/** What a task of type api_call says: one HTTP request and what is expected of its answer. */
import { z } from 'zod';

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** Of the answer's body, bytes. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
export const DEFAULT_BODY_BYTES = 10 * 1024 * 1024;
const MAX_HEADERS = 100;

/** Headers that say how the bytes travel; they belong to the connection, not to the caller. */
const OWN_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'keep-alive',
  'te',
  'trailer',
  'expect',
  'proxy-connection',
]);

const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be an HTTP header name')
  .refine((name) => !OWN_HEADERS.has(name.toLowerCase()), 'is set by the connection itself');
const HeaderValue = z
  .string()
  .max(8192)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u0008\u000a-\u001f\u007f]*$/, 'must be one line');
const QueryValue = z.union([z.string(), z.number(), z.boolean()]);

export const ApiCallPayload = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(8192)
    .describe('An http or https address; private ones are refused unless the operator allows them'),
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(METHODS))
    .optional()
    .meta({ description: 'Default GET, or POST where there is a body', enum: METHODS }),
  headers: z
    .record(HeaderName, HeaderValue)
    .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, `at most ${MAX_HEADERS}`)
    .optional()
    .describe('Request headers; Idempotency-Key is set to the id of the task unless it is given'),
  query: z
    .record(z.string(), z.union([QueryValue, z.array(QueryValue)]))
    .optional()
    .describe('Added to the query of the URL; a list repeats its name'),
  body: z.json().optional().describe('Text goes as it is, anything else as JSON'),
  timeout: z
    .number()
    .min(0.1)
    .max(86_400)
    .optional()
    .describe('Seconds for the request; default: as long as the task may take'),
  expect: z
    .enum(['json', 'text'])
    .optional()
    .describe(
      'json: an answer that is not JSON is an error; text: never parsed; default: parsed where the answer says that it is JSON',
    ),
  max_bytes: z
    .int()
    .min(1)
    .max(MAX_BODY_BYTES)
    .optional()
    .describe(`Of the answer's body; more is an error; default ${DEFAULT_BODY_BYTES}`),
});
export type ApiCallPayload = z.output<typeof ApiCallPayload>;
