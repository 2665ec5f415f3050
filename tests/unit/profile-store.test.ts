import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProfileStore } from '#main/desktop/profiles/profile-store';
import { type SafeStorage, type SecretBox, safeStorageBox } from '#main/desktop/profiles/secret-box';
import { LIMITS } from '#queue/contract/limits';
import { ManualClock } from '../support/manual-clock';
import { fieldsOf, noBox, workingBox } from '../support/profiles';

let dir: string;
let clock: ManualClock;
const SECRET = 'correct-horse-battery';
const keep = { password: SECRET, sentinelPassword: undefined };
const none = { password: undefined, sentinelPassword: undefined };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-profiles-'));
  clock = new ManualClock();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = () => join(dir, 'user', 'profiles.json');
const storeWith = (secrets: SecretBox = workingBox) => new ProfileStore({ path: path(), secrets, clock });
const allText = () =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

it('keeps profiles over a restart, in a file that only its user can read, and leaves no draft behind', async () => {
  const saved = await storeWith().save(null, fieldsOf({ usesPassword: true }), keep);
  expect(await storeWith().list()).toEqual([saved]);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dir, 'user'))).toEqual(['profiles.json']);
});

it('writes no password in plain text, whether the keychain is there or not', async () => {
  for (const box of [workingBox, noBox]) {
    const profile = await storeWith(box).save(null, fieldsOf({ usesPassword: true, usesSentinelPassword: true }), {
      password: SECRET,
      sentinelPassword: `${SECRET}-2`,
    });
    const text = allText();
    expect(text).toContain(profile.id); // it looked into the right file
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(Buffer.from(SECRET).toString('base64').replace(/=+$/, ''));
  }
});

it('gives a kept password back, and forgets it when told, when it is used no more, and with the profile', async () => {
  const store = storeWith();
  const fields = fieldsOf({ usesPassword: true });
  const profile = await store.save(null, fields, keep);
  expect(await storeWith().secret(profile.passwordRef)).toBe(SECRET);
  const renamed = await store.save(profile.id, { ...fields, name: 'other' }, none);
  expect(await store.secret(renamed.passwordRef)).toBe(SECRET);
  expect((await store.save(profile.id, fields, { ...none, password: null })).passwordRef).toBeNull();
  expect(readFileSync(path(), 'utf8')).toContain('"secrets": {}');
  await store.save(profile.id, fields, keep);
  expect((await store.save(profile.id, fieldsOf(), keep)).passwordRef).toBeNull();
  await store.save(profile.id, fields, keep);
  await store.remove(profile.id);
  expect(await store.list()).toEqual([]);
  expect(readFileSync(path(), 'utf8')).toContain('"secrets": {}');
});

it('stores nothing where the keychain cannot encrypt: the profile asks', async () => {
  const profile = await storeWith(noBox).save(null, fieldsOf({ usesPassword: true }), keep);
  expect([profile.usesPassword, profile.passwordRef]).toEqual([true, null]);
});

it('puts a file that it cannot read aside, untouched, and says where', async () => {
  mkdirSync(join(dir, 'user'));
  writeFileSync(path(), '{"version":1,"profiles":[{"broken');
  const store = storeWith();
  expect(await Promise.all([store.list(), store.list()])).toEqual([[], []]);
  expect(readFileSync(store.brokenFile ?? '', 'utf8')).toBe('{"version":1,"profiles":[{"broken');
  await store.save(null, fieldsOf(), none);
  expect(await storeWith().list()).toHaveLength(1);
});

it('does not overwrite a file of a newer version', async () => {
  mkdirSync(join(dir, 'user'));
  writeFileSync(path(), '{"version":2,"profiles":[],"secrets":{}}');
  const store = storeWith();
  await store.save(null, fieldsOf(), none);
  expect(readFileSync(store.brokenFile ?? '', 'utf8')).toContain('"version":2');
});

it('keeps the old profiles when a change cannot be written, and says so', async () => {
  const store = storeWith();
  const saved = await store.save(null, fieldsOf(), none);
  rmSync(path());
  mkdirSync(path()); // nothing can be renamed onto a folder
  await expect(store.save(null, fieldsOf({ name: 'second' }), none)).rejects.toThrow(/^The profile was not saved: /);
  expect(await store.list()).toEqual([saved]);
  expect(readdirSync(join(dir, 'user'))).toEqual(['profiles.json']);
  chmodSync(path(), 0o700);
});

it('makes changes one after the other', async () => {
  const store = storeWith();
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => store.save(null, fieldsOf({ name }), none)));
  expect((await storeWith().list()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
});

it('lists the last used first, and notes what a test came to', async () => {
  const store = storeWith();
  const [a, b] = [
    await store.save(null, fieldsOf({ name: 'a' }), none),
    await store.save(null, fieldsOf({ name: 'b' }), none),
  ];
  await clock.advance(1000);
  await store.note(b.id, { reached: true, used: true });
  await store.note(a.id, { reached: false, used: false });
  const listed = await storeWith().list();
  expect(listed.map(({ name, lastUsedAt }) => [name, lastUsedAt])).toEqual([
    ['b', clock.now()],
    ['a', null],
  ]);
  expect(listed[1]?.lastCheck).toEqual({ at: clock.now(), reached: false });
});

it('holds a bounded number of profiles', async () => {
  const store = storeWith();
  const saved = await Promise.all(
    Array.from({ length: LIMITS.profiles }, (_, i) => store.save(null, fieldsOf({ name: `p${i}` }), none)),
  );
  await expect(store.save(null, fieldsOf(), none)).rejects.toThrow(/remove one first/);
  await expect(store.save(saved[0]?.id ?? '', fieldsOf({ name: 'again' }), none)).resolves.toMatchObject({
    name: 'again',
  });
});

it('takes Linux without a keychain for what it is', () => {
  const storage = (backend: string | undefined, available = true): SafeStorage => ({
    isEncryptionAvailable: () => available,
    encryptString: (text) => Buffer.from(`sealed:${text}`),
    decryptString: (data) => data.toString().replace('sealed:', ''),
    ...(backend === undefined ? {} : { getSelectedStorageBackend: () => backend }),
  });
  expect(safeStorageBox(storage('basic_text'), 'linux').unavailable).toContain('No keychain runs');
  expect(safeStorageBox(storage('unknown'), 'linux').unavailable).toContain('No keychain runs');
  expect(safeStorageBox(storage('gnome_libsecret', false), 'linux').unavailable).toContain('not available');
  expect(() => safeStorageBox(storage('basic_text'), 'linux').encrypt('x')).toThrow();
  for (const box of [
    safeStorageBox(storage('gnome_libsecret'), 'linux'),
    safeStorageBox(storage(undefined), 'linux'),
  ]) {
    expect(box.unavailable).toBeNull();
    expect(box.decrypt(box.encrypt(SECRET))).toBe(SECRET);
  }
});
