/** What the start page does: asks the desktop, and folds the answers into the store. Nothing here throws. */
import type { ConnectOutcome, ProfileDraft, ProfilesApi } from '#main/bridge/profiles-contract';
import type { BrowserTime } from '../net/browser-time';
import type { ProfileForm } from '../stores/profile-form.svelte';
import type { Busy, ProfilesStore } from '../stores/profiles-store.svelte';

/** Ages and durations on the page are told anew so often. */
const TICK_MS = 15_000;
const DIAGNOSE_TICK_MS = 250;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What the start page needs of the desktop. */
export interface StartApi extends ProfilesApi {
  /** A file of this machine; null when the dialog was closed. */
  pickFile(): Promise<string | null>;
}

export class ProfilesLoader {
  readonly #api: StartApi;
  readonly #store: ProfilesStore;
  readonly #time: BrowserTime;
  #runs = 0;
  #stopTick: () => void = () => undefined;

  constructor(api: StartApi, store: ProfilesStore, time: BrowserTime) {
    this.#api = api;
    this.#store = store;
    this.#time = time;
  }

  /** @returns a function that ends it */
  start(): () => void {
    const stopHearing = this.#api.onDiagnose((event) => this.#store.heard(event, this.#time.now()));
    this.#tick();
    void this.reload();
    return () => {
      stopHearing();
      this.#stopTick();
    };
  }

  async reload(): Promise<void> {
    try {
      this.#store.listed(await this.#api.list());
    } catch (error) {
      this.#store.loadError = messageOf(error);
    }
  }

  /** @returns what is wrong with it; null where it filled a new form */
  async paste(address: string): Promise<string | null> {
    try {
      this.#store.startNew(await this.#api.parseUrl(address.trim()));
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  async save(): Promise<void> {
    await this.#do('saving', 'Not saved.', async () => {
      await this.#saveForm();
    });
  }

  async remove(id: string): Promise<void> {
    await this.#do('saving', 'Not removed.', async () => {
      await this.#api.remove(id);
      this.#store.removed(id);
      await this.reload();
    });
  }

  async test(): Promise<void> {
    const draft = this.#draft('to-try');
    if (draft === null) return;
    await this.#do('testing', 'Not tested.', async () => {
      this.#store.closeDiagnose();
      const result = await this.#api.test(draft);
      await this.reload();
      this.#store.test = result;
    });
  }

  async diagnose(): Promise<void> {
    const draft = this.#draft('to-try');
    if (draft === null) return;
    const now = this.#time.now();
    const run = `run-${now}-${++this.#runs}`;
    this.#store.began(run, now);
    this.#tick();
    try {
      await this.#api.diagnose(draft, run);
    } catch (error) {
      this.#store.closeDiagnose();
      this.#store.failure = { title: 'Not diagnosed.', detail: messageOf(error) };
    }
  }

  async stopDiagnose(): Promise<void> {
    const run = this.#store.diagnose?.run;
    if (run === undefined) return;
    this.#store.stopped();
    await this.#api.stopDiagnose(run).catch((error: unknown) => {
      this.#store.failure = { title: 'Not stopped.', detail: messageOf(error) };
    });
  }

  /** Saves what was changed first. @param password that was asked for; used once */
  async connect(password?: string): Promise<void> {
    const { asked } = this.#store;
    await this.#do('connecting', 'Not connected.', async () => {
      const form = await this.#saveForm();
      if (form === null || form.id === null) return;
      const typed = {
        ...(form.asks && form.password !== '' ? { password: form.password } : {}),
        ...(form.sentinelAsks && form.sentinelPassword !== '' ? { sentinelPassword: form.sentinelPassword } : {}),
        ...(password === undefined ? {} : { [asked?.of === 'sentinel' ? 'sentinelPassword' : 'password']: password }),
      };
      if (password !== undefined && asked?.of === 'sentinel') form.sentinelPassword = password;
      if (password !== undefined && asked?.of === 'redis') form.password = password;
      this.#outcome(await this.#api.connect({ id: form.id, ...typed }));
      await this.reload();
    });
  }

  /** Chooses it and connects, as if it had been clicked here. */
  async open(id: string): Promise<void> {
    await this.reload();
    if (!this.#store.profiles.some((profile) => profile.id === id)) {
      this.#store.failure = { title: 'Not connected.', detail: 'This profile is gone. Choose another one.' };
      return;
    }
    this.#store.select(id);
    await this.connect();
  }

  async startLocal(demo: boolean): Promise<void> {
    await this.#do('starting', demo ? 'The demo did not start.' : 'The local queue did not start.', async () => {
      this.#outcome(await this.#api.startLocal({ demo }));
      await this.reload();
    });
  }

  /** Null when the dialog was closed, or could not be opened. */
  async pickFile(): Promise<string | null> {
    return this.#api.pickFile().catch(() => null);
  }

  #outcome(outcome: ConnectOutcome): void {
    if (outcome.state === 'password_needed') this.#store.asked = outcome;
    if (outcome.state !== 'failed') return;
    const detail = outcome.cure === null ? outcome.message : `${outcome.message} ${outcome.cure}`;
    this.#store.failure = { title: 'Not connected.', detail };
  }

  #draft(keep: 'to-save' | 'to-try'): ProfileDraft | null {
    const { form } = this.#store;
    if (form === null) return null;
    form.tried = true;
    return form.draft(keep);
  }

  /** @returns the form, saved; null where it has faults, which it shows */
  async #saveForm(): Promise<ProfileForm | null> {
    const { form } = this.#store;
    const draft = this.#draft('to-save');
    if (form === null || draft === null) return null;
    if (form.dirty || form.id === null) {
      this.#store.saved(form, await this.#api.save(draft));
      await this.reload();
    }
    return form;
  }

  async #do(what: Busy, failed: string, run: () => Promise<void>): Promise<void> {
    if (this.#store.busy !== null) return;
    this.#store.busy = what;
    this.#store.tried();
    try {
      await run();
    } catch (error) {
      this.#store.failure = { title: failed, detail: messageOf(error) };
    } finally {
      this.#store.busy = null;
    }
  }

  #tick(): void {
    this.#stopTick();
    this.#store.now = this.#time.now();
    this.#stopTick = this.#time.after(this.#store.diagnosing ? DIAGNOSE_TICK_MS : TICK_MS, () => this.#tick());
  }
}
