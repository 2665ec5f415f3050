/**
 * Every option of Millrace, once: its names, its bounds, its default, and what it is for. The command line, the
 * environment, `.env` and the config file are read by this table, and docs/configuration.md is printed from it.
 */
import { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import { ENVIRONMENTS } from '#queue/contract/session';
import { LOG_LEVEL_NAMES } from '#queue/kernel/log';
import { DEFAULT_PREFIX, KeyPrefix } from '#queue/redis/options';
import {
  choice,
  listOf,
  type OptionSpec,
  onOff,
  optionalChoice,
  optionalText,
  optionalWhole,
  seconds,
  textOr,
  whole,
} from './option';

const webUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const smtpUrl = z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' });

export const OPTIONS = {
  redis_url: optionalText({
    flag: '--redis <url>',
    env: 'REDIS_URL',
    group: 'redis',
    secret: true,
    expects:
      'redis://, rediss://, redis-sentinel://host:port,host:port/master, redis-cluster://host:port,host:port or unix:/path',
    shownDefault: 'a local Redis, owned by Millrace',
    about: 'Where Redis is.',
  }),
  redis_host: optionalText({
    flag: '--redis-host <host>',
    env: 'REDIS_HOST',
    group: 'redis',
    about: 'Host of Redis, instead of a URL.',
  }),
  redis_port: optionalWhole(
    { min: 1, max: 65_535, shownDefault: '6379' },
    { flag: '--redis-port <n>', env: 'REDIS_PORT', group: 'redis', about: 'Port of Redis.' },
  ),
  redis_db: optionalWhole(
    { min: 0, max: 65_535, shownDefault: '0' },
    { flag: '--redis-db <n>', env: 'REDIS_DB', group: 'redis', about: 'Database number.' },
  ),
  redis_username: optionalText({
    flag: '--redis-username <name>',
    env: 'REDIS_USERNAME',
    group: 'redis',
    about: 'ACL user.',
  }),
  redis_password: optionalText({
    flag: '--redis-password <text>',
    env: 'REDIS_PASSWORD',
    group: 'redis',
    secret: true,
    about: 'Password; fills in for a URL that has none.',
  }),
  redis_tls: onOff(false, {
    flag: '--redis-tls [yes|no]',
    env: 'REDIS_TLS',
    group: 'redis',
    about: 'Encrypt, as rediss:// does.',
  }),
  redis_tls_ca: optionalText({
    flag: '--redis-tls-ca <file>',
    env: 'REDIS_TLS_CA',
    group: 'redis',
    form: 'path',
    about: 'PEM file of the authority that signed the certificate of Redis; implies TLS.',
  }),
  redis_tls_cert: optionalText({
    flag: '--redis-tls-cert <file>',
    env: 'REDIS_TLS_CERT',
    group: 'redis',
    form: 'path',
    about: "PEM file of this client's certificate; implies TLS.",
  }),
  redis_tls_key: optionalText({
    flag: '--redis-tls-key <file>',
    env: 'REDIS_TLS_KEY',
    group: 'redis',
    form: 'path',
    about: 'PEM file of the key of that certificate.',
  }),
  redis_tls_servername: optionalText({
    flag: '--redis-tls-servername <name>',
    env: 'REDIS_TLS_SERVERNAME',
    group: 'redis',
    about: 'Name that the certificate must be for, where it is not the host.',
  }),
  redis_tls_verify: onOff(true, {
    flag: '--redis-tls-verify [yes|no]',
    env: 'REDIS_TLS_VERIFY',
    group: 'redis',
    about: 'Refuse a certificate that cannot be verified.',
  }),
  redis_sentinels: listOf([], {
    flag: '--redis-sentinels <hosts>',
    env: 'REDIS_SENTINELS',
    group: 'redis',
    expects: 'a list of host:port',
    about: 'The sentinels that know the master.',
  }),
  redis_sentinel_master: optionalText({
    flag: '--redis-sentinel-master <name>',
    env: 'REDIS_SENTINEL_MASTER',
    group: 'redis',
    about: 'Name of the master set that the sentinels watch.',
  }),
  redis_sentinel_username: optionalText({
    flag: '--redis-sentinel-username <name>',
    env: 'REDIS_SENTINEL_USERNAME',
    group: 'redis',
    about: 'ACL user of the sentinels themselves.',
  }),
  redis_sentinel_password: optionalText({
    flag: '--redis-sentinel-password <text>',
    env: 'REDIS_SENTINEL_PASSWORD',
    group: 'redis',
    secret: true,
    about: 'Password of the sentinels themselves.',
  }),
  redis_cluster: listOf([], {
    flag: '--redis-cluster <hosts>',
    env: 'REDIS_CLUSTER',
    group: 'redis',
    expects: 'a list of host:port',
    about: 'Some nodes of a Redis Cluster.',
  }),
  prefix: textOr(
    DEFAULT_PREFIX,
    {
      flag: '--prefix <text>',
      env: 'MILLRACE_PREFIX',
      group: 'redis',
      expects: '1 to 64 letters, digits, "_", ".", ":" or "-"',
      about: 'What every key begins with; several Millraces may share one Redis.',
    },
    KeyPrefix,
  ),

  profile_name: optionalText(
    {
      flag: '--profile-name <text>',
      env: 'MILLRACE_PROFILE',
      group: 'profile',
      expects: '1 to 60 characters',
      about: 'Name of this connection, as consoles show it.',
    },
    z.string().trim().min(1, 'must be 1 to 60 characters').max(60, 'must be 1 to 60 characters'),
  ),
  environment: optionalChoice(ENVIRONMENTS, {
    flag: '--environment <name>',
    env: 'MILLRACE_ENVIRONMENT',
    group: 'profile',
    shownDefault: 'local where Redis is on this machine, else not told',
    about: 'What this Redis is for. Consoles take one that is not told for production.',
  }),
  safe_mode: choice(['open', 'confirm', 'guarded', 'read-only'], 'open', {
    flag: '--safe-mode <level>',
    env: 'MILLRACE_SAFE_MODE',
    group: 'profile',
    about:
      'With guarded, calls that work on a selection of tasks need expected_count; with read-only, every writing call is refused until the connection is unlocked for some minutes. The others are for consoles.',
  }),

  app_host: textOr('127.0.0.1', {
    flag: '--host <address>',
    env: 'APP_HOST',
    group: 'api',
    about: 'Address that the API listens on.',
  }),
  app_port: whole(
    { min: 0, max: 65_535, default: 8000 },
    { flag: '--port <n>', env: 'APP_PORT', group: 'api', about: 'Port of the API; 0 takes a free one.' },
  ),
  allow_hosts: listOf([], {
    flag: '--allow-hosts <names>',
    env: 'MILLRACE_ALLOW_HOSTS',
    group: 'api',
    expects: 'a list of host names',
    about: 'Names, besides those of loopback, under which the API may be called.',
  }),
  allow_origins: listOf([], {
    flag: '--allow-origins <origins>',
    env: 'MILLRACE_ALLOW_ORIGINS',
    group: 'api',
    expects: 'a list of origins, such as http://localhost:5173',
    about: 'Web pages of other origins that may call the API.',
  }),
  token: optionalText(
    {
      flag: '--token <text>',
      env: 'MILLRACE_TOKEN',
      group: 'api',
      secret: true,
      expects: '1 to 512 visible ASCII characters',
      about: 'Bearer token with the role admin. Required where Redis is not on loopback, or the API listens beyond it.',
    },
    z.string().regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 visible ASCII characters'),
  ),

  workers: whole(
    { min: 0, max: 64, default: 1 },
    { flag: '--workers <n>', env: 'WORKERS', group: 'workers', about: 'Worker processes that the server runs.' },
  ),
  concurrency: whole(
    { min: 1, max: LIMITS.concurrency, default: 10 },
    {
      flag: '--concurrency <n>',
      env: 'CONCURRENCY',
      group: 'workers',
      about: 'Tasks that one worker process runs at once.',
    },
  ),
  queues: listOf(['*'], {
    flag: '--queues <list>',
    env: 'QUEUES',
    group: 'workers',
    expects: 'queue names, each with a weight if wanted, and * for every other queue: emails=5,images=2,*',
    about: 'Queues that the workers serve.',
  }),
  handlers: optionalText({
    flag: '--handlers <dir>',
    env: 'MILLRACE_HANDLERS',
    group: 'workers',
    form: 'path',
    about: 'Folder of your handlers.',
  }),
  shutdown_timeout: seconds(
    { min: 0, max: 600, default: 25 },
    {
      flag: '--shutdown-timeout <seconds>',
      env: 'SHUTDOWN_TIMEOUT',
      group: 'workers',
      about: 'Seconds that running tasks get when a worker stops; then they are handed back.',
    },
  ),

  max_retries: whole(
    { min: 0, max: 100, default: 3 },
    { flag: '--max-retries <n>', env: 'MAX_RETRIES', group: 'tasks', about: 'Retries of a task that names no number.' },
  ),
  task_timeout: seconds(
    { min: 0.1, max: 86_400, default: 300 },
    {
      flag: '--task-timeout <seconds>',
      env: 'TASK_TIMEOUT',
      group: 'tasks',
      about: 'Time-out of one execution of a task that names none, seconds.',
    },
  ),
  smtp_url: optionalText(
    {
      flag: '--smtp <url>',
      env: 'SMTP_URL',
      group: 'tasks',
      secret: true,
      expects: 'an smtp:// or smtps:// URL',
      shownDefault: 'mails become .eml files in the outbox folder',
      about: 'Mail server of the task type email.',
    },
    smtpUrl,
  ),
  mail_from: textOr('millrace@localhost', {
    flag: '--mail-from <address>',
    env: 'MILLRACE_MAIL_FROM',
    group: 'tasks',
    about: 'Sender of mails that name none.',
  }),
  allow_private: listOf([], {
    flag: '--allow-private <hosts>',
    env: 'MILLRACE_ALLOW_PRIVATE',
    group: 'tasks',
    expects: 'a list of hosts, addresses or CIDR ranges, or true for all',
    about: 'Private addresses that tasks may call; true for all of them.',
  }),
  ai_url: optionalText(
    {
      flag: '--ai-url <url>',
      env: 'MILLRACE_AI_URL',
      group: 'tasks',
      about: 'OpenAI-compatible endpoint of the task type ai_summarization.',
    },
    webUrl,
  ),
  ai_key: optionalText({
    flag: '--ai-key <text>',
    env: 'MILLRACE_AI_KEY',
    group: 'tasks',
    secret: true,
    about: 'Its key.',
  }),
  ai_model: textOr('gpt-4o-mini', {
    flag: '--ai-model <name>',
    env: 'MILLRACE_AI_MODEL',
    group: 'tasks',
    about: 'Its model.',
  }),

  data_dir: optionalText({
    flag: '--data-dir <dir>',
    env: 'MILLRACE_DATA_DIR',
    group: 'files',
    form: 'path',
    shownDefault: "~/.local/share/millrace, or the system's own place",
    about: 'Folder of everything that Millrace keeps: the local Redis, artifacts, pools, config.json.',
  }),
  files: listOf([], {
    flag: '--files <dirs>',
    env: 'MILLRACE_FILES',
    group: 'files',
    form: 'paths',
    expects: 'a list of folders',
    about: "Folders, besides the worker's own, that tasks may read and write.",
  }),

  keep_artifacts: whole(
    { min: 1, max: 3650, default: 7 },
    {
      flag: '--keep-artifacts <days>',
      env: 'MILLRACE_KEEP_ARTIFACTS',
      group: 'files',
      about: 'Days that artifacts of tasks which are gone, and mails in the outbox, are kept.',
    },
  ),

  log_level: choice(LOG_LEVEL_NAMES, 'info', {
    flag: '--log-level <level>',
    env: 'LOG_LEVEL',
    group: 'logs',
    about: 'Least level that is written.',
  }),
  log_format: choice(['json', 'pretty'], 'json', {
    flag: '--log-format <format>',
    env: 'LOG_FORMAT',
    group: 'logs',
    about: 'Form of the log on standard error.',
  }),
  otel_endpoint: optionalText(
    {
      flag: '--otel-endpoint <url>',
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      group: 'logs',
      about: 'OpenTelemetry collector that gets traces.',
    },
    webUrl,
  ),
} as const satisfies Record<string, OptionSpec>;

export type OptionKey = keyof typeof OPTIONS;
export const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];
/** For code that walks the table and does not care which option it is. */
export const optionSpec = (key: OptionKey): OptionSpec => OPTIONS[key];
export const isOptionKey = (key: string): key is OptionKey => Object.hasOwn(OPTIONS, key);

type Schemas = { [Key in OptionKey]: (typeof OPTIONS)[Key]['schema'] };
/** All options checked, defaults filled in; names as in the config file, durations in seconds. */
export const Settings = z.strictObject(
  Object.fromEntries(OPTION_KEYS.map((key) => [key, OPTIONS[key].schema])) as unknown as Schemas,
);
export type Settings = z.infer<typeof Settings>;
