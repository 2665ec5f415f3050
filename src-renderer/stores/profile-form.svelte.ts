/**
 * One profile as it is typed: texts, and what they make, checked by the same schema that the desktop holds them to.
 * A password is either kept already, typed now, or asked for each time; it is never read back.
 */
import {
  environmentOf,
  isRemote,
  type Profile,
  type ProfileDraft,
  ProfileFields,
  type ProfileKind,
  type ProfileNode,
  safetyOf,
  sendsPlainPassword,
} from '#main/bridge/profiles-contract';
import type { Environment, SafetyLevel } from '#queue/contract/session';

const SENTINEL_PORT = 26_379;
const REDIS_PORT = 6379;

export interface Fault {
  /** As in the schema, parts joined by dots. */
  path: string;
  message: string;
}

export class ProfileForm {
  /** Null until it is saved. */
  id = $state<string | null>(null);
  name = $state('');
  environment = $state<Environment | ''>('');
  safety = $state<SafetyLevel | ''>('');
  kind = $state<ProfileKind>('standalone');
  host = $state('');
  port = $state(String(REDIS_PORT));
  db = $state('0');
  socketPath = $state('');
  nodes = $state('');
  master = $state('');
  username = $state('');
  password = $state('');
  passwordKept = $state(false);
  asks = $state(false);
  sentinelUsername = $state('');
  sentinelPassword = $state('');
  sentinelPasswordKept = $state(false);
  sentinelAsks = $state(false);
  allowPlainPassword = $state(false);
  tlsOn = $state(false);
  caFile = $state('');
  certFile = $state('');
  keyFile = $state('');
  servername = $state('');
  verify = $state(true);
  prefix = $state('mr');
  /** Faults are shown once something was tried. */
  tried = $state(false);
  /** What was saved last, to tell whether anything was changed. */
  #saved = $state('');

  constructor(profile: Profile | null = null) {
    if (profile !== null) this.#take(profile, profile);
    this.#saved = profile === null ? '' : this.#snapshot();
  }

  /** From an address that was pasted; not saved yet. */
  static ofAddress(fields: ProfileFields, password: string | null): ProfileForm {
    const form = new ProfileForm();
    form.#take(fields, null);
    form.password = password ?? '';
    return form;
  }

