/** Are the keys of the queues what Millrace makes them? And has the upkeep had to put something right? */
import { z } from 'zod';
import { type ProbeConnection, ProbeError } from '#queue/redis/probe';
import { type Finding, fail, ok, skipped, warn } from './check';

/** Queues that are looked at, the first by name; and faults that are told of. */
const MOST_QUEUES = 1000;
const MOST_TOLD = 10;

const TYPES: Readonly<Record<string, string>> = {
  meta: 'hash',
  ...Object.fromEntries(
    [
      'pending',
      'parked',
      'scheduled',
      'retrying',
      'blocked',
      'leases',
      'completed',
      'failed',
      'cancelled',
      'expiring',
      'ix:n',
    ].map((name) => [name, 'zset']),
  ),
  ...Object.fromEntries(['active', 'progress', 'unique', 'groups', 'served'].map((name) => [name, 'hash'])),
  types: 'set',
  events: 'stream',
  wake: 'list',
  outbox: 'list',
};

/** One call a queue. @returns pairs (key, type that it has) for each that is wrong, then what was put right, and when */
const LOOK = `#!lua flags=no-writes
local found = {}
for i = 1, #ARGV, 2 do
  local kind = redis.call('TYPE', string.sub(KEYS[1], 1, -5) .. ARGV[i]).ok
  if kind ~= 'none' and kind ~= ARGV[i + 1] then found[#found + 1] = ARGV[i] .. ' is a ' .. kind .. ', not a ' .. ARGV[i + 1] end
end
local sums = redis.pcall('HMGET', KEYS[1], 'repaired', 'repaired_at')
return { found, sums.err and '' or sums[1] or '', sums.err and '' or sums[2] or '' }`;
const Reply = z.tuple([z.array(z.string()), z.string(), z.string()]);

export async function checkQueues(connection: ProbeConnection, prefix: string): Promise<Finding> {
  const wrong: string[] = [];
  const repaired: string[] = [];
  try {
    const names = z.array(z.string()).parse(await connection.call('SMEMBERS', `${prefix}:{_sys}:queues`));
    for (const queue of names.sort().slice(0, MOST_QUEUES)) {
      const key = `${prefix}:{${queue}}:`;
      const reply = await connection.call('EVAL', LOOK, 1, `${key}meta`, ...Object.entries(TYPES).flat());
      const [found, count, at] = Reply.parse(reply);
      wrong.push(...found.map((what) => `${key}${what}`));
      if (count !== '') repaired.push(`${count} in ${queue}, the last at ${new Date(Number(at)).toISOString()}`);
    }
    if (wrong.length > 0)
      return fail(
        `${wrong.slice(0, MOST_TOLD).join('; ')}: its queue stands still`,
        'Find out who wrote there, then DEL the key: the upkeep puts the tasks back that it finds in no set.',
      );
    if (repaired.length > 0)
      return warn(
        `tasks or keys were damaged and put right: ${repaired.slice(0, MOST_TOLD).join('; ')}`,
        'Find out who writes to these keys beside Millrace; its log has each repair.',
      );
    return ok(`${names.length} of them, their keys are what they should be`);
  } catch (error) {
    // Of a cluster, one node is looked at; and a user need not have these rights.
    if (!(error instanceof ProbeError) || (error.code !== 'denied' && !/MOVED/.test(error.message))) throw error;
    return skipped(`they cannot be looked at here: ${error.message}`);
  }
}
