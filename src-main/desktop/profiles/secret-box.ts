/**
 * Passwords through the keychain of the system, or not at all. On Linux without a keychain Electron still "encrypts",
 * with a key that is in its own source (`basic_text`): that counts as nothing.
 */

export interface SecretBox {
  /** Null where it can keep secrets; else why it cannot, in a sentence. */
  readonly unavailable: string | null;
  /** @returns text that is safe to lie in a file */
  encrypt(secret: string): string;
  /** Null where it was encrypted by another user or machine, or the keychain has lost its key. */
  decrypt(text: string): string | null;
}

/** The part of Electron's `safeStorage` that is needed. The backend is told on Linux only, and not by every version. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(encrypted: Buffer): string;
  getSelectedStorageBackend?(): string;
}

/** To be made after the app is ready: before, nothing is available. */
export function safeStorageBox(storage: SafeStorage, platform: string): SecretBox {
  const unavailable = whyNot(storage, platform);
  return {
    unavailable,
    encrypt: (secret) => {
      if (unavailable !== null) throw new Error(unavailable);
      return storage.encryptString(secret).toString('base64');
    },
    decrypt: (text) => {
      if (unavailable !== null) return null;
      try {
        return storage.decryptString(Buffer.from(text, 'base64'));
      } catch {
        return null;
      }
    },
  };
}

function whyNot(storage: SafeStorage, platform: string): string | null {
  const ask = 'Passwords are asked for each time.';
  if (!storage.isEncryptionAvailable()) return `The keychain of this system is not available. ${ask}`;
  if (platform !== 'linux') return null;
  const backend = storage.getSelectedStorageBackend?.(); // a version that does not tell encrypts with a keyring only
  if (backend === 'basic_text' || backend === 'unknown') {
    return `No keychain runs in this session (GNOME Keyring or KWallet would do). ${ask}`;
  }
  return null;
}
