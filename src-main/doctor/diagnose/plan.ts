/**
 * The diagnose of one connection: from its name to fifty round trips, each step standing on those before it. It changes
 * nothing (what it tries to write, it removes), asks with one-shot connections, and gives up on a silent one in time.
 */
import type { Clock } from '#queue/kernel/clock';
import { isLoopbackHost } from '#queue/kernel/loopback';
import type { RedisNode, RedisOptions } from '#queue/redis/options';
import { type ProbeConnection, type ProbeTarget, probe } from '#queue/redis/probe';
import type { DiagnoseStep } from '../../bridge/profiles-contract';
import { fail, ok, skipped } from '../check';
import { checkRights } from '../rights-check';
import { checkLatency } from '../speed-checks';
import { checkCertificate } from './certificate';
import { checkCluster, nameOnThisNode } from './cluster';
import { connectAll, hostPort, lookUpNames, type Reach, tryConnect } from './network';
import { checkSentinels } from './sentinels';
import { checkServer } from './server';
import { checkSignIn } from './sign-in';
import { type Found, masked, runSteps, type Step, waiting } from './steps';

const TIMEOUT_MS = 3_000;
const PINGS = 50;

export interface DiagnoseOptions {
  redis: RedisOptions;
  /** Whether a password may go to another machine without TLS, when a sentinel names that machine. */
  allowPlainPassword: boolean;
  clock: Clock;
  signal: AbortSignal;
  /** Of each connection and each answer, ms. */
  timeoutMs?: number;
}

export interface Diagnose {
  /** All steps that there will be, waiting. */
  plan: DiagnoseStep[];
  /** Each step twice, when it begins and when it is over. Secrets are masked in every text. */
  run(): AsyncGenerator<DiagnoseStep, void, undefined>;
}

/** @param upTo the step after which it ends; without it, all */
export function planDiagnose(options: DiagnoseOptions, upTo?: 'sign_in'): Diagnose {
  const all = stepsOf(options);
  const end = upTo === undefined ? all.length : all.findIndex((step) => step.key === upTo) + 1;
  const steps = all.slice(0, end);
  const { redis } = options;
  return {
    plan: steps.map(waiting),
    run: () => masked(runSteps(steps, options), [redis.password, redis.sentinelPassword, redis.tls?.key]),
  };
}

function stepsOf({ redis, allowPlainPassword, clock, signal, timeoutMs = TIMEOUT_MS }: DiagnoseOptions): Step[] {
  const reach: Reach = { clock, signal, timeoutMs };
  const { kind, nodes, path, tls, username, password, db, prefix } = redis;
  const [first] = nodes;
  /** The node that answered; the primary, once the sentinels named it. */
  const found: { entry?: RedisNode; primary?: RedisNode } = {};
  const entry = () => found.entry ?? first ?? { host: path ?? '', port: 0 };
  const common = { tls, timeoutMs, signal, ...(path === undefined ? {} : { path }) };
  const redisAt = (node: RedisNode): ProbeTarget => ({ ...node, ...common, username, password, db });
  const sentinelAt = (node: RedisNode): ProbeTarget => ({
    ...node,
    ...common,
    username: redis.sentinelUsername ?? null,
    password: redis.sentinelPassword ?? null,
  });
  const target = () => redisAt(kind === 'sentinel' ? (found.primary ?? entry()) : entry());
  const inside = (ask: (connection: ProbeConnection) => Promise<Found>) => () => probe(target(), ask);
  const where = path ?? (first ? `${hostPort(first)}${nodes.length > 1 ? ` +${nodes.length - 1}` : ''}` : '');
  const as = username === null && password === null ? '' : ` as ${username ?? 'default'}`;

  const name: Step = {
    key: 'name',
    title: 'Name',
    address: path ?? nodes.map(({ host }) => host).join(', '),
    needs: [],
    run: () =>
      path === undefined ? lookUpNames(nodes, reach) : Promise.resolve(skipped('A socket has no name to look up.')),
  };
  const tcp: Step = {
    key: 'tcp',
    title: path === undefined ? 'TCP' : 'Socket',
    address: where,
    needs: ['name'],
    run: async () => {
      if (path === undefined) return connectAll(nodes, reach, (node) => (found.entry = node));
      const { problem } = await tryConnect({ path }, reach);
      return problem === '' ? ok('') : fail(problem, 'Check “unixsocket” and “unixsocketperm” of the server.');
    },
  };
  const certificate: Step = {
    key: 'tls',
    title: 'TLS',
    address: tls === null ? 'not configured' : where,
    needs: ['tcp'],
    run: async () => (tls === null ? skipped('') : checkCertificate({ node: entry(), tls }, reach)),
  };
  const signIn: Step = {
    key: 'sign_in',
    title: kind === 'sentinel' ? 'Sign in to primary' : 'Sign in',
    address: `${kind === 'sentinel' ? `primary of ${redis.master}` : where}${as}`,
    needs: ['tls', 'sentinels'],
    run: async () => {
      const { host, port } = target();
      const address = `${path ?? hostPort({ host, port })}${as}`;
      const plain = tls === null && password !== null && path === undefined && !isLoopbackHost(host);
      if (plain && !allowPlainPassword) {
        const detail = 'Not tried: the password would cross the network in clear text.';
        return { ...fail(detail, 'Turn on TLS, or allow it in TLS.'), address };
      }
      return { ...(await checkSignIn(target())), address };
    },
  };
  const topology: Step[] =
    kind === 'sentinel'
      ? [
          {
            key: 'sentinel_sign_in',
            title: 'Sign in to Sentinel',
            address: `user ${redis.sentinelUsername ?? 'default'}`,
            needs: ['tls'],
            run: () => checkSignIn(sentinelAt(entry())),
          },
          {
            key: 'sentinels',
            title: 'Sentinels',
            address: `primary of ${redis.master}, asked of ${nodes.length}`,
            needs: ['sentinel_sign_in'],
            run: () => checkSentinels(redis, sentinelAt, (node) => (found.primary = node)),
          },
          signIn,
        ]
      : kind === 'cluster'
        ? [
            signIn,
            {
              key: 'cluster',
              title: 'Cluster',
              address: 'slots, and each node',
              needs: ['sign_in'],
              run: () => checkCluster(entry(), redisAt),
            },
          ]
        : [signIn];
  return [
    name,
    tcp,
    certificate,
    ...topology,
    {
      key: 'rights',
      title: 'Rights (ACL)',
      address: `every command of a queue, on ${prefix}:*`,
      needs: ['sign_in', 'cluster'],
      run: inside(async (connection) => {
        const key = kind === 'cluster' ? await nameOnThisNode(connection, prefix) : undefined;
        const { detail, ...finding } = await checkRights(connection, prefix, username, key);
        return { ...finding, detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.` };
      }),
    },
    {
      key: 'safety',
      title: 'Safety',
      address: 'version, maxmemory-policy, AOF, memory',
      needs: ['sign_in'],
      run: inside((connection) => checkServer(connection, kind)),
    },
    {
      key: 'round_trip',
      title: 'Round trip',
      address: `${PINGS} pings`,
      needs: ['sign_in'],
      run: inside((connection) => checkLatency(connection, clock, PINGS)),
    },
  ];
}
