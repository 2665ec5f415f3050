/**
 * One route of the table as a request handler: who calls, then parameters, query and body by their schemas, then the
 * handler, then its answer. Nothing reaches a handler that its schemas have not let through.
 */
import { z } from 'zod';
import { QueueError } from '#queue/contract/errors';
import { type Route, roleIncludes } from '#queue/contract/http';
import { LIMITS } from '#queue/contract/limits';
import { parseSent } from '#queue/contract/wording';
import type { Identity } from './auth';
import { parseJson, readBody, refuseHostileValues, requireMediaType } from './body';
import type { HandlerDeps } from './handlers';
import { fieldErrors, invalid } from './problem';
import { whileRedisAnswers } from './redis-watch';

/** A handler seen without its route's types: `dispatch` has parsed what those types say. */
export type AnyHandler = (call: {
  params: unknown;
  query: unknown;
  body: unknown;
  caller: Identity;
  request: Request;
}) => Promise<Response | { status: number; body?: unknown }>;

export interface Incoming {
  request: Request;
  params: Record<string, string>;
  caller: Identity;
}

const JSON_TYPES = ['application/json'];
/** Actions without a body of their own take an empty one, or `{}`. */
const NoBody = z.strictObject({});

export async function dispatch(
  route: Route,
  handler: AnyHandler,
  incoming: Incoming,
  deps: HandlerDeps,
): Promise<Response> {
  const { request, caller } = incoming;
  if (route.role !== 'anyone' && !roleIncludes(caller.role, route.role)) {
    throw new QueueError('FORBIDDEN', `this needs the role ${route.role}, and ${caller.name} is ${caller.role}`);
  }
  deps.safety.checkRoute(route);
  if (route.planned) return toResponse(await handler({ params: {}, query: {}, body: undefined, caller, request }));
  const params = route.params === undefined ? {} : parseParams(route, route.params, incoming.params);
  const query = parseQuery(route.query, request.url);
  if (route.streams !== undefined)
    return toResponse(await handler({ params, query, body: undefined, caller, request }));
  const body = route.method === 'GET' ? undefined : await parseBody(route, request, deps);
  return toResponse(await whileRedisAnswers(handler({ params, query, body, caller, request }), deps));
}

function parseParams(route: Route, schema: z.ZodObject, params: Record<string, string>): unknown {
  const parsed = parseSent(schema, params);
  if (parsed.success) return parsed.data;
  const fields = fieldErrors(parsed.error);
  if (route.badParams === undefined) throw invalid(fields);
  throw new QueueError(
    route.badParams,
    `nothing has this name: ${fields[0]?.path ?? 'it'} ${fields[0]?.message ?? ''}`,
  );
}

/** Routes without a query refuse every parameter, as the others refuse unknown ones. */
function parseQuery(schema: z.ZodObject | undefined, url: string): unknown {
  const at = url.indexOf('?');
  if (at === -1 && schema === undefined) return {};
  const values = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(at === -1 ? '' : url.slice(at + 1))) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : [before, value].flat());
  }
  const parsed = parseSent(schema ?? NoBody, Object.fromEntries(values));
  if (!parsed.success) {
    throw invalid(
      fieldErrors(parsed.error).map((fault) => ({
        ...fault,
        message: fault.message.replace('a known field', 'a known parameter'),
      })),
    );
  }
  return parsed.data;
}

async function parseBody(route: Route, request: Request, { clock, safety }: HandlerDeps): Promise<unknown> {
  const bytes = await readBody(request, { maxBytes: LIMITS.bodyBytes, clock });
  const optional = route.body === undefined || route.bodyOptional === true;
  if (bytes.byteLength === 0) safety.checkRaw(route, undefined);
  if (bytes.byteLength === 0 && !optional) throw new QueueError('BAD_REQUEST', 'the body is empty: JSON is expected');
  if (bytes.byteLength > 0) requireMediaType(request.headers, JSON_TYPES);
  const raw = bytes.byteLength === 0 ? {} : parseJson(bytes);
  refuseHostileValues(raw);
  safety.checkRaw(route, raw);
  const parsed = parseSent(route.body ?? NoBody, raw);
  if (!parsed.success) throw invalid(fieldErrors(parsed.error));
  safety.checkSelection(route, parsed.data);
  return parsed.data;
}

function toResponse(reply: Response | { status: number; body?: unknown }): Response {
  if (reply instanceof Response) return reply;
  if (reply.body === undefined) return new Response(null, { status: reply.status });
  return new Response(JSON.stringify(reply.body), {
    status: reply.status,
    headers: { 'content-type': 'application/json' },
  });
}
