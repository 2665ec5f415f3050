/** Structured logs. Everyone is handed a `Log`; only the entries make one. */
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

/** Writes to standard error, so that standard output stays for results. An `error` field is written with its stack and causes. */
export function createLog({ level, format }: LogConfig, base: Record<string, unknown> = {}): Log {
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
  return wrap(pino(options, destination));
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
