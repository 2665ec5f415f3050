/** Addresses as people write them, taken apart and checked, so that nothing but addresses reaches the SMTP commands. */
import parseAddresses from 'nodemailer/lib/addressparser';
import { FatalError } from '../../handler';

export interface MailAddress {
  /** Empty where there is none. */
  name: string;
  address: string;
}

/** RFC 5321: 64 before the at sign, 254 in all. Quoted local parts are left out: they exist to smuggle. */
const ADDRESS = /^(?=.{3,254}$)[^\s@"(),:;<>[\]\\\p{Cc}]{1,64}@[^\s@"(),:;<>[\]\\\p{Cc}]{1,253}$/u;
const MAX_RECIPIENTS = 500;

/**
 * @param field name of the payload field, for the error
 * @throws {FatalError} something that is no address, none at all, or more than 500
 */
export function mailAddresses(value: string | readonly string[], field: string): MailAddress[] {
  const parsed = (typeof value === 'string' ? [value] : value).flatMap((text) => {
    const found = parseAddresses(text, { flatten: true });
    const strange = found.find((entry) => !isWritten(entry, text));
    if (strange !== undefined) throw notAnAddress(field, text);
    return found;
  });
  if (parsed.length === 0) throw new FatalError(`${field} has no address`);
  if (parsed.length > MAX_RECIPIENTS) throw new FatalError(`${field} has more than ${MAX_RECIPIENTS} addresses`);
  for (const { address, name } of parsed) {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    if (!ADDRESS.test(address) || domain.startsWith('.') || domain.endsWith('.') || domain.includes('..')) {
      throw notAnAddress(field, address || name);
    }
  }
  return parsed.map(({ name, address }) => ({ name, address }));
}

/**
 * The parser mends what it can, and would send "ada b@example.com" to b@example.com. A mail to a guess is worse than
 * none: an address with a name must stand in angle brackets, with nothing behind them.
 */
function isWritten({ name, address }: MailAddress, text: string): boolean {
  if (!text.includes('<')) return name === '';
  const at = text.indexOf(`<${address}>`);
  if (at < 0) return name === '';
  return /^\s*(?:[,;]|$)/.test(text.slice(at + address.length + 2));
}

const notAnAddress = (field: string, text: string): FatalError =>
  new FatalError(`${field} has "${text.slice(0, 100)}", which is not a mail address`);

/** What goes after the at sign of a Message-ID: the sender's domain where it is plain ASCII. */
export function messageIdDomain(sender: string): string {
  const domain = sender.slice(sender.lastIndexOf('@') + 1).toLowerCase();
  return /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(domain) ? domain : 'millrace.invalid';
}
