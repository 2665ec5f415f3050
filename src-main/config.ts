/**
 * The configuration of a process, checked once and whole: afterwards nobody looks at flags or the environment again.
 * This is the only module that reads `process.env`. All faults are found in one go, a line each.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment, SafetyLevel } from '#queue/contract/session';
import type { LogConfig } from '#queue/kernel/log';
import { isLoopback, type RedisOptions } from '#queue/redis/options';
import type { QueueWeight } from '#worker/config';
import type { OptionGroup } from './config/option';
import { OPTION_KEYS, type OptionKey, optionSpec, Settings } from './config/options';
import { defaultDataDir } from './config/places';
import { parseQueueList } from './config/queue-list';
import { assembleRedis, named, PLACES } from './config/redis-settings';
import { addFile, type ConfigFault, type Flags, type RawValues, readTexts } from './config/sources';

/** What a connection is to its users; the desktop has one of each profile. */
export interface ProfileConfig {
  name: string | null;
  /** Null: nobody has said. */
  environment: Environment | null;
  safety: SafetyLevel;
}

const DAY_MS = 86_400_000;

/** Durations in milliseconds, paths absolute. */
export interface Config {
  /** Null: a local Redis, started and owned by Millrace. */
  redis: RedisOptions | null;
  /** Told on the command line, not by the environment or a file: the user means this Redis and no API. */
  redisFromFlag: boolean;
  prefix: string;
  profile: ProfileConfig;
  api: { host: string; port: number; allowHosts: string[]; allowOrigins: string[]; token: string | null };
  /** Worker processes that the server runs, 0 for none. */
  workers: number;
  concurrency: number;
  queues: QueueWeight[];
  handlersDir: string | null;
  shutdownTimeoutMs: number;
  maxRetries: number;
  taskTimeoutMs: number;
  smtpUrl: string | null;
  mailFrom: string;
  /** Private addresses that tasks may call: all of them, or these hosts, addresses and CIDR ranges. */
  privateAccess: { all: boolean; hosts: string[] };
  ai: { url: string; key: string | null; model: string } | null;
  dataDir: string;
  /** Folders, besides the worker's own, that tasks may use. */
  files: string[];
  /** How long artifacts of tasks that are gone, and mails in the outbox, are kept. */
  keepArtifactsMs: number;
  log: LogConfig;
  otelEndpoint: string | null;
  /** Folders of programs, as in PATH: where a redis-server is looked for. */
  searchPath: string;
}

