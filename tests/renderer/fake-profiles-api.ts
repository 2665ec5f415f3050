/** The desktop as the start page sees it, in memory: what was asked is noted, what comes back is set by the test. */
import {
  BLANK_FIELDS,
  type ConnectOutcome,
  type DiagnoseEvent,
  type DiagnoseStep,
  type Profile,
  type ProfileDraft,
  type ProfileList,
} from '#main/bridge/profiles-contract';
import type { StartApi } from '../../src-renderer/loaders/profiles-loader';

export const profileOf = (more: Partial<Profile> = {}): Profile => ({
  ...BLANK_FIELDS,
  id: 'p1',
  name: 'eu-orders',
  environment: 'production',
  host: 'redis.orrery.internal',
  port: 6380,
  passwordRef: null,
  sentinelPasswordRef: null,
  lastUsedAt: null,
  lastCheck: null,
  ...more,
});

export const stepOf = (key: string, more: Partial<DiagnoseStep> = {}): DiagnoseStep => ({
  key,
  title: key,
  address: '',
  state: 'waiting',
  ms: null,
  detail: '',
  cure: null,
  ...more,
});

export class FakeProfilesApi implements StartApi {
  profiles: Profile[];
  more: Partial<ProfileList> = {};
  outcome: ConnectOutcome = { state: 'connected' };
  /** Rejects the next call with this. */
  refusal: string | null = null;
  readonly asked: [name: string, ...args: unknown[]][] = [];
  #listener: (event: DiagnoseEvent) => void = () => undefined;

  constructor(profiles: Profile[] = []) {
    this.profiles = profiles;
  }

  #note(...call: [name: string, ...args: unknown[]]): void {
    this.asked.push(call);
    const { refusal } = this;
    this.refusal = null;
    if (refusal !== null) throw new Error(refusal);
  }

  calls(name: string): unknown[][] {
    return this.asked.flatMap(([called, ...args]) => (called === name ? [args] : []));
  }

  tell(event: DiagnoseEvent): void {
    this.#listener(event);
  }

  async list(): Promise<ProfileList> {
    return {
      profiles: this.profiles,
      secretsAsked: null,
      brokenFile: null,
      dataDir: '~/.local/share/millrace',
      demo: false,
      ...this.more,
    };
  }

  async save(draft: ProfileDraft): Promise<Profile> {
    this.#note('save', draft);
    const { id, fields, password } = draft;
    const old = this.profiles.find((profile) => profile.id === id);
    const kept = password === undefined ? (old?.passwordRef ?? null) : password === null ? null : 'ref';
    const profile = profileOf({ ...fields, id: id ?? `p${this.profiles.length + 1}`, passwordRef: kept });
    this.profiles = [...this.profiles.filter((other) => other !== old), profile];
    return profile;
  }

  async remove(id: string): Promise<void> {
    this.#note('remove', id);
    this.profiles = this.profiles.filter((profile) => profile.id !== id);
  }

  async parseUrl(url: string) {
    this.#note('parseUrl', url);
    const { id, passwordRef, sentinelPasswordRef, lastUsedAt, lastCheck, ...fields } = profileOf({
      name: 'pasted',
      host: 'pasted.example',
      environment: null,
      usesPassword: true,
    });
    return { fields, password: 'hush' };
  }

  async test(draft: ProfileDraft) {
    this.#note('test', draft);
    return { reached: false, ms: 12, text: 'TCP failed. Nothing listens there.', cure: 'Check the port.' };
  }

  async diagnose(draft: ProfileDraft, run: string): Promise<void> {
    this.#note('diagnose', draft, run);
  }

  async stopDiagnose(run: string): Promise<void> {
    this.#note('stopDiagnose', run);
  }

  async connect(wanted: { id: string; password?: string | undefined; sentinelPassword?: string | undefined }) {
    this.#note('connect', wanted);
    return this.outcome;
  }

  async startLocal(options: { demo: boolean }) {
    this.#note('startLocal', options);
    return this.outcome;
  }

  onDiagnose(listener: (event: DiagnoseEvent) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = () => undefined;
    };
  }

  async pickFile(): Promise<string | null> {
    this.#note('pickFile');
    return '/etc/ssl/orrery-ca.pem';
  }
}
