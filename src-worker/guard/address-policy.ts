/**
 * Which addresses a handler may talk to. An address is open when it is ordinary public unicast, or when the
 * operator opened it; everything that IANA lists as special-use (v4, v6, and v4 inside v6) is closed.
 * What is refused by name (our own API, our Redis) stays closed whatever is allowed.
 */
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

export interface AddressPolicyConfig {
  /** Opens loopback, private, unique-local and carrier-grade NAT addresses on every port. Link-local (cloud metadata) stays closed. */
  allowPrivate: boolean;
  /** `host`, `host:port`, an address, or a CIDR range: open whatever they are. */
  allowHosts: readonly string[];
  /** Never open: our own API, our own Redis. */
  refuse: readonly { host: string; port: number }[];
}

/** Where a request goes: the name as in the URL (no brackets), and the port. */
export interface Target {
  host: string;
  port: number;
}

export interface AddressPolicy {
  /** @returns why this target is refused whatever it resolves to, or null */
  refusesName(target: Target): string | null;
  /** @returns why this address may not be dialled for this target, or null */
  refusesAddress(target: Target, address: string): string | null;
  /** Refused hosts with this port whose addresses are only known once resolved. */
  refusedNames(port: number): string[];
}

/** Ports that need no leave on public addresses. */
const WEB_PORTS = new Set([80, 443]);

/** What `allowPrivate` opens. Multicast, broadcast, reserved, documentation and tunnel ranges stay closed: nothing that serves HTTP is there. */
const PRIVATE_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'carrierGradeNat',
  'uniqueLocal',
  'deprecatedSiteLocal',
]);

const RANGE_NAMES: Readonly<Record<string, string>> = {
  loopback: 'loopback',
  private: 'private',
  carrierGradeNat: 'carrier-grade NAT',
  uniqueLocal: 'unique-local',
  deprecatedSiteLocal: 'site-local',
  linkLocal: 'link-local',
  unspecified: 'unspecified',
  multicast: 'multicast',
  broadcast: 'broadcast',
  '6to4': '6to4',
  teredo: 'Teredo',
  rfc6052: 'NAT64',
  rfc6145: 'IPv4-translated',
};

const NAT64: [ipaddr.IPv6, number] = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = ipaddr.IPv6.parseCIDR('2000::/3');

interface AllowEntry {
  matches(target: Target, address: Ip | null): boolean;
}

/** @throws {TypeError} an entry of `allowHosts` that is neither a host, nor `host:port`, nor a CIDR range */
export function createAddressPolicy(config: AddressPolicyConfig): AddressPolicy {
  const allowed = config.allowHosts.map(parseAllowEntry);
  const isAllowed = (target: Target, address: Ip | null): boolean =>
    allowed.some((entry) => entry.matches(target, address));
  const refused = config.refuse.map((entry) => ({ host: cleanHost(entry.host), port: entry.port }));
  return {
    refusesName: (target) =>
      refused.some((entry) => entry.port === target.port && entry.host === cleanHost(target.host))
        ? ownService(target)
        : null,
    refusesAddress: (target, address) => {
      const ip = canonical(address);
      if (ip === null) return `${address} is not an IP address`;
      if (refused.some((entry) => entry.port === target.port && reaches(entry.host, ip))) return ownService(target);
      if (isAllowed(target, ip)) return null;
      const kind = specialUse(ip);
      const openedBySetting = kind !== null && config.allowPrivate && PRIVATE_RANGES.has(kind);
      if (kind !== null && !openedBySetting) {
        return `${at(target, address)} is ${article(RANGE_NAMES[kind] ?? 'reserved')} address; ${howToAllow(suggestion(target, ip))}`;
      }
      if (kind === null && !WEB_PORTS.has(target.port)) {
        return `port ${target.port} of ${target.host} is neither 80 nor 443; ${howToAllow(hostPort(target))}`;
      }
      return null;
    },
    refusedNames: (port) =>
      refused.filter((entry) => entry.port === port && !ipaddr.isValid(entry.host)).map((entry) => entry.host),
  };
}

