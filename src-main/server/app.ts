/**
 * The whole API as one request handler. Through a socket every request passes the guard, the rate limits and the token;
 * the command line mounts it inside its own process and calls with an identity of its own.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { QueueError } from '#queue/contract/errors';
import type { Route } from '#queue/contract/http';
import { type RouteName, routes } from '#queue/contract/http-routes';
import { ApiMetrics } from './api-metrics';
import { Auditor } from './auditor';
import { Authenticator, type Identity, tokenOf } from './auth';
import { dashboardFile } from './dashboard-files';
import { type AnyHandler, dispatch } from './dispatch';
import { DOCS_ASSETS, docsAsset } from './docs-page';
import { FleetView } from './fleet-view';
import { checkRequest, corsHeaders, type HostPolicy } from './guard';
import type { HandlerDeps, Handlers } from './handlers';
import { allowedMethods, honoPath, pathPatterns } from './path-table';
import { problemResponse, toQueueError } from './problem';
import { RateLimits } from './rate-limits';
import { createFleetHandlers } from './routes/fleet';
import { createOperationHandlers } from './routes/operations';
import { createQueueHandlers } from './routes/queues';
import { createScheduleHandlers } from './routes/schedules';
import { createSessionHandlers } from './routes/session';
import { createSystemHandlers } from './routes/system';
import { createTaskHandlers } from './routes/tasks';
import { addSecurityHeaders } from './security-headers';
import type { ServerDeps } from './settings';

interface AppEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { route: string };
}
export type App = Hono<AppEnv>;

/** How requests come in. */
export type Access =
  /** From code in this process: no guard, no limits, no token. */
  | { kind: 'trusted'; caller: Identity }
  /** From a socket. `policy` is asked for each time, as the port is known only once it is bound. */
  | { kind: 'network'; policy: () => HostPolicy; authenticator: Authenticator };

export const TRUSTED_CALLER: Identity = { name: 'local', role: 'admin', via: 'trusted' };

export function createHandlers(deps: HandlerDeps): Handlers {
  return {
    ...createTaskHandlers(deps),
    ...createQueueHandlers(deps),
    ...createOperationHandlers(deps),
    ...createFleetHandlers(deps),
    ...createScheduleHandlers(),
    ...createSessionHandlers(deps),
    ...createSystemHandlers(deps),
  };
}

export function createApp(deps: ServerDeps, access: Access = { kind: 'trusted', caller: TRUSTED_CALLER }): App {
  const { clock, log, settings } = deps;
  const fleet = new FleetView(deps);
  const authenticator =
    access.kind === 'network'
      ? access.authenticator
      : new Authenticator({ keys: deps.keys, clock, tokens: settings.tokens, required: true });
  const apiMetrics = new ApiMetrics({
    fleet,
    metrics: deps.metrics,
    redis: deps.redis,
    clock,
    log,
    ofProcess: access.kind === 'network',
  });
  const handlerDeps: HandlerDeps = { ...deps, fleet, authenticator, apiMetrics, auditor: new Auditor(deps.audit, log) };
  const handlers = createHandlers(handlerDeps);
  const limits = new RateLimits(settings.rateLimit);
  const table: Record<string, Route> = routes;
  const patterns = pathPatterns(table);
  const app: App = new Hono<AppEnv>({ strict: false });

  app.use(async (c, next) => {
    const startedAt = clock.monotonic();
    await next();
    addSecurityHeaders(c.res.headers);
    const route = c.get('route') ?? 'other';
    const seconds = (clock.monotonic() - startedAt) / 1000;
    apiMetrics.observe(c.req.method, route, c.res.status, seconds);
    log.debug('request', {
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(seconds * 1e6) / 1000,
    });
  });

  if (access.kind === 'network') {
    app.use(async (c, next) => {
      checkRequest(c.req.header(), access.policy());
      if (!isProbe(c.req.path)) await limits.request(addressOf(c.env));
      await next();
      for (const [name, value] of Object.entries(corsHeaders(c.req.header(), access.policy())))
        c.res.headers.set(name, value);
    });
  }

  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const handler = handlers[name] as unknown as AnyHandler; // its types are those of `route`, by which dispatch parses
    app.on(route.method, [route.path, ...(route.aliases ?? [])].map(honoPath), async (c) => {
      c.set('route', route.path);
      const caller = await identify(route, c.req.header(), addressOf(c.env));
      return dispatch(route, handler, { request: c.req.raw, params: c.req.param(), caller }, handlerDeps);
    });
  }

  app.get('/docs/:asset', async (c) => {
    const asset = DOCS_ASSETS.includes(c.req.param('asset'))
      ? await docsAsset(settings.docsAssetsDir, c.req.param('asset'))
      : null;
    return asset ?? notFound(c.req.path);
  });

  app.notFound(async (c) => {
    const { path, method } = c.req;
    const allow = allowedMethods(patterns, path);
    if (allow !== null) {
      if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
      return problemResponse(new QueueError('METHOD_NOT_ALLOWED', `${path} takes ${allow}`), { allow });
    }
    if (/^\/ws\/?$/.test(path)) return problemResponse(new QueueError('BAD_REQUEST', 'connect with a WebSocket here'));
    if ((method !== 'GET' && method !== 'HEAD') || path.startsWith('/api/')) return notFound(path);
    const file = await dashboardFile(settings.dashboardDir, path, {
      host: c.req.header('host') ?? null,
      wantsPage: c.req.header('accept')?.includes('text/html') ?? false,
      etag: c.req.header('if-none-match') ?? null,
    });
    return file ?? notFound(path);
  });

  app.onError((error) => {
    const known = toQueueError(error, log);
    const retryAfter = known.extra.retry_after;
    return problemResponse(known, {
      ...(typeof retryAfter === 'number' && { 'retry-after': String(retryAfter) }),
    });
  });

  async function identify(route: Route, headers: Record<string, string>, address: string): Promise<Identity> {
    if (access.kind === 'trusted') return access.caller;
    if (route.role === 'anyone') return { name: 'anyone', role: 'viewer', via: 'open' };
    if (tokenOf(headers) !== null) await limits.mayTryToken(address);
    try {
      const caller = await access.authenticator.authenticate(headers);
      if (caller.via !== 'open') await limits.keyRequest(`${caller.via} ${caller.name}`);
      return caller;
    } catch (error) {
      if (error instanceof QueueError && error.code === 'UNAUTHENTICATED' && tokenOf(headers) !== null)
        await limits.tokenFailed(address);
      throw error;
    }
  }

  return app;
}

/** Probes are never turned away: the process would be taken for dead. */
const isProbe = (path: string): boolean => /^\/(healthz|readyz|health)\/?$/.test(path);

const addressOf = (env: Partial<HttpBindings> | undefined): string => env?.incoming?.socket.remoteAddress ?? 'unknown';

const notFound = (path: string): Response =>
  problemResponse(new QueueError('NOT_FOUND', `nothing is served at ${path.slice(0, 200)}`));
