/** The TLS handshake by itself: whose certificate, who vouches for it, how long, and under which name it was asked for. */
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { RedisNode, RedisTls } from '#queue/redis/options';
import { fail, ok, warn } from '../check';
import { codeOf, type Reach, secondsText } from './network';
import type { Found } from './steps';

const DAY_MS = 24 * 3600 * 1000;
const SOON_DAYS = 30;

export interface TlsAsk {
  node: RedisNode;
  tls: RedisTls;
}

/**
 * Waits for an answer to a PING as well: a server that wants a certificate of ours says so only after the handshake.
 * Any answer will do, also the one that it wants a password.
 */
export async function checkCertificate({ node, tls }: TlsAsk, reach: Reach): Promise<Found> {
  const outcome = await shakeHands({ node, tls }, reach);
  if ('problem' in outcome) return fail(outcome.problem, cureOf(outcome.code, tls));
  const { certificate, trust, asked } = outcome;
  const until = new Date(certificate.valid_to);
  const day = until.toISOString().slice(0, 10);
  const address = `CN=${commonName(certificate.subject.CN)}, valid to ${day}`;
  const sni = asked === null ? 'No SNI was sent (the host is an IP address).' : `SNI ${asked} was sent.`;
  const chain = `It chains to ${chainOf(certificate).join(', ')}.`;
  if (trust !== null) {
    const detail = `${trustText(trust, asked ?? node.host, certificate)} ${chain} ${sni}`;
    if (tls.rejectUnauthorized !== false) return { ...fail(detail, cureOf(trust, tls)), address };
    const unchecked = `The certificate is not checked, and would not pass: ${detail}`;
    return { ...warn(unchecked, 'Name the CA file, then turn the check on again.'), address };
  }
  const days = Math.floor((until.getTime() - reach.clock.now()) / DAY_MS);
  if (days < SOON_DAYS) {
    return { ...warn(`The certificate ends in ${days} days. ${chain} ${sni}`, 'Renew it on the server.'), address };
  }
  if (tls.rejectUnauthorized === false) {
    const detail = `The certificate is good, but nobody checks it. ${chain} ${sni}`;
    return { ...warn(detail, 'Turn the check of the certificate on.'), address };
  }
  return { ...ok(`${chain} ${sni}`), address };
}

type Outcome =
  | { certificate: DetailedPeerCertificate; trust: string | null; asked: string | null }
  | { problem: string; code: string };

function shakeHands({ node, tls }: TlsAsk, { signal, timeoutMs }: Reach): Promise<Outcome> {
  const servername = tls.servername ?? (isIP(node.host) === 0 ? node.host : undefined);
  return new Promise((resolve) => {
    let socket: TLSSocket;
    let seen: Outcome | null = null;
    const done = (outcome: Outcome) => {
      signal.removeEventListener('abort', stop);
      socket?.destroy();
      resolve(outcome);
    };
    const stop = () => done({ problem: 'Broken off.', code: 'ABORTED' });
    try {
      socket = connect({
        ...node,
        ...(servername === undefined ? {} : { servername }),
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls.key === undefined ? {} : { key: tls.key }),
        rejectUnauthorized: false, // looked at below, so that a certificate which is refused can be told
      });
    } catch (error) {
      // Certificate or key of ours cannot be used.
      return resolve({ problem: `The TLS files cannot be used: ${codeOf(error)}.`, code: 'FILES' });
    }
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(timeoutMs, () =>
      done(seen ?? { problem: `No TLS handshake within ${secondsText(timeoutMs)}.`, code: 'ETIMEDOUT' }),
    );
    socket.once('secureConnect', () => {
      const trust = socket.authorized ? null : String(socket.authorizationError);
      seen = { certificate: socket.getPeerCertificate(true), trust, asked: servername ?? null };
      socket.write('PING\r\n');
    });
    socket.once('data', () => done(seen ?? { problem: 'The server answered without a handshake.', code: 'EPROTO' }));
    socket.once('end', () => done(seen ?? { problem: 'The server hung up in the handshake.', code: 'ECONNRESET' }));
    socket.once('error', (error) => done({ problem: handshakeText(error), code: codeOf(error) }));
  });
}

function handshakeText(error: Error): string {
  const text = `${codeOf(error)} ${error.message}`;
  if (/CERTIFICATE_REQUIRED|certificate required/i.test(text)) return 'The server asks for a client certificate.';
  if (/BAD_CERTIFICATE|UNKNOWN_CA|alert (bad certificate|unknown ca)/i.test(text)) {
    return 'The server refuses our client certificate.';
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH/i.test(text)) return 'The server does not speak TLS on this port.';
  if (/ECONNRESET/.test(text)) return 'The server hung up in the handshake.';
  return `The handshake failed: ${error.message}.`;
}

function trustText(trust: string, name: string, certificate: DetailedPeerCertificate): string {
  switch (trust) {
    case 'CERT_HAS_EXPIRED':
      return `The certificate ended on ${certificate.valid_to}.`;
    case 'CERT_NOT_YET_VALID':
      return `The certificate begins on ${certificate.valid_from}.`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate is not for ${name}: it names ${certificate.subjectaltname ?? commonName(certificate.subject.CN)}.`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'The certificate is signed by itself.';
    default:
      return `No authority that this computer trusts vouches for the certificate (${trust}).`;
  }
}

function cureOf(code: string, tls: RedisTls): string | null {
  if (/CERTIFICATE_REQUIRED/i.test(code)) return 'Name the client certificate and its key in TLS.';
  if (/BAD_CERTIFICATE|UNKNOWN_CA/i.test(code)) return 'Use a certificate that an authority of the server signed.';
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|ECONNRESET|ETIMEDOUT|EPROTO/i.test(code)) {
    return 'Use the TLS port of the server (tls-port), or turn TLS off.';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Use a host that the certificate names, or set the server name.';
  if (code === 'CERT_HAS_EXPIRED') return 'Renew the certificate on the server.';
  if (code === 'CERT_NOT_YET_VALID') return 'Check the clocks of both computers.';
  if (code === 'FILES') return 'Choose a certificate and the key that belongs to it, both in PEM format.';
  if (code === 'ABORTED') return null;
  return tls.ca === undefined ? 'Name the CA file of the server in TLS.' : 'The CA file is not the one that signed it.';
}

/** Who signed it, up to the root. The issuer of a root is itself. */
function chainOf(certificate: DetailedPeerCertificate): string[] {
  const names: string[] = [];
  const seen = new Set<string>();
  for (let at: DetailedPeerCertificate | undefined = certificate; at?.issuer && !seen.has(at.fingerprint256); ) {
    seen.add(at.fingerprint256);
    const name = commonName(at.issuer.CN ?? at.issuer.O);
    if (names.at(-1) !== name) names.push(name);
    at = at.issuerCertificate;
  }
  return names;
}

const commonName = (name: string | string[] | undefined): string => [name ?? 'nobody'].flat().join(', ');
