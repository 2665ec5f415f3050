/** Will Redis keep what it was given? Eviction, persistence and memory, from INFO, which most users may read. */
import { type Finding, fail, ok, sizeText, skipped, warn } from './check';

type Info = ReadonlyMap<string, string>;

export function checkEviction(info: Info): Finding {
  const policy = info.get('maxmemory_policy');
  if (policy === undefined) return skipped('the server does not tell its eviction policy');
  if (policy === 'noeviction') return ok('noeviction');
  const cure = 'CONFIG SET maxmemory-policy noeviction, and the same line in redis.conf';
  return policy.startsWith('allkeys')
    ? fail(`${policy}: when memory is full, Redis deletes tasks without a word`, cure)
    : warn(`${policy}: when memory is full, Redis deletes what has a lifetime, as idempotency keys have`, cure);
}

/** @param appendfsync null where CONFIG may not be read */
export function checkPersistence(info: Info, appendfsync: string | null): Finding {
  const aof = info.get('aof_enabled');
  if (aof === undefined) return skipped('the server does not tell how it keeps its data');
  const turnOn = 'CONFIG SET appendonly yes, and appendonly yes with appendfsync everysec in redis.conf';
  if (aof === '1') {
    if (info.get('aof_last_write_status') !== 'ok') {
      return fail('the last write to the AOF failed: the server takes no more writes', 'Look at its disk and its log.');
    }
    if (info.get('aof_last_bgrewrite_status') === 'err') {
      return warn(
        'the last rewrite of the AOF failed: it grows on',
        'Look at the disk space and the memory of the server.',
      );
    }
    if (appendfsync === 'no') {
      return warn(
        'AOF with appendfsync no: a power cut may cost half a minute of tasks',
        'CONFIG SET appendfsync everysec',
      );
    }
    return ok(`AOF${appendfsync === null ? '' : `, appendfsync ${appendfsync}`}`);
  }
  if (info.get('rdb_last_bgsave_status') === 'err') {
    return fail('AOF is off and the last snapshot failed', `${turnOn}; look at the disk and the log of the server`);
  }
  return warn('AOF is off: tasks accepted since the last snapshot are lost when Redis crashes', turnOn);
}

/** With no AOF and no snapshots nothing is kept at all. @param save the `save` parameter; null where CONFIG may not be read */
export function keepsNothing(info: Info, save: string | null): boolean {
  return info.get('aof_enabled') === '0' && save === '';
}

const FULL = 0.95;
const TIGHT = 0.8;

export function checkMemory(info: Info): Finding {
  const used = Number(info.get('used_memory'));
  if (!Number.isFinite(used)) return skipped('the server does not tell its memory');
  const limit = Number(info.get('maxmemory') ?? 0);
  const system = Number(info.get('total_system_memory') ?? 0);
  const bound = limit > 0 ? limit : system;
  if (bound === 0) return ok(`${sizeText(used)} used, no limit`);
  const share = used / bound;
  const text = `${sizeText(used)} of ${sizeText(bound)} used (${Math.round(share * 100)} %${limit > 0 ? ', maxmemory' : ' of the machine'})`;
  const cure =
    limit > 0
      ? 'Raise maxmemory, or keep finished tasks for a shorter time.'
      : 'Give the machine more memory, and set maxmemory so that Redis refuses writes before the system ends it.';
  if (share >= FULL) return fail(`${text}: submits are refused when it is full`, cure);
  if (share >= TIGHT) return warn(text, cure);
  return ok(text);
}
