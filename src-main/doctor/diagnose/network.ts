/** The way to Redis: names, then plain connections, to every address that the profile has. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Clock } from '#queue/kernel/clock';
import type { RedisNode } from '#queue/redis/options';
import { fail, ok, skipped, warn } from '../check';
import type { Found } from './steps';

export interface Reach {
  clock: Clock;
  signal: AbortSignal;
  timeoutMs: number;
}

export const hostPort = ({ host, port }: RedisNode): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
const more = (count: number): string => (count > 1 ? ` +${count - 1}` : '');
export const secondsText = (ms: number): string => `${ms / 1000} s`;

export async function lookUpNames(nodes: readonly RedisNode[], reach: Reach): Promise<Found> {
  const names = [...new Set(nodes.map(({ host }) => host))].filter((host) => isIP(host) === 0);
  if (names.length === 0) return skipped('An IP address needs no look-up.');
  const found = await Promise.all(names.map(async (name) => ({ name, ...(await lookUp(name, reach)) })));
  const known = found.filter(({ addresses }) => addresses.length > 0);
  const first = known[0] ?? found[0];
  const address = `${first?.name ?? ''}${known[0] ? ` → ${known[0].addresses.join(', ')}` : ''}${more(names.length)}`;
  if (known.length === found.length) return { ...ok(''), address };
  const detail = found.flatMap(({ problem }) => (problem === '' ? [] : [problem])).join(' ');
  const cure = 'Check the spelling of the host, and the DNS or VPN of this computer.';
  return { ...(known.length === 0 ? fail(detail, cure) : warn(detail, cure)), address };
}

async function lookUp(name: string, reach: Reach): Promise<{ addresses: string[]; problem: string }> {
  const late = new AbortController();
  const timeout = reach.clock.sleep(reach.timeoutMs, late.signal).then(() => null);
  try {
    const answers = await Promise.race([lookup(name, { all: true }), timeout]);
    if (answers !== null) return { addresses: answers.map(({ address }) => address), problem: '' };
    return { addresses: [], problem: `DNS did not answer for ${name} within ${secondsText(reach.timeoutMs)}.` };
  } catch (error) {
    const code = codeOf(error);
    const problem =
      code === 'ENOTFOUND' ? `The name ${name} is not known.` : `The name ${name} could not be looked up: ${code}.`;
    return { addresses: [], problem };
  } finally {
    late.abort();
  }
}

export interface Reached {
  node: RedisNode;
  /** Where it ended; null where it did not. */
  remote: string | null;
  problem: string;
}

/** Connects to all at once. `onReached` is told the first, in the order of the profile, that answers. */
export async function connectAll(
  nodes: readonly RedisNode[],
  reach: Reach,
  onReached: (node: RedisNode) => void,
): Promise<Found> {
  const tried = await Promise.all(nodes.map((node) => tryConnect(node, reach)));
  const there = tried.filter(({ remote }) => remote !== null);
  const [first] = there;
  if (first) onReached(first.node);
  const address = first?.remote ?? tried.map(({ node }) => hostPort(node)).join(', ');
  const problems = tried.flatMap(({ problem }) => (problem === '' ? [] : [problem])).join(' ');
  if (problems === '') return { ...ok(nodes.length > 1 ? `All ${nodes.length} accept connections.` : ''), address };
  const cure = /nothing listens/i.test(problems)
    ? 'Check the port, and that Redis runs there and is bound to this address.'
    : 'Check the address, the firewall between here and there, and that the host is up.';
  if (first) return { ...warn(`${there.length} of ${nodes.length} accept connections. ${problems}`, cure), address };
  return { ...fail(problems, cure), address };
}

export function tryConnect(node: RedisNode | { path: string }, { signal, timeoutMs }: Reach): Promise<Reached> {
  const where = 'path' in node ? node.path : hostPort(node);
  const asNode = 'path' in node ? { host: node.path, port: 0 } : node;
  return new Promise((resolve) => {
    const socket = connect('path' in node ? { path: node.path } : { host: node.host, port: node.port });
    const done = (remote: string | null, problem: string) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve({ node: asNode, remote, problem });
    };
    const stop = () => done(null, 'Broken off.');
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(timeoutMs, () => done(null, `${where} did not answer within ${secondsText(timeoutMs)}.`));
    socket.once('error', (error) => done(null, connectProblem(where, error)));
    socket.once('connect', () => {
      const { remoteAddress, remotePort } = socket;
      done(remoteAddress ? hostPort({ host: remoteAddress, port: remotePort ?? 0 }) : where, '');
    });
  });
}

function connectProblem(where: string, error: Error): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return `Nothing listens on ${where}: the connection was refused.`;
  if (code === 'ENOENT') return `There is no socket file ${where}.`;
  if (code === 'EACCES') return `This user may not open ${where}.`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The name in ${where} is not known.`;
  return `${where} cannot be reached: ${error.message || code}.`;
}

/** Of several addresses tried for one name, the error is an AggregateError that carries the code of the first. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}
