/**
 * Links that lead out of a window. Few do: the API's own reference, and pages on how to install a Redis. The user is asked
 * first, with the whole address; nothing else is ever handed to the system, which would start programs for it.
 */
import { type BrowserWindow, dialog, shell } from 'electron';

const ALLOWED_HOSTS: ReadonlySet<string> = new Set(['redis.io', 'valkey.io', 'www.memurai.com']);
const SHOWN_CHARS = 300;

/** @param own address of the window's own server, whose `/docs` a browser may show; null for none */
export function isAllowedLink(address: string, own: string | null): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  if (url.username !== '' || url.password !== '') return false;
  if (own !== null && url.origin === new URL(own).origin) return /^\/docs\/?$/.test(url.pathname);
  return url.protocol === 'https:' && url.port === '' && ALLOWED_HOSTS.has(url.hostname);
}

/** @returns whether it was opened */
export async function openExternal(window: BrowserWindow, address: string, own: string | null): Promise<boolean> {
  if (!isAllowedLink(address, own)) return false;
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    message: 'Open this address in the browser?',
    detail: address.slice(0, SHOWN_CHARS),
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
    noLink: true,
  });
  if (response !== 0) return false;
  await shell.openExternal(address);
  return true;
}
