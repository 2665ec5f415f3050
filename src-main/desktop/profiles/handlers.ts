/**
 * Answers the calls of the start page. Passwords go from the page or the keychain straight into a connection; none comes
 * back to the page. Before a console opens, its Redis is tried as far as signing in, so that one that cannot be
 * reached says why here, beside its profile.
 */
import type { Environment, SafetyLevel } from '#queue/contract/session';
import type { Clock } from '#queue/kernel/clock';
import type { CallHandlers } from '../../bridge/calls';
import {
  BLANK_FIELDS,
  type ConnectOutcome,
  type DiagnoseEvent,
  type DiagnoseStep,
  labelOf,
  type Profile,
  type ProfileCalls,
  type ProfileDraft,
  type ProfileFields,
  safetyOf,
} from '../../bridge/profiles-contract';
import { ProfileFault, type ProfileRedis, profileOfUrl, redisOfProfile } from '../../config/profile-redis';
import { planDiagnose } from '../../doctor/diagnose/plan';
import { BridgeRefusal } from '../bridge-calls';
import { type ProfileStore, ProfileStoreError, type SecretChange } from './profile-store';
import type { SecretBox } from './secret-box';

/** What a console is opened for. */
export interface WantedConnection {
  profile: Profile;
  /** Null: a remote that nobody has labelled. */
  environment: Environment | null;
  safety: SafetyLevel;
  /** Null: the local queue, which is started where it does not run. It holds the password. */
  redis: ProfileRedis | null;
  /** Fill the local queue with demo data first. */
  demo: boolean;
}

export interface ProfileDeps<Caller> {
  store: ProfileStore;
  secrets: SecretBox;
  clock: Clock;
  dataDir: string;
  /** Whether there is demo data to fill a queue with. */
  demo: boolean;
  /** The local Redis for a look: the one that runs, else started for it. Rejects with a sentence. */
  openLocal(): Promise<{ redis: ProfileRedis; release(): Promise<void> }>;
  /** Opens the console. Rejects with a sentence. */
  connect(caller: Caller, wanted: WantedConnection): Promise<void>;
  emit(caller: Caller, event: DiagnoseEvent): void;
}

const LOCAL: ProfileFields = { ...BLANK_FIELDS, name: 'Local queue', environment: 'local', kind: 'local' };
const NO_SECRETS = { password: null, sentinelPassword: null };

