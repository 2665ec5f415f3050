/**
 * HTTP for handlers, to addresses that the operator allows. A task's payload names the URL, so whoever may submit
 * a task could otherwise make the worker call its own network (SSRF).
 *
 * Guaranteed: only http and https; no credentials in the URL; every address of the name is checked and one of those
 * is dialled; redirects are followed by hand, at most three, and each hop is checked like the first; secrets in
 * headers stay with the origin they were given for; the body is bounded after decompression.
 */
import { Agent, type Dispatcher, errors, request as send } from 'undici';
import { type AddressPolicy, type AddressPolicyConfig, cleanHost, createAddressPolicy } from './guard/address-policy';
import { ACCEPT_ENCODING, answerBody, tooLarge } from './guard/answer-body';
import { createDialer, type Resolve, systemResolve } from './guard/dialer';
import { FatalError, type GuardedFetch, type GuardedRequest, type GuardedResponse } from './handler';

export interface UrlGuardConfig extends AddressPolicyConfig {
  connectTimeoutMs: number;
  /** Default: the system's resolver. */
  resolve?: Resolve;
}

const MAX_REDIRECTS = 3;
/** Read of a redirect's body to keep its connection; a longer one costs the connection. */
const REDIRECT_BODY_BYTES = 16 * 1024;
/** Bytes of a body that may be read when the request names no bound. */
export const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
] satisfies Dispatcher.HttpMethod[]);
/** Headers that a redirect to another origin does not take along. */
const SECRET_HEADER = /^(?:proxy-)?authorization$|^cookie2?$|api[-_]?key|token|secret|password|credential/i;
const BODY_HEADER = /^content-/i;

interface Hop {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | Uint8Array | null;
}

/**
 * Connections are kept for a few seconds and hold no process open, so there is nothing to close.
 * @throws {TypeError} a bad entry in `allowHosts`
 */
export function createGuardedFetch(config: UrlGuardConfig): GuardedFetch {
  const policy = createAddressPolicy(config);
  const { connectTimeoutMs, resolve = systemResolve } = config;
  // No time-outs of its own between bytes: the request's signal ends everything, and a long poll is a fair use.
  const agent = new Agent({
    connect: createDialer({ policy, resolve, connectTimeoutMs }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return async (url, request) => {
    let hop = firstHop(url, request);
    for (let redirects = 0; ; redirects++) {
      const answer = await visit(hop, request.signal, redirects > 0);
      const location = REDIRECT_STATUSES.has(answer.statusCode) ? textHeader(answer.headers.location) : undefined;
      if (location === undefined) return toResponse(answer, hop, request.maxBytes ?? DEFAULT_MAX_BYTES);
      await answer.body.dump({ limit: REDIRECT_BODY_BYTES, signal: request.signal });
      if (redirects === MAX_REDIRECTS)
        throw new FatalError(`${hop.url.origin} redirects more than ${MAX_REDIRECTS} times`);
      hop = nextHop(hop, location, answer.statusCode);
    }
  };

  async function visit(hop: Hop, signal: AbortSignal, redirected: boolean): Promise<Dispatcher.ResponseData> {
    try {
      checkUrl(hop.url, policy);
      return await dispatch(agent, hop, signal);
    } catch (error) {
      if (redirected && error instanceof FatalError)
        throw new FatalError(`after a redirect: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

function firstHop(url: string, request: GuardedRequest): Hop {
  const method = (request.method ?? 'GET').toUpperCase();
  if (!METHODS.has(method))
    throw new FatalError(`the method ${method.slice(0, 20)} is not supported: use ${[...METHODS].join(', ')}`);
  const headers: Record<string, string> = { 'accept-encoding': ACCEPT_ENCODING, 'user-agent': 'millrace' };
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  return { url: parseUrl(url), method, headers, body: request.body ?? null };
}

function parseUrl(text: string, base?: URL): URL {
  try {
    return new URL(text, base);
  } catch (cause) {
    throw new FatalError('the URL is not one', { cause });
  }
}

/** What can be said before a name is resolved. */
function checkUrl(url: URL, policy: AddressPolicy): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FatalError(`only http and https URLs may be called, not ${url.protocol.slice(0, 20)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FatalError(`the URL of ${url.host} has credentials in it; send them in an Authorization header`);
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const refusal = policy.refusesName({ host: cleanHost(url.hostname), port });
  if (refusal !== null) throw new FatalError(refusal);
}

async function dispatch(
  agent: Agent,
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  signal.throwIfAborted();
  try {
    return await send(url, { dispatcher: agent, method: method as Dispatcher.HttpMethod, headers, body, signal });
  } catch (error) {
    if (error instanceof FatalError || signal.aborted) throw error;
    if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError) {
      throw new FatalError(`this request cannot be sent: ${error.message}`, { cause: error });
    }
    throw new Error(`${url.origin} did not answer: ${reasonOf(error)}`, { cause: error });
  }
}

/** Node reports a failed dial of several addresses as an AggregateError without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** As browsers do: 303 and a POST at 301 or 302 become a GET without a body. */
function nextHop(hop: Hop, location: string, status: number): Hop {
  const url = parseUrl(location, hop.url);
  const toGet =
    (status === 303 && hop.method !== 'HEAD') || (status !== 307 && status !== 308 && hop.method === 'POST');
  const sameOrigin = url.origin === hop.url.origin;
  const kept = Object.entries(hop.headers).filter(
    ([name]) => (sameOrigin || !SECRET_HEADER.test(name)) && !(toGet && BODY_HEADER.test(name)) && name !== 'host',
  );
  return { url, method: toGet ? 'GET' : hop.method, headers: Object.fromEntries(kept), body: toGet ? null : hop.body };
}

function toResponse(answer: Dispatcher.ResponseData, { url, method }: Hop, maxBytes: number): GuardedResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    const text = textHeader(value);
    if (text !== undefined) headers[name] = text;
  }
  const length = headers['content-length'] === undefined ? null : Number(headers['content-length']);
  const bodiless = method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304 || length === 0;
  const encoding = bodiless ? undefined : headers['content-encoding'];
  try {
    if (!bodiless && length !== null && length > maxBytes) throw tooLarge(url.origin, maxBytes);
    const body = answerBody(answer.body, { encoding, maxBytes, origin: url.origin });
    if (encoding !== undefined) {
      // They told of the bytes on the wire; the reader gets decoded ones.
      delete headers['content-encoding'];
      delete headers['content-length'];
    }
    return { status: answer.statusCode, headers, body, url: url.href };
  } catch (error) {
    answer.body.on('error', () => undefined); // the refusal below says it; the cut connection says nothing more
    answer.body.destroy();
    throw error;
  }
}

const textHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;
