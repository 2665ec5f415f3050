/**
 * Connection profiles as a page and the desktop speak of them: what a profile says, when it may be saved, and the
 * calls of the start page (`window.millrace.profiles`). A profile never holds a password, only the name under which the
 * keychain has it. A remote that nobody has labelled counts as production.
 */
import { z } from 'zod';
import { Environment, SafetyLevel } from '#queue/contract/session';
import type { BridgeCalls, CallFunctions } from './calls';

export const SAFETY_OF: Readonly<Record<Environment, SafetyLevel>> = {
  local: 'open',
  dev: 'confirm',
  staging: 'guarded',
  production: 'read_only',
};

/** `local`: the Redis that Millrace starts and owns. */
export const ProfileKind = z.enum(['local', 'standalone', 'sentinel', 'cluster', 'socket']);
export type ProfileKind = z.infer<typeof ProfileKind>;

export const ProfileId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const Port = z.int('A whole number').min(1, 'From 1 to 65535').max(65_535, 'From 1 to 65535');
const FilePath = z.string().max(1000);
const Secret = z.string().max(1000);
const RunName = z.string().min(1).max(64);

const ProfileNode = z.object({ host: z.string().min(1).max(255), port: Port });
export type ProfileNode = z.infer<typeof ProfileNode>;

const ProfileShape = z.object({
  name: z.string().trim().min(1, 'Needed').max(60, '60 characters at most'),
  /** Null: not labelled. */
  environment: Environment.nullable(),
  /** Null: the one of the environment. */
  safety: SafetyLevel.nullable(),
  kind: ProfileKind,
  /** `standalone` only; empty elsewhere. */
  host: z.string().trim().max(255),
  port: Port,
  db: z.int('A whole number').min(0, 'From 0 to 65535').max(65_535, 'From 0 to 65535'),
  /** `socket` only. */
  socketPath: FilePath,
  /** The sentinels, or some nodes of the cluster. */
  nodes: z.array(ProfileNode).max(100, '100 addresses at most'),
  /** `sentinel` only: name of the master set. */
  master: z.string().trim().max(200),
  /** Empty: the default user. */
  username: z.string().max(200),
  usesPassword: z.boolean(),
  sentinelUsername: z.string().max(200),
  usesSentinelPassword: z.boolean(),
  /** The switch without which no password crosses a network in clear text. */
  allowPlainPassword: z.boolean(),
  tls: z.object({
    on: z.boolean(),
    caFile: FilePath,
    certFile: FilePath,
    keyFile: FilePath,
    servername: z.string().trim().max(255),
    rejectUnauthorized: z.boolean(),
  }),
  prefix: z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, '1 to 64 letters, digits, "_", ".", ":" or "-"'),
});

/** What a form fills in, checked as a whole. */
export const ProfileFields = ProfileShape.superRefine((fields, context) => {
  const fault = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const { kind, tls } = fields;
  if (kind === 'standalone' && !/^[^\s/@]+$/.test(fields.host)) fault(['host'], 'Needed: a name or an IP address');
  if (kind === 'socket' && !fields.socketPath.startsWith('/'))
    fault(['socketPath'], 'A path from the root, as /run/redis.sock');
  if ((kind === 'sentinel' || kind === 'cluster') && fields.nodes.length === 0)
    fault(['nodes'], 'One address at least');
  if (kind === 'sentinel' && fields.master === '') fault(['master'], 'Needed: the name that the sentinels know');
  if (kind === 'cluster' && fields.db !== 0) fault(['db'], 'A cluster has only 0');
  if (tls.on && (tls.certFile === '') !== (tls.keyFile === '')) {
    fault(['tls', tls.certFile === '' ? 'certFile' : 'keyFile'], 'Needed: certificate and key go together');
  }
  if (sendsPlainPassword(fields) && !fields.allowPlainPassword) {
    fault(['allowPlainPassword'], 'The password would cross the network in clear text: turn on TLS, or allow it here');
  }
});
export type ProfileFields = z.infer<typeof ProfileShape>;

/** What is left where nothing is said. */
export const BLANK_FIELDS: ProfileFields = {
  name: '',
  environment: null,
  safety: null,
  kind: 'standalone',
  host: '',
  port: 6379,
  db: 0,
  socketPath: '',
  nodes: [],
  master: '',
  username: '',
  usesPassword: false,
  sentinelUsername: '',
  usesSentinelPassword: false,
  allowPlainPassword: false,
  tls: { on: false, caFile: '', certFile: '', keyFile: '', servername: '', rejectUnauthorized: true },
  prefix: 'mr',
};

export const Profile = z.object({
  ...ProfileShape.shape,
  id: ProfileId,
  /** Under which the keychain has the password; null with `usesPassword` means: ask each time. */
  passwordRef: z.string().nullable(),
  sentinelPasswordRef: z.string().nullable(),
  /** Unix ms. */
  lastUsedAt: z.number().nullable(),
  /** What the last test, diagnose or connect came to. */
  lastCheck: z.object({ at: z.number(), reached: z.boolean() }).nullable(),
});
export type Profile = z.infer<typeof Profile>;