export function profileHandlers<Caller>(deps: ProfileDeps<Caller>): CallHandlers<ProfileCalls, Caller> {
  const { store, secrets, clock } = deps;
  /** One a window. */
  const runs = new Map<Caller, { name: string; stopper: AbortController }>();

  const stored = async (id: string | null): Promise<Profile | null> => (id === null ? null : store.get(id));
  const secretFor = async (given: SecretChange, ref: string | null | undefined): Promise<string | null> =>
    given === undefined ? store.secret(ref ?? null) : given;

  /** The Redis of a draft, as long as `use` runs. */
  async function withRedis<T>(
    { id, fields, ...given }: ProfileDraft,
    use: (redis: ProfileRedis) => Promise<T>,
  ): Promise<T> {
    if (fields.kind === 'local') {
      const { redis, release } = await deps.openLocal().catch((error: unknown) => {
        throw new BridgeRefusal(messageOf(error));
      });
      return use(redis).finally(release);
    }
    const profile = await stored(id);
    const password = await secretFor(given.password, profile?.passwordRef);
    const sentinelPassword = await secretFor(given.sentinelPassword, profile?.sentinelPasswordRef);
    return use(await redisOfProfile(fields, { password, sentinelPassword }));
  }

  /** The step that fails on the way to being signed in; null where none does. */
  async function failureOf(redis: ProfileRedis, allowPlainPassword: boolean): Promise<DiagnoseStep | null> {
    const { signal } = new AbortController();
    for await (const step of planDiagnose({ redis, allowPlainPassword, clock, signal }, 'sign_in').run()) {
      if (step.state === 'fail') return step;
    }
    return null;
  }

  async function open(caller: Caller, wanted: WantedConnection): Promise<ConnectOutcome> {
    const { id } = wanted.profile;
    try {
      await deps.connect(caller, wanted);
    } catch (error) {
      await store.note(id, { reached: false, used: false });
      return { state: 'failed', message: messageOf(error), cure: null };
    }
    await store.note(id, { reached: true, used: true });
    return { state: 'connected' };
  }

  return {
    list: asRefusal(async () => ({
      profiles: await store.list(),
      secretsAsked: secrets.unavailable,
      brokenFile: store.brokenFile,
      dataDir: deps.dataDir,
      demo: deps.demo,
    })),
    save: asRefusal((_caller, { id, fields, password, sentinelPassword }) =>
      store.save(id, fields, { password, sentinelPassword }),
    ),
    remove: asRefusal((_caller, id) => store.remove(id)),
    parseUrl: asRefusal(async (_caller, url) => profileOfUrl(url)),

    test: asRefusal(async (_caller, draft) => {
      const started = clock.monotonic();
      const failure = await withRedis(draft, (redis) => failureOf(redis, draft.fields.allowPlainPassword));
      const ms = Math.round(clock.monotonic() - started);
      if (draft.id !== null) await store.note(draft.id, { reached: failure === null, used: false });
      if (failure === null) return { reached: true, ms, text: 'Reached and signed in.', cure: null };
      return { reached: false, ms, text: `${failure.title} failed. ${failure.detail}`, cure: failure.cure };
    }),

    diagnose: asRefusal(async (caller, draft, name) => {
      runs.get(caller)?.stopper.abort();
      const stopper = new AbortController();
      const { signal } = stopper;
      runs.set(caller, { name, stopper });
      // What goes wrong before the first step is the answer; a diagnose itself tells its troubles as steps.
      await new Promise<void>((begun, refused) => {
        withRedis(draft, async (redis) => {
          const { allowPlainPassword } = draft.fields;
          const { plan, run } = planDiagnose({ redis, allowPlainPassword, clock, signal });
          deps.emit(caller, { kind: 'plan', run: name, steps: plan });
          begun();
          let reached = false;
          for await (const step of run()) {
            deps.emit(caller, { kind: 'step', run: name, step });
            if (step.key === 'sign_in') reached = step.state === 'ok' || step.state === 'warn';
          }
          if (draft.id !== null && !signal.aborted) await store.note(draft.id, { reached, used: false });
        })
          .finally(() => {
            if (runs.get(caller)?.stopper === stopper) runs.delete(caller);
            deps.emit(caller, { kind: 'end', run: name });
          })
          .then(begun, refused);
      });
    }),

    stopDiagnose: async (caller, name) => {
      const run = runs.get(caller);
      if (run?.name === name) run.stopper.abort();
    },

    connect: asRefusal(async (caller, { id, password, sentinelPassword }) => {
      const profile = await store.get(id);
      if (profile === null) throw new BridgeRefusal('This profile is gone. Choose another one.');
      if (profile.kind === 'local') return open(caller, wantedOf(profile, null));
      const found = {
        password: await secretFor(password, profile.passwordRef),
        sentinelPassword: await secretFor(sentinelPassword, profile.sentinelPasswordRef),
      };
      const need = (of: 'redis' | 'sentinel', kept: boolean): ConnectOutcome => ({
        state: 'password_needed',
        of,
        reason: kept ? 'The keychain does not have it any more.' : '',
      });
      if (profile.usesSentinelPassword && profile.kind === 'sentinel' && found.sentinelPassword === null) {
        return need('sentinel', profile.sentinelPasswordRef !== null);
      }
      if (profile.usesPassword && found.password === null) return need('redis', profile.passwordRef !== null);
      const redis = await redisOfProfile(profile, found);
      const failure = await failureOf(redis, profile.allowPlainPassword);
      if (failure === null) return open(caller, wantedOf(profile, redis));
      await store.note(id, { reached: false, used: false });
      return { state: 'failed', message: `${failure.title} failed. ${failure.detail}`, cure: failure.cure };
    }),

    startLocal: asRefusal(async (caller, { demo }) => {
      if (demo && !deps.demo) throw new BridgeRefusal('There is no demo data in this build.');
      const local = (await store.list()).find((profile) => profile.kind === 'local');
      const profile = local ?? (await store.save(null, LOCAL, NO_SECRETS));
      return open(caller, wantedOf(profile, null, demo));
    }),
  };
}

export const wantedOf = (profile: Profile, redis: ProfileRedis | null, demo = false): WantedConnection => ({
  profile,
  environment: labelOf(profile),
  safety: safetyOf(profile),
  redis,
  demo,
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is told in a sentence for people may be shown; everything else is a fault of ours. */
function asRefusal<Args extends unknown[], Reply>(
  handler: (...args: Args) => Promise<Reply>,
): (...args: Args) => Promise<Reply> {
  return async (...args) => {
    try {
      return await handler(...args);
    } catch (error) {
      if (error instanceof ProfileFault || error instanceof ProfileStoreError) throw new BridgeRefusal(error.message);
      throw error;
    }
  };
}
