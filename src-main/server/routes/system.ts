/** Handlers about the process itself: health, metrics, audit, keys and documentation. */
import { randomBytes } from 'node:crypto';
import { QueueError } from '#queue/contract/errors';
import type { systemRoutes } from '#queue/contract/http-system';
import { LIMITS } from '#queue/contract/limits';
import { isoTime } from '#queue/contract/primitives';
import { randomName } from '#queue/kernel/ids';
import { hashToken } from '../auth';
import { docsPage } from '../docs-page';
import type { HandlerDeps, HandlersOf } from '../handlers';
import { openApiDocument } from '../openapi';
import type { StoredKey } from '../ports';
import { invalid } from '../problem';
import { answers } from '../redis-watch';
import { notYet } from './schedules';

/** Keys begin with it, so that one that leaked is found by a search. */
const KEY_PREFIX = 'mrk_';
const KEY_BYTES = 32;
/** Where no step is asked for: about so many points. */
const POINTS = 360;

export function createSystemHandlers(deps: HandlerDeps): HandlersOf<typeof systemRoutes> {
  const { redis, clock, settings, metrics, audit, keys, auditor, authenticator, apiMetrics } = deps;
  const startedAt = clock.monotonic();
  let document: Record<string, unknown> | undefined;
  const shown = ({ id, name, role, createdAt }: StoredKey) => ({ id, name, role, created_at: isoTime(createdAt) });

  return {
    async timeseries({ query: { range, step, queue, depths } }) {
      const stepSeconds = step ?? Math.max(10, Math.ceil(range / POINTS / 10) * 10);
      if (range / stepSeconds > LIMITS.timeseriesPoints) {
        throw invalid([{ path: 'step', message: `gives more than ${LIMITS.timeseriesPoints} points for this range` }]);
      }
      return {
        status: 200,
        body: await metrics.timeseries({
          rangeSeconds: range,
          stepSeconds,
          queue: queue ?? null,
          depthsOf: depths ?? null,
        }),
      };
    },

    getAlerts: notYet,
    setAlerts: notYet,

    async listAudit({ query }) {
      const page = await audit.list({ limit: query.limit, cursor: query.cursor ?? null });
      return { status: 200, body: { audit: page.entries, next_cursor: page.nextCursor } };
    },

    async listKeys() {
      const stored = await keys.list();
      return { status: 200, body: { keys: stored.sort((a, b) => (a.name < b.name ? -1 : 1)).map(shown) } };
    },

    async createKey({ body: { name, role }, caller }) {
      if ((await keys.list()).some((key) => key.name === name))
        throw new QueueError('CONFLICT', `there is a key named "${name}" already`);
      const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
      const stored = { id: randomName('key'), name, role, createdAt: clock.now(), sha256: hashToken(key) };
      await keys.add(stored);
      authenticator.forgetKeys();
      await auditor.record(caller, 'key.create', stored.id, `${name}, ${role}`);
      return { status: 201, body: { ...shown(stored), key } };
    },

    async deleteKey({ params: { id }, caller }) {
      if (!(await keys.remove(id))) throw new QueueError('NOT_FOUND', `there is no key ${id}`);
      authenticator.forgetKeys();
      await auditor.record(caller, 'key.delete', id);
      return { status: 204 };
    },

    async health() {
      const up = await answers(redis, clock);
      const body = { version: settings.version, uptime: Math.round(clock.monotonic() - startedAt) / 1000 };
      if (!up) return { status: 503, body: { status: 'degraded', redis: 'down', ...body } };
      const detail = await redis.refusal();
      return detail === null
        ? { status: 200, body: { status: 'ok', redis: 'up', ...body } }
        : { status: 503, body: { status: 'degraded', redis: 'up', ...body, detail } };
    },

    async liveness() {
      return { status: 200, body: { status: 'ok' } };
    },

    async readiness() {
      return (await answers(redis, clock)) && (await redis.refusal()) === null
        ? { status: 200, body: { status: 'ready' } }
        : { status: 503, body: { status: 'not ready' } };
    },

    async prometheus() {
      return new Response(await apiMetrics.text(), { headers: { 'content-type': apiMetrics.contentType } });
    },

    async openapi() {
      document ??= openApiDocument(settings.version);
      return { status: 200, body: document };
    },

    async docs() {
      return docsPage(settings.docsAssetsDir !== null);
    },
  };
}
