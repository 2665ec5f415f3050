/**
 * The OpenAPI 3.1 document, printed from the route table. zod's own JSON Schema is used because OpenAPI 3.1 is JSON
 * Schema 2020-12: nothing is translated, so nothing is lost on the way.
 */
import type { z } from 'zod';
import { ERRORS, type ErrorCode } from '#queue/contract/errors';
import { isWrite, Problem, type Route } from '#queue/contract/http';
import { BODY_ERRORS, COMMON_ERRORS, routes, WRITE_ERRORS } from '#queue/contract/http-routes';
import { SchemaBook } from './openapi-schemas';

type Json = Record<string, unknown>;

const PROBLEM_MEDIA = 'application/problem+json';

const DESCRIPTION = [
  'A Redis-backed task queue. Times are ISO 8601 UTC, durations are seconds, ids are ULIDs. Delivery is at least once.',
  'Answers may carry more fields than are named here; requests may not.',
  'Where the queue and its Redis are on this machine, no token is needed. Roles: `viewer` reads; `operator` also submits, retries, cancels, pauses and drains; `admin` also manages keys, pools, schedules and limits, and purges. JWTs are not accepted in this version.',
].join('\n\n');

export function openApiDocument(version: string): Json {
  const book = new SchemaBook();
  const paths: Record<string, Json> = {};
  const table: Record<string, Route> = routes;
  for (const [name, route] of Object.entries(table)) {
    for (const [index, path] of [route.path, ...(route.aliases ?? [])].entries()) {
      paths[path] ??= {};
      paths[path][route.method.toLowerCase()] = operation(index === 0 ? name : `${name}Alias`, route, index > 0, book);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Millrace', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(table).map((route) => route.tag))].map((tag) => ({ name: tag })),
    paths,
    components: {
      schemas: book.components(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token or an API key' } },
    },
  };
}

function operation(operationId: string, route: Route, alias: boolean, book: SchemaBook): Json {
  const notes = [
    route.description,
    alias ? `The same as \`${route.path}\`, for clients of an older API.` : undefined,
    route.planned ? 'Not in this version: answered with 501.' : undefined,
    route.role === 'anyone' ? 'Needs no token.' : `Needs the role \`${route.role}\`.`,
  ];
  return {
    operationId,
    tags: [route.tag],
    summary: route.summary,
    description: notes.filter((note) => note !== undefined).join('\n\n'),
    ...(alias && { deprecated: true }),
    ...(route.role === 'anyone' ? { security: [] } : { security: [{}, { token: [] }] }),
    parameters: [
      ...parameters(route.params, 'path', book),
      ...parameters(route.query, 'query', book),
      ...parameters(route.headers, 'header', book),
    ],
    ...(route.body !== undefined && { requestBody: requestBody(route, route.body, book) }),
    responses: { ...replies(route, book), ...problems(route, book) },
  };
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query' | 'header', book: SchemaBook): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...json } = book.add(field, 'output');
    const list = json.type === 'array';
    return {
      name: where === 'header' ? 'Idempotency-Key' : name,
      in: where,
      required: where === 'path',
      ...(description !== undefined && { description }),
      ...(list && { style: 'form', explode: false }),
      schema: json,
    };
  });
}

function requestBody(route: Route, body: z.ZodType, book: SchemaBook): Json {
  const schema = book.add(body, 'input');
  const content: Json = { 'application/json': { schema } };
  for (const media of route.streams ?? []) {
    content[media] ??= {
      schema: { type: 'string', description: 'One JSON object a line, each as one entry of `tasks`' },
    };
  }
  return { required: !route.bodyOptional, content };
}

function replies(route: Route, book: SchemaBook): Json {
  return Object.fromEntries(
    Object.entries(route.replies).map(([status, { description, body, media }]) => [
      status,
      {
        description,
        ...(body && { content: { 'application/json': { schema: book.add(body, 'output') } } }),
        ...(media && { content: { [media]: { schema: { type: 'string' } } } }),
      },
    ]),
  );
}

/** Each status once, with the codes that it stands for. */
function problems(route: Route, book: SchemaBook): Json {
  const schema = book.add(Problem, 'output');
  const codes: readonly ErrorCode[] =
    route.role === 'anyone'
      ? route.errors
      : [
          ...route.errors,
          ...COMMON_ERRORS,
          ...(isWrite(route) && route.whileReadOnly === undefined ? WRITE_ERRORS : []),
          ...(route.body === undefined ? [] : BODY_ERRORS),
        ];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes))
    byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      String(status),
      {
        description: of.map((code) => `${ERRORS[code].title} (\`${code}\`)`).join('; '),
        content: { [PROBLEM_MEDIA]: { schema } },
      },
    ]),
  );
}
