/**
 * The locks of every window: it shows the page that it was opened on and nothing else. No other origin, no new window,
 * no webview, no permission, and no request that leaves this machine. The page's own policy (CSP) says the same; this
 * holds where a page was made to forget it.
 */
import type { App, Session, WebContents } from 'electron';
import type { Log } from '#queue/kernel/log';
import { originOf } from './origins';

export interface Locks {
  /** The one origin that these contents may show; null for contents that are none of ours: they show nothing. */
  originFor: (contents: WebContents) => string | null;
  /** Origins of all pages of ours. */
  isOurs: (origin: string | null) => boolean;
  /** A link that leads out of the window. */
  onExternalLink: (contents: WebContents, address: string) => void;
  log: Log;
}

/** For all contents that are ever made, whoever makes them. */
export function lockContents(app: App, locks: Locks): void {
  app.on('web-contents-created', (_event, contents) => {
    const stay = (event: { preventDefault(): void }, address: string) => {
      const origin = locks.originFor(contents);
      if (origin !== null && originOf(address) === origin) return;
      event.preventDefault();
      locks.log.warn('a window was kept from leaving its page', { to: originOf(address) ?? address.slice(0, 40) });
    };
    contents.on('will-navigate', (event, address) => stay(event, address));
    contents.on('will-redirect', (event, address) => stay(event, address));
    contents.on('will-frame-navigate', (event) => stay(event, event.url));
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      locks.onExternalLink(contents, url);
      return { action: 'deny' };
    });
  });
}

/** Permissions, devices and requests of the one session that all windows share. */
export function lockSession(session: Session, { isOurs, log }: Locks): void {
  // A page of ours may put text on the clipboard, which "copy id" does; nothing else is asked for, so nothing is given.
  const mayWrite = (permission: string, address: string) =>
    permission === 'clipboard-sanitized-write' && isOurs(originOf(address));
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(mayWrite(permission, contents.getURL())),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => mayWrite(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((request, answer) => {
    const cancel = leavesMachine(request.url, isOurs);
    if (cancel) log.warn('a request to a foreign address was stopped', { to: originOf(request.url) });
    answer({ cancel });
  });
}

const WEB = /^(https?|wss?|ftp|file):/i;

/** Parts of Chromium itself (`devtools:`, `blob:` of our pages) are no requests over the network. */
function leavesMachine(address: string, isOurs: Locks['isOurs']): boolean {
  if (!WEB.test(address)) return false;
  return !isOurs(originOf(address.replace(/^ws/i, 'http')));
}
