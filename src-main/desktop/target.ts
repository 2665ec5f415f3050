/** What a window can be opened on, and the server that is run for it. One window, one target, one server. */
import type { Environment } from '../bridge/contract';

export interface Target {
  /** Tells targets apart: one window each. */
  key: string;
  /** Null for the local queue, and for what the command line or the environment named. */
  profileId: string | null;
  name: string;
  environment: Environment;
  /**
   * Options of the configuration, by their names in config.json, that say where Redis is, its name and its safe mode. They stand
   * in place of all that is configured on that. Null: as configured.
   */
  connection: Readonly<Record<string, unknown>> | null;
}

/** The queue on this machine, which needs nothing, whatever is configured. */
export const LOCAL_TARGET: Target = {
  key: 'local',
  profileId: null,
  name: 'Local queue',
  environment: 'local',
  connection: { profile_name: 'Local queue', environment: 'local' },
};

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
