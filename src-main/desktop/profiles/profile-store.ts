/**
 * The profiles of this user: one JSON file that only they can read, replaced as a whole, so that a crash leaves the old
 * one or the new one. A file that cannot be read is put aside and never overwritten. Secrets lie in it only as the
 * keychain encrypted them; where it cannot, they do not lie in it at all.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LIMITS } from '#queue/contract/limits';
import type { Clock } from '#queue/kernel/clock';
import { randomName } from '#queue/kernel/ids';
import { Profile, type ProfileFields } from '../../bridge/profiles-contract';
import type { SecretBox } from './secret-box';

const VERSION = 1;

const ProfileFile = z.object({
  version: z.literal(VERSION),
  profiles: z.array(Profile).max(LIMITS.profiles),
  /** By the name that a profile has for it. */
  secrets: z.record(z.string(), z.string()),
});
type ProfileFile = z.infer<typeof ProfileFile>;

/** Undefined: leave it as it is; null: forget it; a text: keep this one. */
export type SecretChange = string | null | undefined;

/** Its message is a sentence for people. */
export class ProfileStoreError extends Error {
  override readonly name = 'ProfileStoreError';
}

export class ProfileStore {
  readonly #path: string;
  readonly #secrets: SecretBox;
  readonly #clock: Clock;
  #file: Promise<ProfileFile> | null = null;
  #brokenFile: string | null = null;
  /** One change at a time: each is made on what the one before it wrote. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ path, secrets, clock }: { path: string; secrets: SecretBox; clock: Clock }) {
    this.#path = path;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /** Where a file that could not be read was put; known after the first `list`. */
  get brokenFile(): string | null {
    return this.#brokenFile;
  }

  /** The last used first, then by name. */
  async list(): Promise<Profile[]> {
    const { profiles } = await this.#load();
    return [...profiles].sort((a, b) => (b.lastUsedAt ?? 0) - (a.lastUsedAt ?? 0) || a.name.localeCompare(b.name));
  }

  async get(id: string): Promise<Profile | null> {
    return (await this.list()).find((profile) => profile.id === id) ?? null;
  }

  /** A secret that cannot be encrypted is dropped, and the profile then asks for it. @param id null for a new one */
  save(
    id: string | null,
    fields: ProfileFields,
    secrets: { password: SecretChange; sentinelPassword: SecretChange },
  ): Promise<Profile> {
    return this.#change((file) => {
      const old = file.profiles.find((profile) => profile.id === id);
      if (old === undefined && file.profiles.length >= LIMITS.profiles) {
        throw new ProfileStoreError(`There are ${LIMITS.profiles} profiles already: remove one first.`);
      }
      const name = old?.id ?? randomName('profile');
      const profile: Profile = {
        ...fields,
        id: name,
        passwordRef: this.#keep(file, `${name}.password`, fields.usesPassword ? secrets.password : null),
        sentinelPasswordRef: this.#keep(
          file,
          `${name}.sentinel`,
          fields.usesSentinelPassword ? secrets.sentinelPassword : null,
        ),
        lastUsedAt: old?.lastUsedAt ?? null,
        lastCheck: old?.lastCheck ?? null,
      };
      file.profiles = [...file.profiles.filter((other) => other !== old), profile];
      return profile;
    });
  }

  async remove(id: string): Promise<void> {
    await this.#change((file) => {
      file.profiles = file.profiles.filter((profile) => profile.id !== id);
      for (const ref of Object.keys(file.secrets)) {
        if (ref.startsWith(`${id}.`)) delete file.secrets[ref];
      }
    });
  }

  /** Notes what a test came to, and with `used` that the profile is connected now. */
  async note(id: string, outcome: { reached: boolean; used: boolean }): Promise<void> {
    await this.#change((file) => {
      const profile = file.profiles.find((candidate) => candidate.id === id);
      if (profile === undefined) return;
      const at = this.#clock.now();
      profile.lastCheck = { at, reached: outcome.reached };
      if (outcome.used) profile.lastUsedAt = at;
    });
  }

  /** Null where it is not kept, or cannot be decrypted any more. */
  async secret(ref: string | null): Promise<string | null> {
    const text = ref === null ? undefined : (await this.#load()).secrets[ref];
    return text === undefined ? null : this.#secrets.decrypt(text);
  }

  /** @returns the name under which it lies in the file now; null where it does not */
  #keep(file: ProfileFile, ref: string, secret: SecretChange): string | null {
    if (secret === undefined) return ref in file.secrets ? ref : null;
    delete file.secrets[ref];
    if (secret === null || secret === '' || this.#secrets.unavailable !== null) return null;
    file.secrets[ref] = this.#secrets.encrypt(secret);
    return ref;
  }

  /** What `make` changes counts only once it is written. */
  #change<T>(make: (file: ProfileFile) => T): Promise<T> {
    const turn = this.#turn.then(async () => {
      const file = structuredClone(await this.#load());
      const result = make(file);
      await this.#write(file);
      this.#file = Promise.resolve(file);
      return result;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #load(): Promise<ProfileFile> {
    this.#file ??= this.#read().catch((error: unknown) => {
      this.#file = null; // the next one tries again
      throw error;
    });
    return this.#file;
  }

  async #read(): Promise<ProfileFile> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return empty();
      throw new ProfileStoreError(`The profiles cannot be read: ${error instanceof Error ? error.message : error}`);
    }
    try {
      return ProfileFile.parse(JSON.parse(text));
    } catch {
      const aside = `${this.#path}.broken-${this.#clock.now()}`;
      await rename(this.#path, aside);
      this.#brokenFile = aside;
      return empty();
    }
  }

  async #write(file: ProfileFile): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const draft = `${this.#path}.${process.pid}`;
    try {
      const handle = await open(draft, 'w', 0o600);
      try {
        await handle.writeFile(`${JSON.stringify(file, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true });
      throw new ProfileStoreError(`The profile was not saved: ${error instanceof Error ? error.message : error}`);
    }
  }
}

const empty = (): ProfileFile => ({ version: VERSION, profiles: [], secrets: {} });
