/** What the built-in task types are given of the world, made from the worker's configuration. */
import { dirname, join } from 'node:path';
import type { WorkerConfig } from './config';
import { createFileAccess } from './file-access';
import type { BuiltInConfig, GuardedFetch } from './handler';
import { createGuardedFetch } from './url-guard';

const CONNECT_TIMEOUT_MS = 5_000;

export function builtInSurroundings({ artifactsDir, files, builtIns }: WorkerConfig): BuiltInConfig {
  const { smtpUrl, mailFrom, outboxDir, allowPrivate, allowHosts, refuse, ai } = builtIns;
  return {
    smtpUrl,
    mailFrom,
    outboxDir: outboxDir ?? join(dirname(artifactsDir), 'outbox'),
    files: createFileAccess([artifactsDir, ...files]),
    fetch: createGuardedFetch({ allowPrivate, allowHosts, refuse, connectTimeoutMs: CONNECT_TIMEOUT_MS }),
    ai: ai && { ...ai, fetch: fetchOf(ai.url) },
  };
}

/** Reaches one host, which the operator has named, wherever it is; redirects elsewhere are judged as ever. */
function fetchOf(url: string): GuardedFetch {
  const { hostname, port, protocol } = new URL(url);
  const host = `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
  return createGuardedFetch({
    allowPrivate: false,
    allowHosts: [host],
    refuse: [],
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
}
