/**
 * api_call: one HTTP request, through the guard against calls into the own network (src-worker/url-guard.ts).
 *
 * A status of 400 and above is an error: 429 and 5xx are retried, not before `Retry-After`; any other 4xx is final.
 * Every execution sends the same Idempotency-Key, so that a receiver which honours it acts once.
 * Errors name the origin, never the path, the query or a header: any of them may be a secret.
 */
import { LIMITS } from '#queue/contract/limits';
import { type Clock, systemClock } from '#queue/kernel/clock';
import {
  type Artifact,
  type BuiltInConfig,
  FatalError,
  type GuardedResponse,
  type HandlerContext,
  type HandlerDefinition,
} from '../handler';
import { ApiCallPayload, DEFAULT_BODY_BYTES } from './api/payload';
import { secretsOf, withoutSecrets } from './api/secrets';
import { decodeText, isJsonType, readBytes, readSnippet } from './http/read-body';
import { statusError } from './http/retry-after';

export { ApiCallPayload };

export interface ApiCallResult {
  status: number;
  /** `set-cookie` is left out: results can be read by everyone who may look at tasks. */
  headers: Record<string, string>;
  /** Parsed JSON, text, or base64 (see `encoding`); null where it is empty, or too large for a result: see `artifact`. */
  body: unknown;
  /** Only for bodies that are not text. */
  encoding?: 'base64';
  /** The body as a file, where it does not fit into the result. */
  artifact?: Pick<Artifact, 'name' | 'bytes' | 'media_type'>;
  duration_ms: number;
}

/** What the body may take of a result, leaving room for headers. */
const INLINE_BYTES = LIMITS.resultBytes - 64 * 1024;
/** Read for the snippet; much more than is shown, so that a secret is not cut in two before it is taken out. */
const SNIPPET_BYTES = 64 * 1024;
const SNIPPET_CHARS = 200;
/** Of the answer's headers that a result keeps, characters. */
const MAX_HEADER_CHARS = 32 * 1024;

export function createApiCallHandler(
  config: BuiltInConfig,
  clock: Clock = systemClock,
): HandlerDefinition<typeof ApiCallPayload> {
  return {
    type: 'api_call',
    description: 'An HTTP request; a status of 400 and above is an error, 429 and 5xx are retried',
    payload: ApiCallPayload,
    run: (context) => call(context, config, clock),
  };
}

async function call(
  context: HandlerContext<ApiCallPayload>,
  config: BuiltInConfig,
  clock: Clock,
): Promise<ApiCallResult> {
  const { payload, task, progress, log } = context;
  const url = withQuery(payload);
  const method = payload.method ?? (payload.body === undefined ? 'GET' : 'POST');
  const headers = requestHeaders(payload, task.id);
  const body =
    payload.body === undefined
      ? undefined
      : typeof payload.body === 'string'
        ? payload.body
        : JSON.stringify(payload.body);
  const deadline = payload.timeout === undefined ? null : AbortSignal.timeout(payload.timeout * 1000);
  const signal = deadline === null ? context.signal : AbortSignal.any([context.signal, deadline]);
  const startedMs = clock.monotonic();
  await progress(5, `${method} ${url.origin}`);
  try {
    const response = await config.fetch(url.href, {
      method,
      headers,
      signal,
      maxBytes: payload.max_bytes ?? DEFAULT_BODY_BYTES,
      ...(body !== undefined && { body }),
    });
    await progress(30, `answered ${response.status}`);
    log.info(`${url.origin} answered ${response.status}`, { method, ms: Math.round(clock.monotonic() - startedMs) });
    if (response.status >= 400)
      throw await failure(response, method, url, secretsOf(url, headers, payload.body), clock);
    const answer = await readAnswer(response, context, url.origin);
    return {
      status: response.status,
      headers: keptHeaders(response.headers),
      ...answer,
      duration_ms: Math.round(clock.monotonic() - startedMs),
    };
  } catch (error) {
    if (deadline?.aborted && !context.signal.aborted) {
      throw new Error(`${url.origin} did not answer within ${payload.timeout} s`, { cause: error });
    }
    throw error;
  }
}

function withQuery({ url: text, query }: ApiCallPayload): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new FatalError('url is not a URL', { cause });
  }
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(item));
  }
  return url;
}

function requestHeaders({ headers, body }: ApiCallPayload, taskId: string): Record<string, string> {
  const all: Record<string, string> = { 'idempotency-key': taskId };
  if (body !== undefined)
    all['content-type'] = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  for (const [name, value] of Object.entries(headers ?? {})) all[name.toLowerCase()] = value;
  return all;
}

async function failure(
  response: GuardedResponse,
  method: string,
  url: URL,
  secrets: Set<string>,
  clock: Clock,
): Promise<Error> {
  const snippet = withoutSecrets(await readSnippet(response, SNIPPET_BYTES), secrets)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, SNIPPET_CHARS);
  const message = `${method} ${url.origin} answered ${response.status}${snippet === '' ? '' : `: ${snippet}`}`;
  return statusError(response.status, message, response.headers, clock);
}

type Answer = Pick<ApiCallResult, 'body' | 'encoding' | 'artifact'>;

async function readAnswer(
  response: GuardedResponse,
  { payload, progress, artifacts }: HandlerContext<ApiCallPayload>,
  origin: string,
): Promise<Answer> {
  const length = Number(response.headers['content-length']);
  const bytes = await readBytes(response, (total) =>
    length > 0 ? progress(30 + 65 * Math.min(1, total / length), `${total} of ${length} bytes`) : Promise.resolve(),
  );
  const type = response.headers['content-type'];
  const text = decodeText(bytes, type);
  const parsed = payload.expect === 'text' ? null : parseJson(text, type, payload.expect === 'json');
  if (parsed === null && payload.expect === 'json')
    throw new Error(`${origin} answered ${response.status} with a body that is not JSON`);
  const answer: Answer =
    parsed ??
    (text === null ? { body: bytes.toString('base64'), encoding: 'base64' } : { body: text === '' ? null : text });
  if (Buffer.byteLength(JSON.stringify(answer)) <= INLINE_BYTES) return answer;
  const name = parsed !== null ? 'response.json' : text === null ? 'response.bin' : 'response.txt';
  const { bytes: size, media_type } = await artifacts.write(name, bytes, type?.split(';')[0]?.trim());
  return { body: null, artifact: { name, bytes: size, media_type } };
}

/** @returns null where it is not JSON */
function parseJson(text: string | null, type: string | undefined, always: boolean): { body: unknown } | null {
  if (text === null || !(always || isJsonType(type))) return null;
  try {
    return { body: JSON.parse(text) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return null; // it says JSON and is not: text, or an error where JSON is expected
    throw error;
  }
}

function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  let chars = 0;
  for (const [name, value] of Object.entries(headers)) {
    chars += name.length + value.length;
    if (name !== 'set-cookie' && chars <= MAX_HEADER_CHARS) kept[name] = value;
  }
  return kept;
}
