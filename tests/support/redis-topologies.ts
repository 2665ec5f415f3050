/** A Sentinel set (1 primary, 2 replicas, 3 sentinels) and a Cluster (3 masters with a replica each, if nothing else is asked for), all real and on loopback, for one test. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { waitFor } from './millrace-process';
import { freePort, type RedisServer, startRedis } from './redis-server';

const run = promisify(execFile);
export const MASTER = 'orders';
/** How soon a node counts as gone, ms. */
const DOWN_AFTER_MS = 1500;

/** Asks a server through redis-cli. */
export async function ask({ host, port }: { host: string; port: number }, ...words: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-h', host, '-p', String(port), ...words]);
  return stdout.trim();
}

export const infoOf = async (server: RedisServer, field: string): Promise<string> =>
  new RegExp(`^${field}:(.*)$`, 'm').exec(await ask(server, 'INFO'))?.[1]?.trim() ?? '';

export class SentinelSet implements AsyncDisposable {
  readonly data: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];

  private constructor(data: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.data = data;
    this.sentinels = sentinels;
  }

  static async start(): Promise<SentinelSet> {
    const primary = await startRedis({ args: ['--repl-diskless-sync', 'no'] });
    const replicas = await Promise.all(
      [0, 1].map(() => startRedis({ args: ['--replicaof', primary.host, String(primary.port)] })),
    );
    const config = [
      `sentinel monitor ${MASTER} ${primary.host} ${primary.port} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 6000`,
    ].join('\n');
    const sentinels = await Promise.all([0, 1, 2].map(() => startRedis({ args: ['--sentinel'], config })));
    const set = new SentinelSet([primary, ...replicas], sentinels);
    await waitFor('the replicas to follow', async () =>
      (await infoOf(primary, 'connected_slaves')) === '2' && (await set.inStep()) ? true : null,
    );
    for (const sentinel of sentinels)
      await waitFor('the sentinels to know each other', async () =>
        /slaves=2,sentinels=3/.test(await ask(sentinel, 'INFO', 'sentinel')) ? true : null,
      );
    return set;
  }

  get url(): string {
    return `redis-sentinel://${this.sentinels.map(({ host, port }) => `${host}:${port}`).join(',')}/${MASTER}`;
  }

  /** What the sentinels call the primary now. */
  async primary(): Promise<RedisServer> {
    const [sentinel] = this.sentinels;
    if (sentinel === undefined) throw new Error('no sentinel');
    const [, port] = (await ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)).split('\n');
    const found = this.data.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`nobody listens on port ${port}`);
    return found;
  }

  /** Whether every replica that runs has all that the first primary has written. */
  async inStep(): Promise<boolean> {
    const [primary, ...replicas] = this.data;
    if (primary === undefined) return false;
    const offset = await infoOf(primary, 'master_repl_offset');
    const theirs = await Promise.all(replicas.map((replica) => infoOf(replica, 'slave_repl_offset')));
    return theirs.every((one) => Number(one) >= Number(offset));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.sentinels, ...this.data].map((server) => server.stop()));
  }
}

export class RedisCluster implements AsyncDisposable {
  /** The masters, then their replicas. */
  readonly nodes: readonly RedisServer[];

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  /** @param masters at least three @param replicas of each */
  static async start({ masters = 3, replicas = 1 } = {}): Promise<RedisCluster> {
    const size = masters * (1 + replicas);
    const nodes = await Promise.all(
      Array.from({ length: size }, async () =>
        startRedis({
          args: [
            ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
            ...['--cluster-node-timeout', String(DOWN_AFTER_MS), '--cluster-config-file', 'nodes.conf'],
            ...['--cluster-require-full-coverage', 'no', '--repl-diskless-sync', 'no'],
          ],
        }),
      ),
    );
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`);
    await run('redis-cli', [
      '--cluster',
      'create',
      ...addresses,
      '--cluster-replicas',
      String(replicas),
      '--cluster-yes',
    ]);
    const cluster = new RedisCluster(nodes);
    for (const node of nodes)
      await waitFor('the cluster to be whole', async () => {
        const info = await ask(node, 'CLUSTER', 'INFO');
        return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${size}`) ? true : null;
      });
    await waitFor('the replicas to follow', async () => {
      const links = await Promise.all(nodes.map((node) => infoOf(node, 'master_link_status')));
      return links.filter((link) => link === 'up').length === masters * replicas ? true : null;
    });
    return cluster;
  }

  get url(): string {
    return `redis-cluster://${this.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
  }

  /** The master that has the keys of a queue now. */
  async masterOf(queue: string): Promise<RedisServer> {
    const slot = await this.slotOf(queue);
    const any = await this.#anyNode();
    const line = (await ask(any, 'CLUSTER', 'NODES')).split('\n').find((one) => {
      const [, , flags = '', , , , , link, ...ranges] = one.split(' ');
      return (
        flags.includes('master') &&
        !flags.includes('fail') &&
        link === 'connected' &&
        ranges.some((range) => {
          const [from = -1, to = from] = range.split('-').map(Number);
          return slot >= from && slot <= to;
        })
      );
    });
    const port = Number(/:(\d+)@/.exec(line ?? '')?.[1]);
    const found = this.nodes.find((node) => node.port === port);
    if (found === undefined) throw new Error(`no master has slot ${slot}`);
    return found;
  }

  async slotOf(queue: string): Promise<number> {
    return Number(await ask(await this.#anyNode(), 'CLUSTER', 'KEYSLOT', `{${queue}}`));
  }

  /** The name of a queue whose keys lie in one of the lowest slots. */
  async queueWithSlotBelow(slot: number): Promise<string> {
    for (let n = 0; ; n++) if ((await this.slotOf(`q${n}`)) < slot) return `q${n}`;
  }

  /** Begins to move the slot of a queue, and moves only the keys that are named so. @returns what ends the move */
  async beginMove(queue: string, from: RedisServer, to: RedisServer, keys: RegExp): Promise<() => Promise<void>> {
    const slot = String(await this.slotOf(queue));
    const [source = '', target = ''] = await Promise.all([from, to].map((node) => ask(node, 'CLUSTER', 'MYID')));
    await ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
    await ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
    const move = async (wanted: RegExp) => {
      const names = (await ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '1000')).split('\n');
      for (const name of names.filter((one) => wanted.test(one)))
        await ask(from, 'MIGRATE', to.host, String(to.port), name, '0', '5000');
    };
    await move(keys);
    return async () => {
      await move(/./);
      for (const node of [to, from]) await ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', target);
    };
  }

  /** Gives all slots up to `slot` of one master to another one, key by key, while everybody works. */
  async moveSlots(from: RedisServer, to: RedisServer, slots: number): Promise<void> {
    const [source, target] = await Promise.all([from, to].map((node) => ask(node, 'CLUSTER', 'MYID')));
    const args = ['--cluster-from', source ?? '', '--cluster-to', target ?? '', '--cluster-slots', String(slots)];
    await run('redis-cli', ['--cluster', 'reshard', `${from.host}:${from.port}`, ...args, '--cluster-yes']);
  }

  async #anyNode(): Promise<RedisServer> {
    for (const node of this.nodes) {
      if ((await ask(node, 'PING').catch(() => '')) === 'PONG') return node;
    }
    throw new Error('no node of the cluster answers');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