  #take(fields: ProfileFields, profile: Profile | null): void {
    const { tls } = fields;
    this.id = profile?.id ?? null;
    this.name = fields.name;
    this.environment = fields.environment ?? '';
    this.safety = fields.safety ?? '';
    this.kind = fields.kind;
    this.host = fields.host;
    this.port = String(fields.port);
    this.db = String(fields.db);
    this.socketPath = fields.socketPath;
    this.nodes = fields.nodes.map(nodeText).join(', ');
    this.master = fields.master;
    this.username = fields.username;
    this.passwordKept = (profile?.passwordRef ?? null) !== null;
    this.asks = profile !== null && fields.usesPassword && !this.passwordKept;
    this.sentinelUsername = fields.sentinelUsername;
    this.sentinelPasswordKept = (profile?.sentinelPasswordRef ?? null) !== null;
    this.sentinelAsks = profile !== null && fields.usesSentinelPassword && !this.sentinelPasswordKept;
    this.allowPlainPassword = fields.allowPlainPassword;
    this.tlsOn = tls.on;
    this.caFile = tls.caFile;
    this.certFile = tls.certFile;
    this.keyFile = tls.keyFile;
    this.servername = tls.servername;
    this.verify = tls.rejectUnauthorized;
    this.prefix = fields.prefix;
  }

  readonly #parsed = $derived.by(() => {
    const nodes = parseNodes(this.nodes, this.kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT);
    const result = ProfileFields.safeParse(this.#fields(nodes.nodes));
    const faults: Fault[] = result.error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? [];
    if (this.hasNodes && nodes.fault !== '') faults.unshift({ path: 'nodes', message: nodes.fault });
    return { fields: faults.length === 0 && result.success ? result.data : null, faults };
  });

  /** Of what is typed, whole or not. */
  #fields(nodes: ProfileNode[]): ProfileFields {
    const { kind } = this;
    const sentinel = kind === 'sentinel';
    return {
      name: this.name,
      environment: this.environment === '' ? null : this.environment,
      safety: this.safety === '' ? null : this.safety,
      kind,
      host: kind === 'standalone' ? this.host : '',
      port: kind === 'standalone' ? wholeOf(this.port) : REDIS_PORT,
      db: kind === 'local' || kind === 'cluster' ? 0 : wholeOf(this.db),
      socketPath: kind === 'socket' ? this.socketPath : '',
      nodes: this.hasNodes ? nodes : [],
      master: sentinel ? this.master : '',
      username: kind === 'local' ? '' : this.username,
      usesPassword: kind !== 'local' && (this.password !== '' || this.passwordKept || this.asks),
      sentinelUsername: sentinel ? this.sentinelUsername : '',
      usesSentinelPassword:
        sentinel && (this.sentinelPassword !== '' || this.sentinelPasswordKept || this.sentinelAsks),
      allowPlainPassword: this.allowPlainPassword,
      tls: {
        on: this.hasTls && this.tlsOn,
        caFile: this.caFile,
        certFile: this.certFile,
        keyFile: this.keyFile,
        servername: this.servername,
        rejectUnauthorized: this.verify,
      },
      prefix: this.prefix,
    };
  }

  get hasNodes(): boolean {
    return this.kind === 'sentinel' || this.kind === 'cluster';
  }

  get hasTls(): boolean {
    return this.kind !== 'local' && this.kind !== 'socket';
  }

  get faults(): readonly Fault[] {
    return this.#parsed.faults;
  }

  readonly #place = $derived(this.#fields(parseNodes(this.nodes, REDIS_PORT).nodes));

  /** What it counts as, labelled or not. */
  get environmentInUse(): Environment {
    return environmentOf(this.#place);
  }

  get unlabelled(): boolean {
    return this.environment === '' && isRemote(this.#place);
  }

  get safetyInUse(): SafetyLevel {
    return safetyOf(this.#place);
  }

  get sendsPlainPassword(): boolean {
    return sendsPlainPassword(this.#place);
  }

  get dirty(): boolean {
    return this.#saved !== this.#snapshot();
  }

  errorOf(path: string): string {
    return this.tried ? (this.faults.find((fault) => fault.path === path)?.message ?? '') : '';
  }

  /** Null while it has faults. @param keep for saving: what is to be asked each time is then left out */
  draft(keep: 'to-save' | 'to-try'): ProfileDraft | null {
    const { fields } = this.#parsed;
    if (fields === null) return null;
    return {
      id: this.id,
      fields,
      password: secretOf(this.password, this.passwordKept, this.asks && keep === 'to-save'),
      sentinelPassword: secretOf(
        this.sentinelPassword,
        this.sentinelPasswordKept,
        this.sentinelAsks && keep === 'to-save',
      ),
    };
  }

  /** As it was saved. What was typed stays for as long as the profile asks for it: it is nowhere else. */
  saved(profile: Profile): void {
    const { password, sentinelPassword } = this;
    this.#take(profile, profile);
    this.password = this.asks ? password : '';
    this.sentinelPassword = this.sentinelAsks ? sentinelPassword : '';
    this.tried = false;
    this.#saved = this.#snapshot();
  }

  /** A password of a profile that asks is no change: it is not saved. */
  #snapshot(): string {
    const typed = [this.asks ? '' : this.password, this.sentinelAsks ? '' : this.sentinelPassword];
    const kept = [this.passwordKept, this.asks, this.sentinelPasswordKept, this.sentinelAsks];
    return JSON.stringify([this.#fields([]), this.nodes, typed, kept]);
  }
}

const secretOf = (typed: string, kept: boolean, leaveOut: boolean): string | null | undefined => {
  if (leaveOut) return null;
  if (typed !== '') return typed;
  return kept ? undefined : null;
};

const wholeOf = (text: string): number => (/^\d{1,6}$/.test(text.trim()) ? Number(text) : Number.NaN);

const nodeText = ({ host, port }: ProfileNode): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** `host`, `host:port`, `[::1]:port`, parted by commas or spaces. */
function parseNodes(text: string, defaultPort: number): { nodes: ProfileNode[]; fault: string } {
  const nodes: ProfileNode[] = [];
  for (const part of text.split(/[\s,]+/).filter((piece) => piece !== '')) {
    const match = /^(\[[0-9A-Fa-f:.%]+\]|[^:[\]/@]+)(?::(\d{1,5}))?$/.exec(part);
    const host = match?.[1]?.replace(/^\[|\]$/g, '');
    const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
    if (host === undefined) return { nodes, fault: `Cannot be read: ${part}` };
    if (port < 1 || port > 65_535) return { nodes, fault: `The port is from 1 to 65535: ${part}` };
    nodes.push({ host, port });
  }
  return { nodes, fault: '' };
}
