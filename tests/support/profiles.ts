/** A profile's fields as a form would send them, and boxes that keep secrets, or refuse to. */
import { BLANK_FIELDS, type ProfileFields } from '#main/bridge/profiles-contract';
import type { SecretBox } from '#main/desktop/profiles/secret-box';

export const fieldsOf = (fields: Partial<ProfileFields> = {}): ProfileFields => ({
  ...BLANK_FIELDS,
  name: 'orders',
  host: '127.0.0.1',
  ...fields,
});

const turned = (text: string) => Buffer.from(text.split('').reverse().join('')).toString('base64');

/** Turns texts around: not safe, but not the text either. */
export const workingBox: SecretBox = {
  unavailable: null,
  encrypt: turned,
  decrypt: (text) => Buffer.from(text, 'base64').toString().split('').reverse().join(''),
};

export const noBox: SecretBox = {
  unavailable: 'No keychain runs in this session. Passwords are asked for each time.',
  encrypt: () => {
    throw new Error('asked to encrypt');
  },
  decrypt: () => null,
};