/** The address as it is reached: v4 out of v4-mapped and NAT64 forms. Null where it is no address. */
function canonical(address: string): Ip | null {
  if (!ipaddr.isValid(address)) return null;
  const ip = ipaddr.parse(address);
  if (ip instanceof ipaddr.IPv4) return ip;
  if (ip.isIPv4MappedAddress()) return ip.toIPv4Address();
  if (ip.match(NAT64)) return new ipaddr.IPv4(ip.toByteArray().slice(12));
  return ip;
}

/** The special-use range that it lies in, or null for public unicast. IPv6 is open only inside 2000::/3, the part that IANA gives out. */
function specialUse(ip: Ip): string | null {
  const range = ip.range();
  if (range !== 'unicast') return range;
  return ip instanceof ipaddr.IPv6 && !ip.match(GLOBAL_UNICAST) ? 'reserved' : null;
}

/** Whether dialling `ip` reaches a service that listens on `host`, an address or `localhost`. */
function reaches(host: string, ip: Ip): boolean {
  if (host === 'localhost') return isLocal(ip, false);
  const own = canonical(host);
  if (own === null) return false;
  const range = own.range();
  if (range === 'loopback') return isLocal(ip, false);
  if (range === 'unspecified') return isLocal(ip, true);
  return own.toString() === ip.toString();
}

/** This machine: loopback, or the unspecified address, which the kernel takes for it; with `everyInterface` also each address it has. */
function isLocal(ip: Ip, everyInterface: boolean): boolean {
  const range = ip.range();
  if (range === 'loopback' || range === 'unspecified') return true;
  if (!everyInterface) return false;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some((entry) => canonical(entry.address)?.toString() === ip.toString());
}

function parseAllowEntry(text: string): AllowEntry {
  const entry = text.trim();
  if (entry.includes('/')) {
    if (!ipaddr.isValidCIDR(entry)) throw new TypeError(`allowed host "${text}" is not a CIDR range`);
    const range = ipaddr.parseCIDR(entry);
    return {
      matches: (_target, address) => address !== null && address.kind() === range[0].kind() && address.match(range),
    };
  }
  const { host, port } = splitHostPort(entry);
  if (host === '' || /[\s@?#]/.test(host))
    throw new TypeError(`allowed host "${text}" is neither a host nor host:port`);
  const ip = canonical(host);
  return {
    matches: (target, address) => {
      if (port !== null && port !== target.port) return false;
      if (cleanHost(target.host) === host) return true;
      return ip !== null && address !== null && ip.toString() === address.toString();
    },
  };
}

function splitHostPort(entry: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(entry);
  const plain = ipaddr.isValid(entry) ? null : /^([^:]+):(\d{1,5})$/.exec(entry);
  const match = bracketed ?? plain;
  if (match === null) return { host: cleanHost(entry), port: null };
  return { host: cleanHost(match[1] ?? ''), port: match[2] === undefined ? null : Number(match[2]) };
}

/** Lower case, no brackets, no dot of the root at the end: so that one host has one spelling. */
export const cleanHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

const bracket = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const hostPort = ({ host, port }: Target): string => `${bracket(host)}:${port}`;
const at = (target: Target, address: string): string =>
  cleanHost(target.host) === address.toLowerCase() ? address : `${target.host} is at ${address}, which`;
const article = (name: string): string => `${/^[aiu]/i.test(name) && name !== 'unique-local' ? 'an' : 'a'} ${name}`;
const suggestion = (target: Target, ip: Ip): string =>
  ipaddr.isValid(target.host) ? hostPort({ host: ip.toString(), port: target.port }) : hostPort(target);
const howToAllow = (entry: string): string => `to allow it, add ${entry} to MILLRACE_ALLOW_PRIVATE (--allow-private)`;
const ownService = (target: Target): string =>
  `${hostPort(target)} is a service of Millrace itself (its API or its Redis), which tasks may not call`;
