/** Handlers about the connection itself: whom one talks to, safe mode, and how Redis does. */
import type { sessionRoutes } from '#queue/contract/http-session';
import { isoTime } from '#queue/contract/primitives';
import type { HandlerDeps, HandlersOf } from '../handlers';

export function createSessionHandlers(deps: HandlerDeps): HandlersOf<typeof sessionRoutes> {
  const { settings, safety, redis: probe, redisGauge, auditor, clock } = deps;
  const target = settings.profile.name ?? settings.profile.redis;

  return {
    async getSession({ caller }) {
      const { redis } = await redisGauge.get();
      return {
        status: 200,
        body: {
          profile: settings.profile,
          actor: { name: caller.name, role: caller.role },
          safety: safety.state,
          capabilities: safety.capabilitiesOf(caller),
          version: settings.version,
          store_refusal: await probe.refusal(),
          now: isoTime(clock.now()),
          redis_time_offset_ms: redis.clock_offset_ms,
        },
      };
    },

    async unlockSession({ body: { reason, minutes }, caller }) {
      safety.requireLock();
      await auditor.recordFirst(caller, 'session.unlock', target, `${minutes} min: ${reason}`);
      return { status: 200, body: safety.unlock(caller.name, minutes) };
    },

    async lockSession({ caller }) {
      const unlocked = !safety.locked;
      const state = safety.lock();
      if (unlocked) await auditor.record(caller, 'session.lock', target);
      return { status: 200, body: state };
    },

    async getSystem() {
      return { status: 200, body: await redisGauge.get() };
    },
  };
}