/** A name or address that never leaves this machine: the rule of `#queue/kernel/loopback`, which needs Node. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  const v4 = name.replace(/^::ffff:/, '').split('.');
  return (
    v4.length === 4 && v4[0] === '127' && v4.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

type Place = Pick<ProfileFields, 'kind' | 'host' | 'nodes'>;

export function isRemote({ kind, host, nodes }: Place): boolean {
  if (kind === 'local' || kind === 'socket') return false;
  return kind === 'standalone' ? !isLoopbackName(host) : !nodes.every((node) => isLoopbackName(node.host));
}

export const sendsPlainPassword = (
  fields: Place & Pick<ProfileFields, 'tls' | 'usesPassword' | 'usesSentinelPassword'>,
): boolean => isRemote(fields) && !fields.tls.on && (fields.usesPassword || fields.usesSentinelPassword);

/** Null: a remote that nobody has labelled. */
export const labelOf = (fields: Place & Pick<ProfileFields, 'environment'>): Environment | null =>
  fields.environment ?? (isRemote(fields) ? null : 'local');

/** What it counts as. */
export const environmentOf = (fields: Place & Pick<ProfileFields, 'environment'>): Environment =>
  labelOf(fields) ?? 'production';

export const safetyOf = (fields: Place & Pick<ProfileFields, 'environment' | 'safety'>): SafetyLevel =>
  fields.safety ?? SAFETY_OF[environmentOf(fields)];

/** One step of the diagnose. It is sent when it begins (`running`) and when it is over. */
export const DiagnoseStep = z.object({
  key: z.string(),
  title: z.string(),
  /** What is asked, and where. */
  address: z.string(),
  state: z.enum(['waiting', 'running', 'ok', 'warn', 'fail', 'skipped']),
  /** Null until it is over. */
  ms: z.number().nullable(),
  /** What was found; empty where the address says it all. */
  detail: z.string(),
  /** What to do about it; null where there is nothing to do. */
  cure: z.string().nullable(),
});
export type DiagnoseStep = z.infer<typeof DiagnoseStep>;

/** What becomes of a run: all its steps, waiting; each of them as it begins and ends; the end, also when it was stopped. */
export const DiagnoseEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('plan'), run: z.string(), steps: z.array(DiagnoseStep) }),
  z.object({ kind: z.literal('step'), run: z.string(), step: DiagnoseStep }),
  z.object({ kind: z.literal('end'), run: z.string() }),
]);
export type DiagnoseEvent = z.infer<typeof DiagnoseEvent>;

/** Undefined: the one that is kept; null: none is kept; a text: this one. */
const SecretChange = Secret.nullish();

/** A profile as the form has it, saved or not. */
const Draft = z.object({
  /** Null for one that was never saved. */
  id: ProfileId.nullable(),
  fields: ProfileFields,
  password: SecretChange,
  sentinelPassword: SecretChange,
});
export type ProfileDraft = z.infer<typeof Draft>;

export const ProfileList = z.object({
  /** The last used first. */
  profiles: z.array(Profile),
  /** Null where secrets are kept encrypted; else why they are not, and are asked for each time. */
  secretsAsked: z.string().nullable(),
  /** Where a file of profiles that could not be read was put; null as a rule. */
  brokenFile: z.string().nullable(),
  /** Where the local queue keeps its data. */
  dataDir: z.string(),
  /** Whether `startLocal` can fill the local queue with demo data. */
  demo: z.boolean(),
});
export type ProfileList = z.infer<typeof ProfileList>;

/** What a console may know of the other connections: what to call them. */
export const ProfileName = z.object({
  id: ProfileId,
  name: z.string(),
  /** Null: a remote that nobody has labelled. */
  environment: Environment.nullable(),
  /** It is the one that asks. */
  current: z.boolean(),
});
export type ProfileName = z.infer<typeof ProfileName>;

export const TestResult = z.object({
  reached: z.boolean(),
  ms: z.number(),
  text: z.string(),
  cure: z.string().nullable(),
});
export type TestResult = z.infer<typeof TestResult>;

export const ConnectOutcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('connected') }),
  z.object({ state: z.literal('password_needed'), of: z.enum(['redis', 'sentinel']), reason: z.string() }),
  z.object({ state: z.literal('failed'), message: z.string(), cure: z.string().nullable() }),
]);
export type ConnectOutcome = z.infer<typeof ConnectOutcome>;

export const PROFILE_CALLS = {
  list: { args: z.tuple([]), reply: ProfileList },
  save: { args: z.tuple([Draft]), reply: Profile },
  /** Its secrets go with it. */
  remove: { args: z.tuple([ProfileId]), reply: z.void() },
  /** Any address of Redis, as fields of a profile; the password apart. */
  parseUrl: {
    args: z.tuple([z.string().max(4000)]),
    reply: z.object({ fields: ProfileShape, password: z.string().nullable() }),
  },
  /** As far as signing in. */
  test: { args: z.tuple([Draft]), reply: TestResult },
  /** Begins it under the name that the page gives it, and stops the one before; the rest arrives as events. */
  diagnose: { args: z.tuple([Draft, RunName]), reply: z.void() },
  stopDiagnose: { args: z.tuple([RunName]), reply: z.void() },
  /** A password that is handed over is used once and not kept. */
  connect: {
    args: z.tuple([z.object({ id: ProfileId, password: Secret.optional(), sentinelPassword: Secret.optional() })]),
    reply: ConnectOutcome,
  },
  startLocal: { args: z.tuple([z.object({ demo: z.boolean() })]), reply: ConnectOutcome },
} as const satisfies BridgeCalls;
export type ProfileCalls = typeof PROFILE_CALLS;

/** What the start page is handed. */
export interface ProfilesApi extends CallFunctions<ProfileCalls> {
  /** @returns ends it */
  onDiagnose(listener: (event: DiagnoseEvent) => void): () => void;
}
