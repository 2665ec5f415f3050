/** What a window can be opened on, and the server that is run for it. One window, one target, one server. */
import type { Environment, SafetyLevel } from '#queue/contract/session';
import type { Profile } from '../bridge/profiles-contract';
import type { ProfileRedis } from '../config/profile-redis';
import type { WantedConnection } from './profiles/handlers';

/** Stands in place of all that is configured on Redis, its name and its safe mode. It may hold a password. */
export interface TargetConnection {
  /** Null: the local queue. */
  redis: ProfileRedis | null;
  prefix: string;
  safety: SafetyLevel;
}

export interface Target {
  /** Tells targets apart: one window each. */
  key: string;
  name: string;
  /** Null: a remote that nobody has labelled; it is taken for production. */
  environment: Environment | null;
  /** Null: as configured. */
  connection: TargetConnection | null;
}

/** All profiles of the local queue are one target: there is one local Redis. */
export const LOCAL_KEY = 'local';

export const keyOf = ({ kind, id }: Pick<Profile, 'kind' | 'id'>): string => (kind === 'local' ? LOCAL_KEY : id);

export const targetOf = ({ profile, environment, safety, redis }: WantedConnection): Target => ({
  key: keyOf(profile),
  name: profile.name,
  environment,
  connection: { redis, prefix: profile.prefix, safety },
});

/** API, stream and workers of one target, in this process. */
export interface HostedServer {
  /** `http://127.0.0.1:54321`. */
  readonly url: string;
  /** What callers need; null where they need none. */
  readonly token: string | null;
  readonly runningTasks: number;
  stop(): Promise<void>;
  stopNow(): Promise<void>;
  leaveWorkers(): Promise<void>;
}
/** Starts it. @throws with a sentence for people */
export type OpenServer = (target: Target) => Promise<HostedServer>;
