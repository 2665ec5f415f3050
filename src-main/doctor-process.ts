/** Gives the doctor what it examines: the configuration, the server program, and the handlers as a worker loads them. */
import type { Clock } from '#queue/kernel/clock';
import { random } from '#queue/kernel/ids';
import type { Log } from '#queue/kernel/log';
import { HandlerLoadError, loadHandlers } from '#worker/loader';
import * as millrace from '#worker/millrace';
import type { Config } from './config';
import { type DoctorReport, runDoctor } from './doctor';
import type { HandlersLoaded } from './doctor/machine-checks';
import { findRedisProgram } from './local-redis/find';
import type { ProgramFiles } from './program-files';

export function diagnose(config: Config, deps: { files: ProgramFiles; clock: Clock; log: Log }): Promise<DoctorReport> {
  const { files, clock, log } = deps;
  const { redis, dataDir, api, handlersDir, searchPath } = config;
  return runDoctor({
    redis,
    findProgram: () => findRedisProgram({ resourcesDir: files.resourcesDir, searchPath }),
    dataDir,
    api: { host: api.host, port: api.port },
    loadHandlers: handlersDir === null ? null : () => loadFrom(handlersDir),
    clock,
    log,
    random,
  });
}

async function loadFrom(folder: string): Promise<HandlersLoaded> {
  try {
    const loaded = await loadHandlers([folder], { millrace });
    return { types: loaded.map(({ handler }) => handler.type), problems: [] };
  } catch (error) {
    if (!(error instanceof HandlerLoadError)) throw error;
    return { types: [], problems: error.faults.map(faultParts) };
  }
}

/** The loader tells a fault as `file: message`. */
function faultParts(fault: string): { file: string; message: string } {
  const colon = fault.indexOf(': ');
  return { file: fault.slice(0, Math.max(0, colon)), message: fault.slice(colon + 2) };
}
