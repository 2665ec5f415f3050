/** Do the sentinels answer, and do they agree on one primary? Every one is asked by itself. */
import type { RedisNode, RedisOptions } from '#queue/redis/options';
import { type ProbeConnection, ProbeError, type ProbeTarget, probe } from '#queue/redis/probe';
import { fail, ok, warn } from '../check';
import { hostPort } from './network';
import type { Found } from './steps';

interface Vote {
  sentinel: string;
  /** Null where it knows no such set, or did not answer. */
  primary: RedisNode | null;
  quorum: number | null;
  problem: string;
}

/** @param at how to reach and sign in to one of them */
export async function checkSentinels(
  redis: RedisOptions,
  at: (node: RedisNode) => ProbeTarget,
  onPrimary: (node: RedisNode) => void,
): Promise<Found> {
  const master = redis.master ?? '';
  const votes = await Promise.all(redis.nodes.map((node) => ask(node, at(node), master)));
  const count = votes.length;
  const counted = new Map<string, { node: RedisNode; votes: number }>();
  for (const { primary } of votes) {
    if (primary === null) continue;
    const entry = counted.get(hostPort(primary)) ?? { node: primary, votes: 0 };
    counted.set(hostPort(primary), { ...entry, votes: entry.votes + 1 });
  }
  const [best] = [...counted.values()].sort((a, b) => b.votes - a.votes);
  const problems = votes.flatMap(({ problem }) => (problem === '' ? [] : [problem])).join(' ');
  if (best === undefined)
    return fail(problems, 'Check the name of the set (sentinel monitor <name> …) and the addresses.');
  const address = `${best.votes} of ${count} agree on ${hostPort(best.node)}`;
  if (counted.size > 1 && best.votes * 2 <= count) {
    const named = [...counted.keys()].join(', ');
    return {
      ...fail(`They name different primaries: ${named}.`, 'Wait for the failover to end; then look at SENTINEL RESET.'),
      address,
    };
  }
  onPrimary(best.node);
  const quorum = votes.find((vote) => vote.quorum !== null)?.quorum ?? null;
  const spare = quorumText(quorum, best.votes);
  if (best.votes === count) return { ...ok(spare), address };
  const split =
    counted.size > 1
      ? `Others name ${[...counted.keys()].filter((key) => key !== hostPort(best.node)).join(', ')}.`
      : '';
  const detail = [problems, split, spare].filter((text) => text !== '').join(' ');
  return { ...warn(detail, 'Bring the missing sentinels back, or take their addresses out.'), address };
}

async function ask(node: RedisNode, target: ProbeTarget, master: string): Promise<Vote> {
  const sentinel = hostPort(node);
  const silent = (problem: string): Vote => ({ sentinel, primary: null, quorum: null, problem });
  try {
    return await probe(target, async (connection) => {
      const reply = await connection.call('SENTINEL', 'get-master-addr-by-name', master);
      if (!Array.isArray(reply)) return silent(`${sentinel} knows no set “${master}”${await knownSets(connection)}.`);
      const primary = { host: String(reply[0]), port: Number(reply[1]) };
      return { sentinel, primary, quorum: await quorumOf(connection, master), problem: '' };
    });
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    return silent(`${sentinel} did not answer: ${error.message}.`);
  }
}

async function knownSets(connection: ProbeConnection): Promise<string> {
  const sets = await connection.call('SENTINEL', 'masters').catch(() => null);
  const names = Array.isArray(sets) ? sets.map((set) => fieldOf(set, 'name')).filter((name) => name !== null) : [];
  return names.length === 0 ? '' : `, but ${names.join(', ')}`;
}

async function quorumOf(connection: ProbeConnection, master: string): Promise<number | null> {
  const quorum = fieldOf(await connection.call('SENTINEL', 'master', master).catch(() => null), 'quorum');
  return quorum === null ? null : Number(quorum);
}

/** Of a reply that is field, value, field, value, … */
function fieldOf(reply: unknown, name: string): string | null {
  if (!Array.isArray(reply)) return null;
  const at = reply.findIndex((field, index) => index % 2 === 0 && field === name);
  return at === -1 ? null : String(reply[at + 1]);
}

function quorumText(quorum: number | null, agree: number): string {
  if (quorum === null) return '';
  if (agree < quorum) return `A failover needs ${quorum} and would not happen.`;
  return agree === quorum
    ? `A failover has its quorum of ${quorum}, with none to spare.`
    : `A failover needs ${quorum} of them.`;
}
