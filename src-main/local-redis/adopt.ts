/**
 * Takes over the server that an earlier process left running, if it still runs. To be called under the lock.
 */
import type { Clock } from '#queue/kernel/clock';
import type { Log } from '#queue/kernel/log';
import { ProbeError } from '#queue/redis/probe';
import { askServer, HOST, type ServerFacts, waitUntilReady } from './ask';
import { LocalRedisError } from './local-redis-error';
import { commandLineOf, isAlive, markOf, type ProcessMark } from './process-mark';
import { portInConf } from './redis-conf';
import { forgetServer, type Layout, readOrNull, readServer, writeServer } from './server-file';
import type { OwnServer } from './start';
import { endProcess } from './stop';

export interface AdoptOptions {
  layout: Layout;
  password: string;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

const ANSWER_MS = 10_000;

/**
 * @returns null when there is none: nothing was left running, it has ended since, or its pid belongs to another program now
 * @throws {LocalRedisError} failed: a process that may be our server does not answer, and it cannot be told whether it is
 */
export async function adoptServer(options: AdoptOptions): Promise<OwnServer | null> {
  const { layout, password, clock, log, signal } = options;
  const record = readServer(layout);
  if (record === null) return adoptUnrecorded(options);
  const mark: ProcessMark = { pid: record.pid, startTicks: record.startTicks };
  const mayBeOurs = () => isAlive(mark) && runsOn(layout, mark) !== 'no';
  if (!mayBeOurs()) {
    log.warn('the local Redis has ended without a clean stop; its data is read again', { pid: mark.pid });
    forgetServer(layout);
    return null;
  }
  const address = { host: HOST, port: record.port, password };
  const facts = await waitUntilReady(address, { clock, signal, answerMs: ANSWER_MS, alive: mayBeOurs }).catch(
    (error: unknown) => {
      if (error instanceof ProbeError) return null; // somebody else answers at this port
      throw error;
    },
  );
  if (facts !== null && isSame(facts, record)) {
    writeServer(layout, { ...record, runId: facts.runId });
    log.info('adopted the local Redis that was left running', {
      pid: mark.pid,
      port: record.port,
      uptimeSeconds: facts.uptimeSeconds,
    });
    return { address, process: mark, ended: null };
  }
  if (signal.aborted) return null;
  if (mayBeOurs()) await endSilent(mark, options); // two servers must never write to one directory
  forgetServer(layout);
  return null;
}

/** Where server.json was lost: the port of the last configuration, asked once. Whoever knows our password is ours. */
async function adoptUnrecorded({ layout, password, clock, log, signal }: AdoptOptions): Promise<OwnServer | null> {
  const port = portInConf(readOrNull(layout.conf) ?? '');
  if (port === null) return null;
  const address = { host: HOST, port, password };
  const first = await askServer(address).catch(() => null);
  const mark = first && markOf(first.pid);
  if (!mark) return null;
  const facts = await waitUntilReady(address, { clock, signal, answerMs: ANSWER_MS, alive: () => isAlive(mark) });
  if (facts === null) return null;
  writeServer(layout, { ...mark, port, runId: facts.runId });
  log.warn('adopted a local Redis of which no record was left', { pid: mark.pid, port });
  return { address, process: mark, ended: null };
}

async function endSilent(mark: ProcessMark, { layout, clock, log }: AdoptOptions): Promise<void> {
  if (runsOn(layout, mark) === 'unknown') {
    throw new LocalRedisError(
      'failed',
      `process ${mark.pid} was the local Redis and does not answer. If it is a redis-server, end it; if not, remove ${layout.serverFile}. Then start again.`,
    );
  }
  log.warn('the local Redis does not answer; ending it', { pid: mark.pid });
  await endProcess(mark, clock);
}

/** The run id tells one server from every other; before it is known, the pid that the server itself reports does. */
const isSame = (facts: ServerFacts, record: { pid: number; runId: string | null }): boolean =>
  record.runId === null ? facts.pid === record.pid : facts.runId === record.runId;

/** Whether a process is the server of this directory. Its command line names the configuration file, before and after it sets its title. */
function runsOn(layout: Layout, mark: ProcessMark): 'yes' | 'no' | 'unknown' {
  const command = commandLineOf(mark.pid);
  if (command === null) return 'unknown';
  return command.join(' ').includes(layout.conf) ? 'yes' : 'no';
}
