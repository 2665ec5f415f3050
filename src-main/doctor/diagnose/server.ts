/** What the server would do with our tasks: version, role, eviction, persistence and memory, as one finding. */
import type { RedisOptions } from '#queue/redis/options';
import { type ProbeConnection, ProbeError } from '#queue/redis/probe';
import { type Finding, fail, skipped } from '../check';
import { checkRole, checkVersion } from '../connection-checks';
import { checkEviction, checkMemory, checkPersistence, keepsNothing } from '../storage-checks';

const WORST = ['fail', 'warn', 'ok', 'skipped'] as const;

export async function checkServer(connection: ProbeConnection, kind: RedisOptions['kind']): Promise<Finding> {
  const info = await unlessDenied(connection.info());
  if (info === null) return skipped('This user may not read INFO: ACL SETUSER <user> +info tells more.');
  const appendfsync = await unlessDenied(connection.configGet('appendfsync'));
  const save = await unlessDenied(connection.configGet('save'));
  const persistence = keepsNothing(info, save)
    ? fail('neither AOF nor snapshots: every task is lost when Redis restarts', 'CONFIG SET appendonly yes')
    : checkPersistence(info, appendfsync);
  const findings = [checkVersion(info), checkRole(info, kind), checkEviction(info), persistence, checkMemory(info)];
  const state = WORST.find((candidate) => findings.some((finding) => finding.state === candidate)) ?? 'ok';
  const told = findings.filter((finding) => finding.state === state || finding.state === 'ok');
  const worstFirst = told.sort((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state));
  const cures = worstFirst.flatMap(({ cure }) => (cure === null ? [] : [cure]));
  return {
    state,
    detail: `${worstFirst.map(({ detail }) => detail).join('; ')}.`,
    cure: cures.length === 0 ? null : cures.join('; '),
  };
}

function unlessDenied<T>(promise: Promise<T>): Promise<T | null> {
  return promise.catch((error: unknown) => {
    if (error instanceof ProbeError && (error.code === 'denied' || error.code === 'refused')) return null;
    throw error;
  });
}
