/** The start page's state: the profiles, the one that is looked at, and what became of the last thing tried on it. */
import type {
  ConnectOutcome,
  DiagnoseEvent,
  DiagnoseStep,
  Profile,
  ProfileFields,
  ProfileList,
  TestResult,
} from '#main/bridge/profiles-contract';
import { ProfileForm } from './profile-form.svelte';

export interface DiagnoseRun {
  readonly run: string;
  /** In their order. */
  readonly steps: readonly DiagnoseStep[];
  /** Unix ms. */
  readonly startedAt: number;
  /** Null while it runs. */
  readonly endedAt: number | null;
  readonly stopped: boolean;
}

export type Busy = 'testing' | 'connecting' | 'saving' | 'starting';
export type PasswordAsked = Extract<ConnectOutcome, { state: 'password_needed' }>;

/** Of the one that was never saved. */
const NEW = '';

export class ProfilesStore {
  list = $state.raw<ProfileList | null>(null);
  /** The list could not be had. */
  loadError = $state<string | null>(null);
  /** Id of the profile that is looked at, `NEW` for one that was never saved; null for none. */
  #selected = $state<string | null>(null);
  readonly #forms = $state<Record<string, ProfileForm>>({});
  busy = $state<Busy | null>(null);
  test = $state.raw<TestResult | null>(null);
  failure = $state.raw<{ title: string; detail: string } | null>(null);
  asked = $state.raw<PasswordAsked | null>(null);
  diagnose = $state.raw<DiagnoseRun | null>(null);
  /** Unix ms; moves while something is told by its age. */
  now = $state(0);

  get profiles(): readonly Profile[] {
    return this.list?.profiles ?? [];
  }

  get selected(): string | null {
    return this.#selected;
  }

  get form(): ProfileForm | null {
    return this.#selected === null ? null : (this.#forms[this.#selected] ?? null);
  }

  get diagnosing(): boolean {
    return this.diagnose !== null && this.diagnose.endedAt === null;
  }

  /** A new one stands above the list while it is not saved. */
  get unsaved(): ProfileForm | null {
    return this.#forms[NEW] ?? null;
  }

  /** Nothing to choose from yet, and none begun. */
  get isFirstRun(): boolean {
    return this.list !== null && this.profiles.length === 0 && this.form === null;
  }

  hasChanges(id: string): boolean {
    return this.#forms[id]?.dirty ?? false;
  }

  listed(list: ProfileList): void {
    this.list = list;
    this.loadError = null;
    if (this.#selected === null && list.profiles[0] !== undefined) this.select(list.profiles[0].id);
  }

  /** What was typed into the one before stays with it. */
  select(id: string): void {
    if (id === this.#selected) return;
    const profile = this.profiles.find((candidate) => candidate.id === id);
    if (this.#forms[id] === undefined && profile !== undefined) this.#forms[id] = new ProfileForm(profile);
    if (this.#forms[id] === undefined) return;
    this.#selected = id;
    this.#forget();
  }

  startNew(address?: { fields: ProfileFields; password: string | null }): void {
    const form = address ? ProfileForm.ofAddress(address.fields, address.password) : new ProfileForm();
    form.asks = form.password !== '' && (this.list?.secretsAsked ?? null) !== null;
    this.#forms[NEW] = form;
    this.#selected = NEW;
    this.#forget();
  }

  selectUnsaved(): void {
    this.select(NEW);
  }

  /** Leaves the one that was never saved. */
  discard(): void {
    delete this.#forms[NEW];
    this.#selected = null;
    this.#forget();
    const first = this.profiles[0];
    if (first) this.select(first.id);
  }

  saved(form: ProfileForm, profile: Profile): void {
    form.saved(profile);
    if (this.#forms[NEW] === form) delete this.#forms[NEW];
    this.#forms[profile.id] = form;
    this.#selected = profile.id;
  }

  removed(id: string): void {
    delete this.#forms[id];
    if (this.#selected !== id) return;
    this.#selected = null;
    this.#forget();
  }

  tried(): void {
    this.test = null;
    this.failure = null;
    this.asked = null;
  }

  began(run: string, now: number): void {
    this.tried();
    this.diagnose = { run, steps: [], startedAt: now, endedAt: null, stopped: false };
  }

  /** Folds an event in; one of another run is old. */
  heard(event: DiagnoseEvent, now: number): void {
    const { diagnose } = this;
    if (diagnose === null || diagnose.run !== event.run) return;
    this.now = now;
    if (event.kind === 'plan') this.diagnose = { ...diagnose, steps: event.steps };
    else if (event.kind === 'end') this.diagnose = { ...diagnose, endedAt: now };
    else {
      const steps = diagnose.steps.map((step) => (step.key === event.step.key ? event.step : step));
      this.diagnose = { ...diagnose, steps };
    }
  }

  stopped(): void {
    if (this.diagnose !== null && this.diagnosing) this.diagnose = { ...this.diagnose, stopped: true };
  }

  closeDiagnose(): void {
    this.diagnose = null;
  }

  #forget(): void {
    this.tried();
    this.diagnose = null;
  }
}
