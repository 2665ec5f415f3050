/**
 * Which requests may be looked at at all: those for a host that is ours, from no foreign web page.
 * Loopback alone protects nobody: any page in the user's browser reaches 127.0.0.1, by its own name (DNS rebinding:
 * the Host is then foreign) or ours (the Origin is then foreign). The same check is for REST and for WebSocket upgrades,
 * which the same-origin policy does not cover. Pure: all it knows is in its arguments.
 */
import { isIP } from 'node:net';
import { QueueError } from '#queue/contract/errors';

/** As of node's IncomingMessage, or of a Request: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HostPolicy {
  /** Hosts that are served, in lower case, as they stand in a Host header. */
  hosts: ReadonlySet<string>;
  /** Origins of other pages that may call. */
  origins: ReadonlySet<string>;
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const;

const asHost = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address).toLowerCase();

/**
 * Loopback names, with our port or none; the names and addresses that we are bound to, the same; and the configured ones.
 * @param names addresses or names that lead here beside loopback: the bind address, or all of this machine where it is a wildcard
 * @param allowed as configured; one without a port is served with ours and without
 */
export function hostPolicy(options: {
  port: number;
  names: readonly string[];
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
}): HostPolicy {
  const hosts = new Set<string>();
  for (const name of [
    ...LOOPBACK_NAMES,
    ...options.names.map(asHost),
    ...options.allowedHosts.map((host) => host.toLowerCase()),
  ]) {
    hosts.add(name);
    hosts.add(`${name}:${options.port}`);
  }
  return { hosts, origins: new Set(options.allowedOrigins.map((origin) => origin.toLowerCase())) };
}

/** One value of a header; null where it is absent, or given more than once. */
export function headerValue(headers: RequestHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

/** @throws {QueueError} FOREIGN_HOST (421) or FOREIGN_ORIGIN (403) */
export function checkRequest(headers: RequestHeaders, policy: HostPolicy): void {
  const host = headerValue(headers, 'host')?.toLowerCase();
  if (host === undefined || !policy.hosts.has(host)) {
    throw new QueueError(
      'FOREIGN_HOST',
      'the Host of the request is not a name of this server; allow it in the configuration if it should be',
    );
  }
  const origin = headers.origin === undefined ? null : (headerValue(headers, 'origin') ?? 'null').toLowerCase();
  if (origin !== null) {
    const ours = origin === `http://${host}` || origin === `https://${host}`;
    if (!ours && !policy.origins.has(origin)) {
      throw new QueueError('FOREIGN_ORIGIN', 'a page of another origin may not call this server');
    }
    return;
  }
  const site = headerValue(headers, 'sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none' && !followsLink(headers)) {
    throw new QueueError('FOREIGN_ORIGIN', 'a page of another site may not load this');
  }
}

/** Somebody clicked a link to us: a new page, that the page with the link cannot look into. Forms carry an Origin. */
const followsLink = (headers: RequestHeaders): boolean =>
  headerValue(headers, 'sec-fetch-mode') === 'navigate' && headerValue(headers, 'sec-fetch-dest') === 'document';

/** For pages of a configured origin, which could not read our answers without; nobody else gets any. */
export function corsHeaders(headers: RequestHeaders, policy: HostPolicy): Record<string, string> {
  const origin = headerValue(headers, 'origin')?.toLowerCase() ?? '';
  if (!policy.origins.has(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'authorization, content-type, idempotency-key',
    'access-control-expose-headers': 'retry-after, content-disposition',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
