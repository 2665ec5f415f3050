/**
 * May this user do what a queue does? One script tries every command on keys of its own under the prefix, as a real
 * script would, and removes them again; the few commands used outside scripts are tried one by one. Nothing is left,
 * and nobody's task is touched.
 */
import { randomName } from '#queue/kernel/ids';
import { type ProbeConnection, ProbeError } from '#queue/redis/probe';
import { type Finding, fail, ok } from './check';

type Command = readonly [name: string, ...args: string[]];

/** Within scripts: `@hash` and the like stand for a key of that type. DEL comes first: without it nothing is written. */
export const SCRIPT_COMMANDS: readonly Command[] = [
  ['DEL', '@none'],
  ['UNLINK', '@none'],
  ['EXISTS', '@none'],
  ['TIME'],
  ['SET', '@string', 'value'],
  ['MSET', '@string', 'value'],
  ['GET', '@string'],
  ['MGET', '@string'],
  ['APPEND', '@string', 'x'],
  ['STRLEN', '@string'],
  ['GETRANGE', '@string', '0', '1'],
  ['SETRANGE', '@string', '0', 'v'],
  ['PEXPIRE', '@string', '60000'],
  ['HSET', '@hash', 'field', '1'],
  ['HGET', '@hash', 'field'],
  ['HMGET', '@hash', 'field'],
  ['HGETALL', '@hash'],
  ['HEXISTS', '@hash', 'field'],
  ['HINCRBY', '@hash', 'field', '1'],
  ['HLEN', '@hash'],
  ['HKEYS', '@hash'],
  ['HSCAN', '@hash', '0'],
  ['HDEL', '@hash', 'other'],
  ['ZADD', '@zset', '1', 'member'],
  ['ZCARD', '@zset'],
  ['ZCOUNT', '@zset', '0', '1'],
  ['ZSCORE', '@zset', 'member'],
  ['ZMSCORE', '@zset', 'member'],
  ['ZRANK', '@zset', 'member'],
  ['ZSCAN', '@zset', '0'],
  ['ZRANGE', '@zset', '0', '0'],
  ['ZREVRANGE', '@zset', '0', '0'],
  ['ZRANGEBYSCORE', '@zset', '0', '1'],
  ['ZREVRANGEBYSCORE', '@zset', '1', '0'],
  ['ZREM', '@zset', 'other'],
  ['ZREMRANGEBYRANK', '@zset', '5', '6'],
  ['ZPOPMIN', '@zset'],
  ['SADD', '@set', 'member'],
  ['SCARD', '@set'],
  ['SMEMBERS', '@set'],
  ['SISMEMBER', '@set', 'member'],
  ['SREM', '@set', 'other'],
  ['LPUSH', '@list', 'value'],
  ['RPUSH', '@list', 'value'],
  ['LLEN', '@list'],
  ['LRANGE', '@list', '0', '0'],
  ['LREM', '@list', '0', 'other'],
  ['LTRIM', '@list', '0', '10'],
  ['LPOP', '@list'],
  ['XADD', '@stream', '*', 'field', 'value'],
  ['XLEN', '@stream'],
  ['XRANGE', '@stream', '-', '+'],
  ['XTRIM', '@stream', 'MAXLEN', '10'],
];

/** Outside of scripts. */
const DIRECT_COMMANDS: readonly Command[] = [
  ['INFO', 'server'],
  ['TIME'],
  ['SCRIPT', 'LOAD', 'return 1'],
  ['XREAD', 'COUNT', '1', 'STREAMS', '@stream', '0'],
  ['XRANGE', '@stream', '-', '+', 'COUNT', '1'],
  ['BLPOP', '@list', '0.01'],
];

const TRY_ALL = `
local refused = {}
for _, command in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = command[1] .. '|' .. reply.err
    if command[1] == 'DEL' then return refused end
  end
end
redis.pcall('DEL', unpack(KEYS))
return refused
`;

const TYPES = ['none', 'string', 'hash', 'zset', 'set', 'list', 'stream'] as const;

/**
 * @param user the ACL user that was asked for; null for the default one
 * @param name of the queue that the keys are of; in a cluster, one that lies on the node that is asked
 */
export async function checkRights(
  connection: ProbeConnection,
  prefix: string,
  user: string | null,
  name = randomName('doctor'),
): Promise<Finding> {
  const base = `${prefix}:{${name}}:`;
  const keys = TYPES.map((type) => base + type);
  const filled = (commands: readonly Command[]) =>
    commands.map((words) => words.map((word) => (word.startsWith('@') ? base + word.slice(1) : word)));

  const refused = new Map<string, string>();
  try {
    const reply = await connection.call('EVAL', TRY_ALL, keys.length, ...keys, JSON.stringify(filled(SCRIPT_COMMANDS)));
    for (const line of Array.isArray(reply) ? reply.map(String) : []) {
      const bar = line.indexOf('|');
      refused.set(line.slice(0, bar), line.slice(bar + 1));
    }
  } catch (error) {
    refused.set('EVAL', deniedText(error));
  }
  for (const [name = '', ...args] of filled(DIRECT_COMMANDS)) {
    try {
      await connection.call(name, ...args);
    } catch (error) {
      refused.set(name === 'SCRIPT' ? 'SCRIPT|LOAD' : name, deniedText(error));
    }
  }
  return report(refused, prefix, user ?? 'default');
}

function report(refused: ReadonlyMap<string, string>, prefix: string, user: string): Finding {
  if (refused.size === 0) return ok(`user ${user} may do all that a queue needs on ${prefix}:*`);
  const reasons = [...refused.values()];
  if (reasons.every((reason) => /can't access|access one of the keys/i.test(reason))) {
    return fail(`user ${user} may not use keys under ${prefix}:`, `ACL SETUSER ${user} ~${prefix}:*`);
  }
  const other = reasons.find((reason) => !/permission|can't (run|access)/i.test(reason));
  if (other !== undefined) return fail(`the commands of a queue fail: ${other}`, null);
  const names = [...refused.keys()];
  const rules = names.map((name) => `+${name.toLowerCase()}`).join(' ');
  return fail(`user ${user} may not use ${names.join(', ')}`, `ACL SETUSER ${user} ~${prefix}:* ${rules}`);
}

function deniedText(error: unknown): string {
  if (error instanceof ProbeError && (error.code === 'denied' || error.code === 'refused')) return error.message;
  throw error;
}
