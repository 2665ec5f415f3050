/** Which page an address belongs to. `URL.origin` is "null" for schemes of our own, so it is told by scheme and host. */

/** The start page's, served out of the app itself. */
export const APP_SCHEME = 'app';
export const APP_ORIGIN = `${APP_SCHEME}://console`;

/** @returns null for what is no address of a page with an origin, such as `data:` or `javascript:` */
export function originOf(address: string): string | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  return ['http:', 'https:', `${APP_SCHEME}:`].includes(url.protocol) ? `${url.protocol}//${url.host}` : null;
}

/** Whether a call of the bridge comes from the page that its window is for: its top frame, and no other origin there. */
export function isOwnPage(
  opened: { readonly origin: string } | null,
  frame: { readonly url: string; readonly parent: unknown } | null,
): boolean {
  return opened !== null && frame !== null && frame.parent === null && originOf(frame.url) === opened.origin;
}
