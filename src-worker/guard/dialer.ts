/**
 * Opens the sockets of the guarded fetch. A name is resolved once, every address it has is checked, and one of
 * those that were checked is dialled: a second, different answer of the DNS (rebinding) is never asked for.
 */
import { promises as dns, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { FatalError } from '../handler';
import { type AddressPolicy, cleanHost, type Target } from './address-policy';

export type Resolve = (host: string) => Promise<LookupAddress[]>;

/** The system's resolver: /etc/hosts counts, as for every other program. */
export const systemResolve: Resolve = (host) => dns.lookup(host, { all: true });

export interface DialerDeps {
  policy: AddressPolicy;
  resolve: Resolve;
  /** For the look-up and for the connection, each, ms. */
  connectTimeoutMs: number;
}

/** A connector for undici's Agent. A refused address comes out of the request as a FatalError. */
export function createDialer({ policy, resolve, connectTimeoutMs }: DialerDeps): buildConnector.connector {
  return (options, callback) => {
    const target = {
      host: cleanHost(options.hostname),
      port: Number(options.port) || (options.protocol === 'https:' ? 443 : 80),
    };
    checkedAddresses(target).then(
      (addresses) => buildConnector({ timeout: connectTimeoutMs, lookup: pinned(addresses) })(options, callback),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };

  async function checkedAddresses(target: Target): Promise<LookupAddress[]> {
    const family = isIP(target.host);
    const addresses = family === 0 ? await resolveInTime(target.host) : [{ address: target.host, family }];
    if (addresses.length === 0) throw new Error(`${target.host} has no address`);
    for (const { address } of addresses) {
      const refusal = policy.refusesAddress(target, address) ?? (await refusesNamedService(target, address));
      if (refusal !== null) throw new FatalError(refusal);
    }
    return addresses;
  }

  /** A refused service that is known by name is also refused under any other name that leads to its address. */
  async function refusesNamedService(target: Target, address: string): Promise<string | null> {
    for (const name of policy.refusedNames(target.port)) {
      const own = await resolveInTime(name).catch(() => []); // a name that does not resolve has no address to protect
      if (own.some((entry) => entry.address === address)) return policy.refusesName({ host: name, port: target.port });
    }
    return null;
  }

  async function resolveInTime(host: string): Promise<LookupAddress[]> {
    const { promise: expired, reject } = deferredFailure();
    const timer = setTimeout(
      () => reject(new Error(`${host} was not resolved within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    try {
      return await Promise.race([resolve(host), expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function deferredFailure(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_resolve, fail) => {
    reject = fail;
  });
  return { promise, reject };
}

/** A look-up that knows one answer. */
function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const family =
      options.family === 4 || options.family === 'IPv4' ? 4 : options.family === 6 || options.family === 'IPv6' ? 6 : 0;
    const fitting = addresses.filter((entry) => family === 0 || entry.family === family);
    const [first] = fitting;
    if (first === undefined) return callback(new Error(`no IPv${family} address`), '', 0);
    if (options.all) return callback(null, fitting);
    callback(null, first.address, first.family);
  };
}
