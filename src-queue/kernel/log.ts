/** Structured logs. Everyone is handed a `Log`; only the entries make one. */
import { renameSync, statSync } from 'node:fs';
import { pino } from 'pino';

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A log whose lines all carry `fields`. */
  child(fields: Record<string, unknown>): Log;
}

export const LOG_LEVEL_NAMES = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevelName = (typeof LOG_LEVEL_NAMES)[number];
export interface LogConfig {
  level: LogLevelName;
  format: 'json' | 'pretty';
}

/** Values under these names never reach a log. */
const REDACTED = ['password', 'token', 'authorization', 'secret', 'redis_url', 'redisUrl', 'smtpUrl'].flatMap((key) => [
  key,
  `*.${key}`,
]);

/** A log file that is larger at the start is set aside as `<file>.1`. */
const FILE_MAX_BYTES = 8 * 1024 * 1024;

/**
 * Writes to standard error, so that standard output stays for results. An `error` field is written with its stack and causes.
 * @param file written too, as JSON: for an app whose standard error nobody sees
 */
export function createLog(
  { level, format }: LogConfig,
  base: Record<string, unknown> = {},
  file: string | null = null,
): Log {
  const options = {
    level,
    base,
    redact: REDACTED,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  };
  const destination =
    format === 'pretty'
      ? pino.transport({ target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } })
      : pino.destination({ dest: 2, sync: true });
  if (file === null) return wrap(pino(options, destination));
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > FILE_MAX_BYTES) renameSync(file, `${file}.1`);
  const streamLevel = level === 'silent' ? 'fatal' : level;
  const streams = [destination, pino.destination({ dest: file, mkdir: true, sync: true })];
  return wrap(pino(options, pino.multistream(streams.map((stream) => ({ stream, level: streamLevel })))));
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
