/** Are all slots of the cluster served, and does each of its nodes answer us? */
import { z } from 'zod';
import { randomName } from '#queue/kernel/ids';
import type { RedisNode } from '#queue/redis/options';
import { type ProbeConnection, ProbeError, type ProbeTarget, probe } from '#queue/redis/probe';
import { fail, ok, warn } from '../check';
import { hostPort } from './network';
import type { Found } from './steps';

const SLOTS = 16_384;
const NAME_TRIES = 1000;

const SlotNode = z.tuple([z.string(), z.number()]).rest(z.unknown());
const SlotRange = z.tuple([z.number(), z.number(), SlotNode]).rest(SlotNode);
type SlotRange = z.infer<typeof SlotRange>;

/** @param at how to reach and sign in to one of the nodes */
export async function checkCluster(entry: RedisNode, at: (node: RedisNode) => ProbeTarget): Promise<Found> {
  const asked = await probe(at(entry), async (connection) => {
    const info = await connection.info('cluster');
    return info.get('cluster_enabled') === '1' ? await slotsOf(connection) : null;
  });
  if (asked === null) return fail('This server is no cluster.', 'Choose “Standalone” as the topology.');
  const served = asked.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  // An empty host is the node that was asked.
  const nodeOf = ([host, port]: z.infer<typeof SlotNode>): RedisNode => ({
    host: host === '' ? entry.host : host,
    port,
  });
  const primaries = unique(asked.map((range) => nodeOf(range[2])));
  const replicas = unique(asked.flatMap((range) => range.slice(3).map((node) => nodeOf(SlotNode.parse(node)))));
  const [deadPrimaries, deadReplicas] = await Promise.all([silentOf(primaries, at), silentOf(replicas, at)]);
  const address = `${served} of ${SLOTS} slots on ${primaries.length} primaries, ${replicas.length} replicas`;
  const where = primaries.map(hostPort).join(', ');
  const announce =
    'Check the firewall, and cluster-announce-ip of those nodes: clients go to the addresses that they announce.';
  if (served < SLOTS) {
    return {
      ...fail(`${SLOTS - served} slots have no node. Primaries: ${where}.`, 'redis-cli --cluster fix <host:port>'),
      address,
    };
  }
  if (deadPrimaries.length > 0) return { ...fail(deadPrimaries.join(' '), announce), address };
  if (deadReplicas.length > 0) return { ...warn(deadReplicas.join(' '), announce), address };
  return { ...ok(`Each of them answers: ${where}.`), address };
}

async function slotsOf(connection: ProbeConnection): Promise<SlotRange[]> {
  return z.array(SlotRange).parse(await connection.call('CLUSTER', 'SLOTS'));
}

function unique(nodes: readonly RedisNode[]): RedisNode[] {
  return [...new Map(nodes.map((node) => [hostPort(node), node])).values()];
}

async function silentOf(nodes: readonly RedisNode[], at: (node: RedisNode) => ProbeTarget): Promise<string[]> {
  const problems = await Promise.all(
    nodes.map((node) =>
      probe(at(node), (connection) => connection.ping()).then(
        () => '',
        (error: unknown) => {
          if (!(error instanceof ProbeError)) throw error;
          return `${hostPort(node)} does not answer: ${error.message}.`;
        },
      ),
    ),
  );
  return problems.filter((problem) => problem !== '');
}

/** A name for a queue whose keys lie on the node that is asked. @throws {ProbeError} */
export async function nameOnThisNode(connection: ProbeConnection, prefix: string): Promise<string> {
  const me = String(await connection.call('CLUSTER', 'MYID'));
  const mine = (await slotsOf(connection)).filter((range) => range[2][2] === me);
  for (let tries = 0; tries < NAME_TRIES; tries++) {
    const name = randomName('doctor');
    const slot = Number(await connection.call('CLUSTER', 'KEYSLOT', `${prefix}:{${name}}:key`));
    if (mine.some(([from, to]) => slot >= from && slot <= to)) return name;
  }
  throw new ProbeError('refused', 'this node of the cluster serves no slots');
}