/** Everything that the configuration depends on; handed in, so that tests need no real environment. */
export interface ConfigInputs {
  flags: Flags;
  /** `--config`: this file instead of `<data dir>/config.json`; it must be there. */
  configFile: string | null;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  platform: NodeJS.Platform;
  home: string;
  /** What flags, environment and files say on Redis, its name and its safe mode does not count: a profile says it. */
  ignoreConnection?: boolean;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];
  constructor(faults: readonly ConfigFault[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** What this process was started with. */
export const systemInputs = (flags: Flags = {}, configFile: string | null = null): ConfigInputs => ({
  flags,
  configFile,
  env: process.env,
  cwd: process.cwd(),
  platform: process.platform,
  home: homedir(),
});

/**
 * The environment that child processes inherit: ours without the secrets of Millrace itself, which go to those who
 * need them in another way, and which what a handler starts should not find.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const secrets = new Set(OPTION_KEYS.filter((key) => optionSpec(key).secret).map((key) => optionSpec(key).env));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !secrets.has(name)));
}

/** For the app's own window, started by a program that runs as Node: with that variable it would be Node again. */
export function windowEnvironment(): NodeJS.ProcessEnv {
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  return env;
}

/** Takes those secrets out of our own environment, before handlers run in this process. */
export function forgetSecrets(): void {
  for (const key of OPTION_KEYS) if (optionSpec(key).secret) delete process.env[optionSpec(key).env];
}

/** @throws {ConfigError} with a line for every fault */
export function loadConfig(inputs: ConfigInputs): Config {
  const raw = readTexts(inputs);
  const faults = [...readFile(raw, inputs)];
  if (inputs.ignoreConnection) dropConnection(raw);
  const dataDir = dataDirOf(raw, inputs);
  const parsed = Settings.safeParse(Object.fromEntries([...raw].map(([key, entry]) => [key, atBase(key, entry)])));
  if (!parsed.success) {
    for (const key of new Set(parsed.error.issues.map((issue) => issue.path[0] as OptionKey))) {
      const issue = parsed.error.issues.find((candidate) => candidate.path[0] === key);
      faults.push(`${named(key)}: ${issue?.message}${got(key, raw)}`);
    }
    throw new ConfigError(faults);
  }
  const settings = parsed.data;
  const queues = parseQueueList(settings.queues);
  if (typeof queues === 'string') faults.push(`${named('queues')}: ${queues}`);
  const redis = assembleRedis(settings, raw);
  faults.push(...redis.faults);
  if (faults.length > 0 || typeof queues === 'string') throw new ConfigError(faults);
  return {
    redis: redis.options,
    redisFromFlag: PLACES.some((key) => raw.get(key)?.source === 'flag'),
    prefix: settings.prefix,
    profile: {
      name: settings.profile_name,
      environment: settings.environment ?? (isLocal(redis.options) ? 'local' : null),
      safety: settings.safe_mode === 'read-only' ? 'read_only' : settings.safe_mode,
    },
    api: {
      host: settings.app_host,
      port: settings.app_port,
      allowHosts: settings.allow_hosts,
      allowOrigins: settings.allow_origins,
      token: settings.token,
    },
    workers: settings.workers,
    concurrency: settings.concurrency,
    queues,
    handlersDir: settings.handlers,
    shutdownTimeoutMs: settings.shutdown_timeout * 1000,
    maxRetries: settings.max_retries,
    taskTimeoutMs: settings.task_timeout * 1000,
    smtpUrl: settings.smtp_url,
    mailFrom: settings.mail_from,
    privateAccess: privateAccessOf(settings.allow_private),
    ai: settings.ai_url === null ? null : { url: settings.ai_url, key: settings.ai_key, model: settings.ai_model },
    dataDir,
    files: settings.files,
    keepArtifactsMs: settings.keep_artifacts * DAY_MS,
    log: { level: settings.log_level, format: settings.log_format },
    otelEndpoint: settings.otel_endpoint,
    searchPath: inputs.env.PATH ?? inputs.env.Path ?? '',
  };
}

/** The groups of options that a profile speaks for. */
const CONNECTION_GROUPS: readonly OptionGroup[] = ['redis', 'profile'];

function dropConnection(raw: RawValues): void {
  for (const key of OPTION_KEYS) if (CONNECTION_GROUPS.includes(optionSpec(key).group)) raw.delete(key);
}

/** Our own is, too. */
const isLocal = (redis: RedisOptions | null): boolean => redis === null || isLoopback(redis);

const isYes = (text: string): boolean => ['true', '1', 'yes', 'on'].includes(text.toLowerCase());
const isNo = (text: string): boolean => ['false', '0', 'no', 'off'].includes(text.toLowerCase());
const privateAccessOf = (entries: readonly string[]): Config['privateAccess'] => ({
  all: entries.some(isYes),
  hosts: entries.filter((entry) => !isYes(entry) && !isNo(entry)),
});

/** Reads the config file into `raw`; one that was named must be there, the default one may be missing. */
function readFile(raw: RawValues, inputs: ConfigInputs): ConfigFault[] {
  const wanted = inputs.configFile ?? (inputs.env.MILLRACE_CONFIG || null);
  if (wanted !== null) return addFile(raw, resolve(inputs.cwd, wanted));
  const path = join(dataDirOf(raw, inputs), 'config.json');
  if (!existsSync(path)) return [];
  const before = raw.has('data_dir');
  const faults = addFile(raw, path);
  if (!before && raw.has('data_dir')) {
    faults.push(
      `${path}: data_dir cannot stand in a file of the data folder itself: set MILLRACE_DATA_DIR, or give --config`,
    );
  }
  return faults;
}

function dataDirOf(raw: RawValues, inputs: ConfigInputs): string {
  const given = raw.get('data_dir');
  return typeof given?.value === 'string' && given.value !== ''
    ? resolve(given.base, given.value)
    : defaultDataDir(inputs);
}

/** Relative paths start at the folder of their source. */
function atBase(key: OptionKey, { value, base }: { value: unknown; base: string }): unknown {
  const { form } = optionSpec(key);
  const absolute = (path: unknown) => (typeof path === 'string' && path !== '' ? resolve(base, path) : path);
  if (form === 'path') return absolute(value);
  return form === 'paths' && Array.isArray(value) ? value.map(absolute) : value;
}

function got(key: OptionKey, raw: RawValues): string {
  const entry = raw.get(key);
  if (!entry) return '';
  return optionSpec(key).secret
    ? ` (from the ${entry.source})`
    : `, got ${JSON.stringify(entry.value)} (from the ${entry.source})`;
}
