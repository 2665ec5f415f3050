/** Certificates made by openssl for one test: an authority, a server's certificate for 127.0.0.1 and localhost, and a client's. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  /** Paths and texts in PEM. */
  ca: { file: string; text: string };
  server: { certFile: string; keyFile: string };
  client: { cert: string; key: string };
}

export function makeCertificates(dir: string, days = 365): Certificates {
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '365',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=Test Authority',
  );
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  const signed = (name: string, subject: string) => {
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', subject);
    const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days)];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-out', at(`${name}.pem`), '-extfile', at('names'));
  };
  signed('server', '/CN=redis.test');
  signed('client', '/CN=client.test');
  return {
    ca: { file: at('ca.pem'), text: readFileSync(at('ca.pem'), 'utf8') },
    server: { certFile: at('server.pem'), keyFile: at('server.key') },
    client: { cert: readFileSync(at('client.pem'), 'utf8'), key: readFileSync(at('client.key'), 'utf8') },
  };
}
